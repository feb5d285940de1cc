"""Help pages, js/docs/<id>.md and their Chinese twins js/docs/<id>/zh.md: a picture in each, the same parts in both."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "js" / "docs"
PAGES = sorted(path.stem for path in DOCS.glob("*.md"))
LINK = re.compile(r"(!?)\[[^\]]*\]\(([^)\s]+)\)")
CELL, WORD = re.compile(r"(?<!\\)\|"), re.compile(r"`[^`\n]+`")
LARGEST = 60_000  # bytes of a picture


def page(name: str) -> Path:
    return DOCS / f"{name}.md"


def twin(name: str) -> Path:
    return DOCS / name / "zh.md"


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def pictures(path: Path) -> list[Path]:
    """The frontend looks for them in the folder of the English pages, whichever page it shows."""
    return [DOCS / link for mark, link in LINK.findall(read(path)) if mark]


def parts(path: Path) -> dict[str, list[str] | int]:
    """What a translation keeps: headings, rows (cells, code in the first), points, code, numbers, links."""
    text = read(path)
    lines = re.sub(r"^```.*?^```", "```", text, flags=re.S | re.M).split("\n")
    rows = [line for line in lines if line.startswith("|")]
    return {
        "headings": [line.split(" ")[0] for line in lines if re.match(r"#+ ", line)],
        "rows": [(len(CELL.findall(row)), *WORD.findall(row.split("|")[1])) for row in rows],
        "words": sorted(WORD.findall("\n".join(lines))),
        "numbers": sorted(re.findall(r"\d+(?:\.\d+)?", text)),
        "points": sum(bool(re.match(r"\s*(\*|\d+\.) ", line)) for line in lines),
        "code": re.findall(r"^```.*?^```", text, flags=re.S | re.M),
        "links": sorted(re.sub(r"^\.\./(\w+)/zh\.md$", r"\1.md", link) for _, link in LINK.findall(text)),
    }


@pytest.mark.parametrize("name", PAGES)
def test_a_small_picture_is_in_every_page(name):
    for path in (page(name), twin(name)):
        assert pictures(path) == [DOCS / f"{name}.jpg"]
        assert pictures(path)[0].stat().st_size <= LARGEST


def test_no_picture_or_translation_is_left_over():
    assert sorted(path.stem for path in DOCS.glob("*.jpg")) == PAGES
    assert sorted(path.parent.name for path in DOCS.glob("*/*.md")) == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_chinese_page_has_the_parts_of_the_english_one(name):
    assert parts(twin(name)) == parts(page(name))


@pytest.mark.parametrize("name", PAGES)
def test_chinese_pages_name_inputs_as_the_node_shows_them(name):
    texts = json.loads(read(ROOT / "locales" / "zh" / "nodeDefs.json"))[name]
    assert read(twin(name)).startswith(f"# {texts['display_name']}\n")
    section = re.search(r"^## 输入\n(.*?)(?=^## |\Z)", read(twin(name)), re.S | re.M)
    cells = [line.split("|")[1] for line in (section[1] if section else "").split("\n") if line.startswith("| `")]
    for given, text in texts.get("inputs", {}).items():
        assert all(f"`{given}` {text['name']}" in cell for cell in cells if f"`{given}`" in cell), given
