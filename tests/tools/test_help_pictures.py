"""What the pictures of the help pages are made from."""

from pack.tools import help_pictures
from pack.tools.host import ROOT

PAGES = {path.stem for path in (ROOT / "js" / "docs").glob("*.md")}
GRAPHS = set(help_pictures.GRAPHS) - {"base"}


def test_each_page_has_one_source():
    assert GRAPHS | set(help_pictures.RESULTS) == PAGES
    assert not GRAPHS & set(help_pictures.RESULTS)


def test_the_templates_shown_exist():
    assert all((ROOT / "workflows" / f"{name}.jpg").is_file() for name in help_pictures.RESULTS.values())


def test_a_graph_is_whole_and_shows_the_node_of_its_page():
    for page in GRAPHS:
        made = help_pictures.job(page)
        links = [value for node in made["api"].values() for value in node["inputs"].values() if isinstance(value, list)]
        assert {name for name, _ in links} <= set(made["api"]), page
        shown = [made["api"][name]["class_type"] for _, *names in made["show"] for name in names]
        assert page in shown, page
