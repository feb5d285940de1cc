"""Cases that once passed by hand: another pack's prompts, attention backends, half precision, odd texts, two sizes."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from pack.tests.patches.models.test_families import halved
from pack.tests.patches.placing import left, place, region
from pack.tests.trust.building import Graph, Linked, regions
from pack.tests.trust.effects import SIX, scene
from pack.tests.trust.executor import finite, tiny_scenes
from pack.tests.trust.executor import run as execute
from pack.tests.trust.tally import Check, Tally

FOLDERS = "LATENT_MANIPULATION_PACKS"
PROMPT_CONTROL = "comfyui-prompt-control"
ROWS: dict[str, list[dict[str, list[tuple[int, ...]] | None]]] = {
    "a red dog BREAK a blue cat": [{"red dog": [(2, 3)], "blue cat": [(79, 80)]}],
    "a red dog AND a blue cat": [{"red dog": [(2, 3)], "blue cat": None}, {"red dog": None, "blue cat": [(2, 3)]}],
    "a red dog CAT a blue cat": [{"red dog": [(2, 3)], "blue cat": None}],
    "a red dog AVG(0.5) a blue cat": [{"red dog": [(2, 3)], "blue cat": None}],
    "a scene of animals, [CUT:red dog:red], [CUT:blue cat:blue]": [{"red dog": [(6, 7)], "blue cat": [(9, 10)]}],
    "a red dog BREAK a blue cat CAT a green bird": [{"red dog": [(2, 3)], "blue cat": [(79, 80)], "green bird": None}],
}
"""Prompt -> for each conditioning, the rows of each phrase; None: not in it, said in a sentence."""
TEXTS = {  # the words that are looked for, in a text around them
    "emoji": "a 🦆 on a pond\n🦆",
    "Chinese": "一只红色的狗在草地上\n红色的狗",
    "Japanese": "赤い犬と青い猫\n青い猫",
    "Korean": "빨간 개와 파란 고양이\n파란 고양이",
    "Arabic": "كلب أحمر وقطة زرقاء\nكلب أحمر",
    "no-break space": "a red\u00a0dog and a cat\nred dog",
    "line ends of Windows": "a red\r\ndog\r\nand a cat\nred dog",
    "accents in two forms": "a cafe\u0301 by the sea\ncafé",
}
BACKENDS = ("sub_quad", "split", "pytorch", "basic")


def run(tally: Tally) -> None:
    for case in (prompt_control, texts, two_vectors, backends, halves, masked_prompts, hires):
        with tally.case(case.__name__):
            case(tally)


def found(phrase: str, entry: list) -> list[tuple[int, ...]] | None:
    from pack.attention.phrases import positions
    from pack.patches.run.track import read_tag

    try:
        return [tuple(rows) for rows in positions(phrase, read_tag(entry[1]))]
    except ValueError:
        return None


def prompt_control(tally: Tally) -> None:
    folders = [Path(folder) for folder in os.environ.get(FOLDERS, "").split(os.pathsep) if folder]
    folder = next((place for place in folders if place.name == PROMPT_CONTROL), None)
    if folder is None:
        tally.notes.append(f"{PROMPT_CONTROL} is not among {FOLDERS}: its BREAK, AND, CAT, AVG and CUT were not run")
        return
    place = dict(location=folder / "__init__.py", submodule_search_locations=[str(folder)])
    spec = importlib.util.spec_from_file_location("prompts", **place)
    sys.modules["prompts"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    encode = importlib.import_module("prompts.prompt_control.nodes_base").PCTextEncode.execute
    for text, entries in ROWS.items():
        made = encode(tiny_scenes()[1], text).result[0]
        tally.expect(len(made) == len(entries), text, f"{len(made)} conditionings")
        for entry, wanted in zip(made, entries, strict=False):
            got = {phrase: found(phrase, entry) for phrase in wanted}
            tally.expect(got == wanted, text, f"rows {got}, not {wanted}")


def encoded(text: str, clip=None) -> list:
    import nodes

    return nodes.CLIPTextEncode().encode(clip or tiny_scenes()[1], text)[0]


def texts(tally: Tally) -> None:
    """The phrase is found, in rows of text; the tensors are those of the untracked encoder."""
    from pack.demo.model import load

    plain = load()[1]
    for name, both in TEXTS.items():
        text, phrase = both.rsplit("\n", 1)
        entry = encoded(text)[0]
        rows = found(phrase, entry)
        tally.expect(bool(rows), name, f"{phrase!r} is not found")
        tally.expect(torch.equal(entry[0], encoded(text, plain)[0][0]), name, "tracking changes the encoding")


def two_vectors(tally: Tally) -> None:
    """An embedding of two vectors moves what stands behind it by one more row."""
    import folder_paths
    from pack.tests.trust.executor import register
    from safetensors.torch import save_file

    width = encoded("a")[0][0].shape[-1]
    save_file({"emb_params": torch.randn(2, width)}, Path(register()) / "pair.safetensors")
    clip = tiny_scenes()[1]
    folder_paths.add_model_folder_path("embeddings", register())
    for part in vars(clip.tokenizer).values():
        if hasattr(part, "embedding_directory"):
            part.embedding_directory = [register()]
    rows = found("red dog", encoded("a embedding:pair red dog")[0])
    tally.expect(rows == [(4, 5)], "an embedding of two vectors", f"rows {rows}, not [(4, 5)]")


def backends(tally: Tally) -> None:
    """Regions by each of the host's attention functions, as near as their plain pictures are."""
    import comfy.ldm.modules.attention as attention

    def drawn(model) -> torch.Tensor:
        return scene().with_model(model).draw()

    pictures, plain = {}, {}
    for name in BACKENDS:
        function = getattr(attention, f"attention_{name}")
        model = scene().model.clone()
        model.model_options["transformer_options"]["optimized_attention_override"] = chosen(function)
        plain[name], pictures[name] = drawn(model), drawn(place(model, region()))
    size, effect = plain["basic"].abs().max(), (pictures["basic"] - plain["basic"]).abs().max()
    for name in BACKENDS[:-1]:
        off = (pictures[name] - pictures["basic"]).abs().max()
        told = f"{off:.2g} of {size:.2g} from attention_basic"
        tally.expect(bool(off <= 1e-4 * size < effect), f"attention_{name}", told)


