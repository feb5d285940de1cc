"""Makes the pictures of the help pages, js/docs/<node id>.jpg: `python tools/help_pictures.py [node ids]`.

Most show the node wired as it is used, after a run with TinyScenes, in the host's own frontend (help_graphs.json);
where a result says more, it is that of a template.
"""

import argparse
import json
import tempfile
from pathlib import Path

if __name__ == "__main__":
    import alias  # noqa: F401
from pack.tools.browser import in_frontend, wrong
from pack.tools.host import ROOT
from pack.tools.inside import ended, host_python
from pack.tools.server import named_packs, serve

DOCS = ROOT / "js" / "docs"
GRAPHS = json.loads((ROOT / "tools" / "help_graphs.json").read_text(encoding="utf-8"))  # see `job`
RESULTS = {
    "LM_ClipSlerpAugment": "Slider - style strength",
    "LM_EditConcept": "Concepts - style after a warm-up",
    "LM_InfusionBias": "Bias - one look for a comic",
    "LM_LatentCacheInject": "Keep my subject - new scene",
    "LM_LoadGuidance": "Concepts - replay an edit",
    "LM_MaskFromAttentionMaps": "Mask - while sampling",
    "LM_RegionAttention": "Regions - each phrase in its place",
    "LM_SemanticGuidance": "Concepts - add and remove",
    "LM_SubjectMaskFromAttention": "Mask - a phrase in a picture",
}
WIDTH, HEIGHT, QUALITY = 600, 900, 80  # pixels at most; JPEG quality
PALE, MARGIN = 245, 6  # least grey of a template's margin; pixels that stay of it


def job(page: str) -> dict:
    """What template.mjs takes: the page's own nodes, those of the base that they need, the columns to show."""
    own, api = GRAPHS[page], {}
    wanted = list(own["api"])
    while wanted:
        name = wanted.pop()
        api[name] = (GRAPHS["base"] | own["api"])[name]
        links = [value[0] for value in api[name]["inputs"].values() if isinstance(value, list)]
        wanted += [link for link in links if link not in api]
    return {"name": page, "api": api, "show": own["show"], "run": own["run"]}


def save(picture: object, page: str) -> None:
    """A picture of Pillow's, made small, as the page's."""
    picture = picture.convert("RGB")
    picture.thumbnail((WIDTH, HEIGHT))
    picture.save(DOCS / f"{page}.jpg", quality=QUALITY, optimize=True)


def from_template(page: str) -> None:
    """A template's picture with a narrow margin."""
    from PIL import Image, ImageOps

    whole = Image.open(ROOT / "workflows" / f"{RESULTS[page]}.jpg").convert("RGB")
    tight = whole.crop(whole.convert("L").point(lambda grey: 255 * (grey < PALE)).getbbox())
    save(ImageOps.expand(tight, MARGIN, "white"), page)


def photograph(url: str, pages: list[str]) -> int:
    """Pictures of nodes; the number of failures."""
    from PIL import Image

    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for page, answer in zip(pages, in_frontend(url, list(map(job, pages)), Path(folder)), strict=True):
            for line in wrong(answer):
                print(f"{page}: {line}", flush=True)
            failed += bool(wrong(answer))
            shot = Path(folder) / (f"{page}-after.png" if GRAPHS[page]["run"] else f"{page}.png")
            if not wrong(answer):
                save(Image.open(shot), page)
    return failed


def work(pages: list[str]) -> int:
    for page in pages:
        if page in RESULTS:
            from_template(page)
    nodes = [page for page in pages if page not in RESULTS]
    if not nodes:
        return 0
    with serve(*host_python(), named_packs()) as server:
        return photograph(server.url, nodes)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", help="such as LM_PhraseRegion; none: all")
    options = parser.parse_args()
    return 1 if work(options.pages or [path.stem for path in sorted(DOCS.glob("*.md"))]) else 0


if __name__ == "__main__":
    ended(main)
