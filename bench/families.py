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


GROUPS = {
    "SD1.5, SD2; inpainting, InstructPix2Pix": ("sd1", "sd15", "sd2_v", "sd15_inpaint", "sd15_ip2p"),
    "SDXL; refiner, inpainting": ("sdxl", "sdxl_refiner", "sdxl_inpaint"),
    "SD3, SD3.5": ("sd3", "sd35"),
    "Flux.1 dev, Schnell, Fill, Kontext; LongCat": ("flux", "flux_schnell", "flux_fill", "flux_kontext", "longcat"),
    "Flux.2 dev, Klein, with reference pictures": ("flux2_dev", "flux2_klein", "flux2_refs"),
    "Chroma, Chroma Radiance": ("chroma", "chroma_radiance"),
    "Qwen-Image, Qwen-Image-Edit": ("qwen_image", "qwen_edit"),
    "Z-Image, Omni, in pixels; Lumina 2": ("z_image", "z_image_omni", "z_pixel", "lumina2"),
    "Krea 2, with reference pictures": ("krea2", "krea2_refs"),
    "Anima, Cosmos Predict2": ("anima", "cosmos_predict2", "cosmos_predict2_i2v"),
    "Lens, MageFlow": ("lens", "mage_flow"),
    "HunyuanImage 2.1": ("hunyuan_image21", "hunyuan_image21_byt5"),
    "OmniGen2, Boogu, with reference pictures": ("omnigen2", "omnigen2_refs", "boogu", "boogu_refs"),
    "Ideogram 4, JoyImage, AuraFlow, PixelDiT": ("ideogram4", "joyimage", "aura", "pixeldit"),
    "HiDream-I1": ("hidream",),
    "ERNIE-Image, PixArt, HunyuanDiT": ("ernie", "pixart", "hydit"),
    "Wan 2.1, 2.2; image to video, Fun Control": ("wan", "wan_i2v", "wan_fun", "wan22_5b"),
    "Wan VACE, Camera, HuMo, Animate, S2V, SCAIL": (
        "wan_vace",
        "wan_camera",
        "wan22_camera",
        "wan_humo",
        "wan_animate",
        "wan_s2v",
        "wan_scail",
        "wan_scail2",
    ),
    "Wan Animate 2": ("wan_animate2",),
    "LTXV, LTX-2 with and without sound": ("ltxv", "ltxav", "ltxav_sound"),
    "MiniMax H3, video and sound": ("minimax",),
    "HunyuanVideo, HunyuanVideo 1.5": (
        "hunyuan_video",
        "hunyuan_video_i2v",
        "skyreels_i2v",
        "hunyuan_video15",
        "hunyuan_video15_i2v",
    ),
    "Kandinsky 5, pictures and videos": ("kandinsky5_image", "kandinsky5"),
    "CogVideoX": ("cogvideox", "cogvideox_i2v"),
}
"""What users know them as -> families."""
COLUMNS = {
    "regions": "regions, masks by words",
    "infusion": "image bias",
    "inject": "kept subjects",
    "semantic": "concepts",
    "slerp": "slider",
}
README, MARKS = Path(__file__).absolute().parent.parent / "README.md", ("<!-- models -->", "<!-- /models -->")


def matrix(found: dict[str, dict[str, dict]]) -> str:
    """The table of the README; a group that is not whole on this host is left out."""
    lines = ["| model | " + " | ".join(COLUMNS.values()) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for label, names in GROUPS.items():
        if all(name in found for name in names):
            worked = [all(found[name][effect]["status"] == WORKS for name in names) for effect in COLUMNS]
            lines.append(f"| {label} | " + " | ".join("yes" if works else "no" for works in worked) + " |")
    return "\n".join(lines)


def write(table: str) -> None:
    """Puts it into the README."""
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(MARKS[0])
    README.write_text(f"{before}{MARKS[0]}\n{table}\n{MARKS[1]}{rest.split(MARKS[1])[1]}", encoding="utf-8")


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
    write(matrix(found))


if __name__ == "__main__":
    enter()
    main()
