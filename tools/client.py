"""Talks to a running ComfyUI: uploads inputs, runs an API graph, returns its pictures and texts, or readable errors.

Progress comes over the websocket where aiohttp is there (the host's Python has it); else /history is polled.
"""

import asyncio
import json
import time
import urllib.error
import urllib.parse
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import Request

from .progress import Bar
from .server import direct

ENDS = ("execution_success", "execution_error", "execution_interrupted")


@dataclass
class Result:
    """What a graph made. `errors` is empty if all of it ran."""

    images: dict[str, list[bytes]] = field(default_factory=dict)  # node id -> encoded pictures (PNG as a rule)
    texts: dict[str, list[str]] = field(default_factory=dict)  # node id -> shown texts
    errors: list[str] = field(default_factory=list)  # one readable line each


def show(value: object) -> str:
    """A received value in a line; a link [node, output] reads as one."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int):
        return f"output {value[1]} of node {value[0]}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def explained(error: dict) -> str:
    """What is wrong, from one of the host's validation errors {type, message, details, extra_info}."""
    extra = error.get("extra_info") or {}
    details = (error.get("details") or "").removeprefix(str(extra.get("input_name"))).lstrip(" ,:-")
    if extra.get("exception_type") == "KeyError":
        return f"a link leads to node {details}, which is not in the graph"
    if extra.get("exception_type") == "IndexError":
        return "a link asks for an output that its node does not have"
    line = error["message"] + (f" ({details})" if details and error["type"] != "invalid_input_type" else "")
    line += f"; it comes from {show(extra['linked_node'])}" if "linked_node" in extra else ""
    return line + (f"; it got {show(extra['received_value'])}" if "received_value" in extra else "")


def validation_lines(answer: dict) -> list[str]:
    """The host's answer to a refused graph, as lines: node id, class, input, what is wrong.

    answer: {"error": {type, message, details, extra_info}, "node_errors": {id: {"errors": [...], "class_type"}}}
    """
    lines = []
    for node, found in (answer.get("node_errors") or {}).items():
        for error in found["errors"]:
            name = (error.get("extra_info") or {}).get("input_name")
            where = f"node {node} ({found['class_type']})" + (f", input '{name}'" if name else "")
            lines.append(f"{where}: {explained(error)}")
    error = answer.get("error")
    if error and not lines:
        extra = error.get("extra_info") or {}
        where = f"node {extra['node_id']} ({extra.get('class_type')}): " if extra.get("node_id") else ""
        lines.append(where + error["message"])
    return lines


def execution_lines(messages: list) -> list[str]:
    """Errors among the messages of a /history entry: node id, class, exception; then where it was raised."""
    lines = []
    for name, data in messages:
        node = f"node {data.get('node_id')} ({data.get('node_type')})"
        if name == "execution_error":
            kind = str(data.get("exception_type")).split(".")[-1]
            lines.append(f"{node}: {kind}: {str(data.get('exception_message')).strip()}")
            lines += ["    " + frame.strip().splitlines()[0] for frame in (data.get("traceback") or [])[-1:]]
        elif name == "execution_interrupted":
            lines.append(f"{node}: interrupted")
    return lines


class Client:
    """One ComfyUI at `url` ("http://127.0.0.1:8188")."""

    def __init__(self, url: str):
        self.url = url
        self.id = uuid.uuid4().hex

    def fetch(self, path: str, data: bytes | None = None, kind: str = "application/json") -> bytes:
        request = Request(self.url + path, data, {"Content-Type": kind} if data is not None else {})
        with direct.open(request, timeout=60) as answer:
            return answer.read()

    def object_info(self) -> dict:
        """Node id -> its inputs and outputs, for all nodes of the host."""
        return json.loads(self.fetch("/object_info"))

    def upload(self, picture: Path) -> str:
        """Puts a picture into the host's input folder; the name LoadImage knows it by."""
        edge = uuid.uuid4().hex
        head = f'--{edge}\r\nContent-Disposition: form-data; name="overwrite"\r\n\r\ntrue\r\n--{edge}\r\n'
        head += f'Content-Disposition: form-data; name="image"; filename="{picture.name}"\r\n'
        head += "Content-Type: application/octet-stream\r\n\r\n"
        body = head.encode() + picture.read_bytes() + f"\r\n--{edge}--\r\n".encode()
        return json.loads(self.fetch("/upload/image", body, f"multipart/form-data; boundary={edge}"))["name"]

    def upload_inputs(self, graph: dict, folder: Path) -> None:
        """The pictures in `folder` that the graph's LoadImage nodes name."""
        for node in graph.values():
            if node["class_type"] in ("LoadImage", "LoadImageMask"):
                self.upload(folder / node["inputs"]["image"])

    def post(self, graph: dict) -> tuple[str | None, list[str]]:
        """(prompt id or None if the graph was refused, lines about what is wrong in it)."""
        body = json.dumps({"prompt": graph, "client_id": self.id}).encode()
        try:
            answer = json.loads(self.fetch("/prompt", body))
        except urllib.error.HTTPError as error:
            return None, validation_lines(json.loads(error.read()))
        return answer["prompt_id"], validation_lines(answer)

    def run(self, graph: dict, progress: bool = True) -> Result:
        """Runs an API graph ({node id: {"class_type", "inputs"}}) to its end."""
        try:
            import aiohttp
        except ImportError:
            prompt, errors = self.post(graph)
        else:
            prompt, errors = asyncio.run(self.follow(graph, progress, aiohttp))
        return Result(errors=errors) if prompt is None else self.collect(self.history(prompt), errors)

    async def follow(self, graph: dict, progress: bool, aiohttp) -> tuple[str | None, list[str]]:
        """Posts the graph and returns when it ended, with a tqdm bar meanwhile."""
        address = f"{self.url.replace('http', 'ws', 1)}/ws?clientId={self.id}"
        limits = {"max_msg_size": 0, "heartbeat": 30}
        async with aiohttp.ClientSession() as session, session.ws_connect(address, **limits) as socket:
            prompt, errors = await asyncio.to_thread(self.post, graph)
            if prompt is None:
                return prompt, errors
            with Bar(graph, progress) as bar:
                async for message in socket:  # ends too when the host goes away
                    if message.type is not aiohttp.WSMsgType.TEXT:
                        continue
                    event = json.loads(message.data)
                    data = event.get("data") or {}
                    if data.get("prompt_id") == prompt:
                        bar.update(event["type"], data)
                        if event["type"] in ENDS:
                            break
        return prompt, errors

    def history(self, prompt: str) -> dict:
        """The finished prompt's entry; waits for it."""
        while True:
            entry = json.loads(self.fetch(f"/history/{prompt}")).get(prompt)
            if entry:
                return entry
            time.sleep(0.1)

    def collect(self, entry: dict, errors: list[str]) -> Result:
        result = Result(errors=[*errors, *execution_lines(entry["status"]["messages"])])
        for node, output in entry["outputs"].items():
            files = [item for item in output.get("images", []) if isinstance(item, dict)]
            if files:
                result.images[node] = [self.fetch("/view?" + urllib.parse.urlencode(item)) for item in files]
            texts = output.get("text", [])
            if texts:
                result.texts[node] = [texts] if isinstance(texts, str) else [str(text) for text in texts]
        return result
