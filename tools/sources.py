"""Where what a template needs comes from, written into its nodes as the host's own templates say it.

The frontend then offers the missing files for download, and a manager of packs finds the missing pack.
"""

from .server import NAME

ADDRESS = "https://huggingface.co/{}/resolve/main/{}"
FILES = {  # file -> its folder in models/, and the repository that holds it
    "v1-5-pruned-emaonly-fp16.safetensors": ("checkpoints", "Comfy-Org/stable-diffusion-v1-5-archive"),
    "sd_xl_base_1.0.safetensors": ("checkpoints", "stabilityai/stable-diffusion-xl-base-1.0"),
    "control_v11p_sd15_canny_fp16.safetensors": ("controlnet", "comfyanonymous/ControlNet-v1-1_fp16_safetensors"),
}
PACKS = {"LM_": NAME, "IPAdapter": "comfyui_ipadapter_plus"}  # how the names of a pack's nodes begin -> its own


def with_sources(ui: dict) -> dict:
    """The same UI graph, with `models` and `cnr_id` in the properties of the nodes that have such a source."""
    for graph in [ui, *ui.get("definitions", {}).get("subgraphs", [])]:
        for node in graph["nodes"]:
            node["properties"] |= properties(node)
    return ui


def properties(node: dict) -> dict:
    """{"cnr_id": a pack's name, "models": [{name, url, directory}]}, each only where there is one."""
    packs = [pack for start, pack in PACKS.items() if node["type"].startswith(start)]
    files = [value for value in node.get("widgets_values", []) if isinstance(value, str) and value in FILES]
    models = [model(file) for file in files]
    return {**({"cnr_id": packs[0]} if packs else {}), **({"models": models} if models else {})}


def model(file: str) -> dict:
    folder, repository = FILES[file]
    return {"name": file, "url": ADDRESS.format(repository, file), "directory": folder}
