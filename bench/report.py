"""How every bench ends: a table, one line of JSON, and the same JSON in bench/results/."""

from __future__ import annotations

import json
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def report(name: str, rows: list[tuple[str, str]], figures: dict, about: dict, keep: bool = True) -> None:
    """rows: label and value for the table; figures: the keys that count; about: sizes, seeds, versions, device.

    keep: whether to write the file.
    """
    import torch
    from comfyui_version import __version__

    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        print(f"{label:<{width}}  {value}")
    whole = {**figures, **about, "host": __version__, "torch": torch.__version__, "device": device()}
    line = json.dumps(whole)
    print(line)
    if not keep:
        return
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(line + "\n", encoding="utf-8")


def device() -> str:
    """The card's name, or the CPU's threads."""
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else f"cpu, {torch.get_num_threads()} threads"