def chosen(function: Callable) -> Callable:
    return lambda func, *args, **kwargs: function(*args, **kwargs)


def halves(tally: Tally) -> None:
    for dtype in (torch.bfloat16, torch.float16):
        plain = scene()
        plain = plain.with_model(halved(plain.model, dtype))
        picture = plain.draw()
        for name, effect in SIX.items():
            on, off = effect(plain, True).draw(), effect(plain, False).draw()
            tally.expect(bool(on.isfinite().all()), f"{name} in {dtype}", "the picture is not finite")
            tally.expect(torch.equal(off, picture), f"{name} off in {dtype}", "is not the plain picture")


def masked_prompts(tally: Tally) -> None:
    """Conditionings with masks, and a default one that has what is left: regions in each."""
    g = Graph()
    half = left(16, 16)
    how = dict(mask=g.give(half), strength=1.0, set_cond_area="default")
    masked = g.add("ConditioningSetMask", conditioning=g.positive, **how)
    rest = g.text("a red circle on a beach")
    both = g.add("ConditioningSetDefaultCombine", cond=masked, cond_DEFAULT=rest)
    g.positive = both
    g.sample(g.add("LM_RegionAttention", **_attention(), model=g.model, regions=regions(g, {"mask": Linked(half)})))
    outcome = execute(g.nodes)
    tally.expect(outcome.kind == "ok" and finite(outcome.kept), "default combine of masked prompts", outcome.sentence())


def hires(tally: Tally) -> None:
    """One captured MODEL for two sizes, each read by its own latent."""
    g = Graph()
    made = g.own("LM_AttentionCapture", {}, model=g.model, phrase="red circle")
    small = g.sample(made)
    large = g.sample(made, size=g.add("LatentUpscale", samples=small, **_upscale()), denoise=0.6)
    for name, picture in (("small", small), ("large", large)):
        g.keep(g.own("LM_MaskFromAttentionMaps", {"always_mask": True}, maps=[made[0], 1], latent=picture), name)
    kept = execute(g.nodes).kept
    sizes = {name: tuple(kept[name].shape[1:]) for name in ("small", "large") if name in kept}
    tally.expect(sizes == {"small": (64, 64), "large": (96, 96)}, "hires with one captured model", f"masks {sizes}")


def _upscale() -> dict:
    return dict(upscale_method="bilinear", width=96, height=96, crop="disabled")


def _attention() -> dict:
    how = dict(weight_function="spatial_control", apply_to="positive", std="per row", blocks="")
    return {**how, "start_percent": 0.0, "end_percent": 1.0}


CHECK = Check(
    "What once passed still passes",
    "prompt-control's BREAK, AND, CAT, AVG, CUT; texts in emoji, CJK, Arabic, NBSP, CRLF; an embedding of two vectors; "
    "split, quad, pytorch attention; bf16 and fp16; default combine of masked prompts; hires with one captured MODEL",
    run,
)
