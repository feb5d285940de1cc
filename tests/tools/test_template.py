"""What is compared, and how the files read; the frontend itself is in tests/live/test_templates.py."""

import json
import subprocess

import pytest
from pack.tools import browser, template
from pack.tools.host import SetupError

GRAPH = {
    "10": {
        "class_type": "SaveImage",
        "inputs": {"images": ["2", 0], "filename_prefix": "x"},
        "_meta": {"title": "S"},
    },
    "2": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8}},
}


def changed(node: str, **inputs: object) -> dict:
    graph = json.loads(json.dumps(GRAPH))
    graph[node]["inputs"].update(inputs)
    return graph


def test_equal_graphs_do_not_differ_and_titles_do_not_count():
    assert template.differences(GRAPH, GRAPH) == []
    assert template.differences(GRAPH, template.plain(GRAPH)) == []
    assert template.differences(GRAPH, changed("2", width=8.0)) == []  # the frontend writes 8.0 as 8


@pytest.mark.parametrize(
    ("got", "line"),
    [
        (changed("2", width=9), "node 2 (EmptyImage), input 'width': 8 became 9"),
        (changed("10", images=["2", 1]), 'node 10 (SaveImage), input \'images\': ["2", 0] became ["2", 1]'),
        (changed("2", color=3), "node 2 (EmptyImage), input 'color': nothing became 3"),
        ({"10": GRAPH["10"]}, "node 2: only in one of the two"),
        ({**GRAPH, "2": {"inputs": GRAPH["2"]["inputs"]}}, "node 2: EmptyImage became nothing"),
    ],
)
def test_a_difference_is_a_line(got, line):
    assert template.differences(GRAPH, got) == [line]


def test_inputs_left_out_may_be_filled_in_but_not_changed_or_lost():
    assert template.differences(GRAPH, changed("2", color=3), extra=True) == []
    assert template.differences(GRAPH, changed("2", width=9, color=3), extra=True) != []
    assert template.differences(changed("2", color=3), GRAPH, extra=True) != []


def test_a_twin_is_in_the_order_of_its_ids_without_titles():
    twin = template.plain(GRAPH)
    assert list(twin) == ["2", "10"] and "_meta" not in twin["10"]


@pytest.mark.parametrize("value", [GRAPH, {}, [], {"a": [{"b": "é\n"}] * 9}, [1.5, None, True, "x" * 200]])
def test_what_is_written_is_the_same_json(value):
    text = template.pretty(value)
    assert json.loads(text) == value
    assert all(len(line) <= template.LINE or "x" * 200 in line for line in text.splitlines())


def test_short_things_stay_in_a_line():
    assert '    "inputs": {"width": 8, "height": 8}' in template.pretty(template.plain(GRAPH)).splitlines()


def test_a_missing_program_is_named():
    with pytest.raises(SetupError, match="There is no no-such-browser here"):
        browser.program("no-such-browser")


def test_a_wrong_chromium_path_is_not_replaced(monkeypatch):
    monkeypatch.setenv("CHROMIUM_PATH", "/no/such/chromium")
    with pytest.raises(SetupError, match="/no/such/chromium"):
        browser.find_chromium()


def test_playwright_is_fetched_once(tmp_path, monkeypatch, capsys):
    calls = []

    def npm(command, **_):
        calls.append(command)
        package = tmp_path / "node" / "node_modules" / "playwright-core" / "package.json"
        package.parent.mkdir(parents=True)
        package.write_text("{}")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(browser, "LOCAL", tmp_path)
    monkeypatch.setattr(browser, "program", lambda *names: names[0])
    monkeypatch.setattr(subprocess, "run", npm)
    assert browser.playwright() == browser.playwright() == tmp_path / "node"
    assert len(calls) == 1 and browser.PLAYWRIGHT in calls[0]
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_failed_fetch_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(browser, "LOCAL", tmp_path)
    monkeypatch.setattr(browser, "program", lambda *names: names[0])
    failed = subprocess.CompletedProcess([], 1, "", "npm error code EAI_AGAIN\nnpm error network\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(SetupError, match="could not fetch playwright-core.*EAI_AGAIN") as error:
        browser.playwright()
    assert "\n" not in str(error.value)
