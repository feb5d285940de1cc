"""The registry's archive, unpacked: nothing leads out of it, nothing in it is unused."""

import re

from pack.tests.used import IDS, links, read_by, used
from pack.tools import archive
from pack.tools.host import ROOT

FILE = re.compile(r"`([^`\n]+)`")  # in code font
OURS = re.compile(
    r"(attention|bench|demo|js|locales|nodes|patches|pictures|sampling|subgraphs|tests|tools|workflows)/.*"
)


def files(root) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_comfy_cli_can_name_every_file():
    """It reads git's list as it is printed, where a name beyond ASCII is in quotes, and then misses the file."""
    assert [name for name in archive.names() if not name.isascii() or '"' in name or "\\" in name] == []


def test_every_link_and_picture_is_in_it(unpacked):
    pages = [name for name in files(unpacked) if name.endswith(".md")]
    pairs = [(page, link, place) for page in pages for link, place in links(unpacked, page)]
    wrong = [f"{page}: {link}" for page, link, place in pairs if not is_there(unpacked, place)]
    assert pages and wrong == []


def is_there(root, place: str) -> bool:
    return not place.startswith("..") and (root / place).exists()


def test_headings_that_are_linked_to_exist(unpacked):
    wrong = []
    for page in ("README.md", "bench/README.md"):
        for link, place in links(unpacked, page):
            if "#" in link:
                heads = re.findall(r"^#+ (.+)$", (unpacked / place).read_text(encoding="utf-8"), re.M)
                slugs = [re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads]
                wrong += [link] if link.split("#")[1] not in slugs else []
    assert wrong == []


def test_the_readme_names_no_file_that_is_left_out(unpacked):
    named = FILE.findall((unpacked / "README.md").read_text(encoding="utf-8"))
    paths = [name for name in named if OURS.fullmatch(name) or name.endswith((".py", ".md", ".toml", ".txt"))]
    assert paths and [name for name in paths if not (unpacked / name).exists()] == []


def test_no_file_is_unused(unpacked):
    assert files(unpacked) - used(unpacked) == set()


def test_each_node_has_its_page_and_each_template_its_picture(unpacked):
    there = files(unpacked)
    assert {f"js/docs/{name}.md" for name in IDS} <= there
    graphs = {name for name in there if re.fullmatch(r"workflows/[^/]+\.json", name)}
    assert graphs and {name.replace(".json", ".jpg") for name in graphs} <= there


def test_nothing_that_is_used_is_left_out(unpacked):
    """What the code in it imports, and the weights that it names, as far as they are ours."""
    code = [name for name in used(unpacked) if name.endswith((".py", ".js", ".mjs"))]
    wanted = {place for name in code for place in read_by(unpacked, name)}
    assert sorted(place for place in wanted if (ROOT / place).is_file() and not (unpacked / place).is_file()) == []
