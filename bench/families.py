"""Which effect reaches which family of models: tiny random ones of the host's classes. `python bench/families.py`

Those that can be built are in tests/reach and tests/tiny_models; what the host knows and nobody built is listed.
"""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

WORKS, REFUSED, SILENT, CRASHED = "works", "refused", "silent", "CRASHED"
OTHER = {
    "sound, music": ("StableAudio", "ACEStep", "MiniMaxMusic"),
    "shapes": ("Hunyuan3D", "Trellis", "TripoSplat"),
    "no text": ("SVD", "SV3D", "Zero123", "Stable_Zero123", "SeedVR", "DepthAnything", "RT_DETR", "SAM3", "Upscaler"),
}
"""Beginnings of the host's classes in which no text places a picture."""


def measure(family: object) -> dict[str, dict]:
    """Effect -> its status, with the masses of regions or the reason of a refusal."""
    from pack.bench.family_checks import CHECKS, Silent, Subject

    subject, found = Subject(family), {}
    for name, check in CHECKS.items():
        try:
            found[name] = {"status": WORKS, **(check(subject) or {})}
        except Silent as why:
            found[name] = {"status": SILENT, "why": str(why)}
        except ValueError as why:
            found[name] = {"status": REFUSED, "why": str(why)}
        except Exception as error:  # noqa: BLE001, a crash of one family is a figure, not the end of the bench
            found[name] = {"status": CRASHED, "why": f"{type(error).__name__}: {error}"}
    return found


def unbuilt(families: dict) -> list[str]:
    """Classes of the host in which text places a picture, and of which there is no tiny model."""
    from comfy.supported_models import models

    built = {type(family.model().model.model_config).__name__ for family in families.values()}
    names = [model.__name__ for model in models]
    others = tuple(start for starts in OTHER.values() for start in starts)
    return [name for name in names if name not in built and not name.startswith(others)]


def row(found: dict[str, dict]) -> str:
    statuses = "".join(f"{effect['status']:<10}" for effect in found.values())
    inside = found["regions"].get("inside")
    return statuses + (" / ".join(f"{inside[i]:.2f}" for i in (0, 2, 3)) if inside else "")


def main() -> None:
    from pack.bench.family_checks import CHECKS
    from pack.bench.report import report
    from pack.tests.reach import REACH, known
    from pack.tests.tiny_models import FAMILIES

    families = {**FAMILIES, **{name: REACH[name] for name in known()}}
    found = {name: measure(family) for name, family in families.items()}
    rows = [("family", "".join(f"{name:<10}" for name in CHECKS) + "mass inside at S 0 / 0.5 / 1")]
    rows += [(name, row(values)) for name, values in found.items()]
    every = [effect["status"] for values in found.values() for effect in values.values()]
    figures = {name: sum(values[name]["status"] == WORKS for values in found.values()) for name in CHECKS}
    exact = {f"{name}_exact_when_neutral": figures[name] for name in ("regions", "capture")}
    figures |= {"families": figures["regions"], "rises": figures["regions"], **exact}
    figures |= {"silent": every.count(SILENT), "crashed": every.count(CRASHED), "built": len(found)}
    report("families", rows, figures, {"unbuilt": unbuilt(families), "found": found})


if __name__ == "__main__":
    enter()
    main()
