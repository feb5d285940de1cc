"""Where regions and capture reach, measured on tiny random models of the host's classes. `python bench/families.py`"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

STRENGTHS = (0.0, 0.25, 0.5, 1.0)
STEPS, PHRASE, ROWS = 4, "red dog", (2, 3)
LABELS = {
    "sd15": ("SD1.5", "cross-attention"),
    "sd2_v": ("SD2 (v-prediction)", "cross-attention"),
    "sdxl": ("SDXL", "cross-attention"),
    "wan": ("Wan 2.1, 2.2", "cross-attention"),
    "flux": ("Flux.1", "text and picture in one sequence"),
    "chroma": ("Chroma", "text and picture in one sequence"),
    "sd3": ("SD3", "text and picture in one sequence"),
    "sd35": ("SD3.5 Medium", "text and picture in one sequence"),
    "qwen_image": ("Qwen-Image", "text and picture in one sequence"),
    "lumina2": ("Lumina 2", "text and picture in one sequence"),
    "z_image": ("Z-Image", "text and picture in one sequence, padded"),
}


def left(height: int, width: int):
    """(1, height, width), the left half."""
    import torch

    mask = torch.zeros(1, height, width)
    mask[..., : width // 2] = 1
    return mask


def placed(model, mask, strength: float):
    from pack.attention.regions import Region
    from pack.patches.regions import RegionSettings, place_regions

    return place_regions(model, (Region(PHRASE, mask, strength, 0.0),), RegionSettings())


def mass(name: str, strength: float) -> tuple[float, float]:
    """Attention to the phrase's tokens from the picture's inside and outside the region: mean over calls and steps."""
    from pack.tests.attending import Mass
    from pack.tests.tiny_models import FAMILIES, sample

    family = FAMILIES[name]
    latent, mask, text = family.latent(1, 18, 16), left(36, 32), family.conditioning()
    view = Mass(name, tuple(latent.shape[2:]), phrase=ROWS, mask=mask)
    sample(placed(view.on(family.model()), mask, strength), latent, text, text, STEPS, 1.0)
    return view.mean


def neutral(name: str) -> dict[str, bool]:
    """Whether strength 0, and capture, leave every bit of a picture as it was."""
    import torch
    from pack.patches.capture import CaptureSettings, capture
    from pack.tests.tiny_models import FAMILIES, sample

    family = FAMILIES[name]
    latent, positive, negative = family.latent(2, 17, 13), family.conditioning(), family.conditioning("blurry")
    plain = sample(family.model(), latent, positive, negative)
    off = sample(placed(family.model(), left(36, 32), 0.0), latent, positive, negative)
    reading, maps = capture(family.model(), CaptureSettings((PHRASE,)))
    read = sample(reading, latent, positive, negative)
    filled = all(layer[:, 0].std() > 0 for layer in maps.runs[0].layers.values())
    return {"regions": torch.equal(off, plain), "capture": torch.equal(read, plain) and filled}


def measure(name: str) -> dict:
    masses = {strength: mass(name, strength) for strength in STRENGTHS}
    inside = [masses[strength][0] for strength in STRENGTHS]
    return {
        "inside": [round(value, 4) for value in inside],
        "outside": [round(masses[strength][1], 4) for strength in STRENGTHS],
        "rises": all(weak < strong for weak, strong in zip(inside, inside[1:], strict=False)),
        **{f"{what}_exact_when_neutral": exact for what, exact in neutral(name).items()},
    }


def row(name: str, found: dict) -> tuple[str, str]:
    label, how = LABELS[name]
    regions = "yes" if found["rises"] and found["regions_exact_when_neutral"] else "NO"
    capture = "yes" if found["capture_exact_when_neutral"] else "NO"
    values = " / ".join(f"{found['inside'][STRENGTHS.index(s)]:.2f}" for s in (0.0, 0.5, 1.0))
    return label, f"{regions:<9}{capture:<9}{how:<42}{values}"


def main() -> None:
    from pack.bench.report import report

    found = {name: measure(name) for name in LABELS}
    rows = [("family", f"{'regions':<9}{'capture':<9}{'how text is reached':<42}mass inside at S 0 / 0.5 / 1")]
    rows += [row(name, values) for name, values in found.items()]
    checks = ("rises", "regions_exact_when_neutral", "capture_exact_when_neutral")
    figures = {"families": len(found)} | {check: sum(values[check] for values in found.values()) for check in checks}
    report("families", rows, figures, {"strengths": STRENGTHS, "steps": STEPS, "masses": found})


if __name__ == "__main__":
    enter()
    main()
