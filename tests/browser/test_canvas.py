"""The Region Canvas in the real frontend, in both of its renderers: one browser for each."""

import json
import subprocess
from pathlib import Path

import pytest
from pack.tools.browser import find_chromium, playwright, program
from pack.tools.host import SetupError

SCRIPT = Path(__file__).with_name("canvas.mjs")


@pytest.fixture(scope="module", params=[False, True], ids=["classic", "nodes 2.0"])
def found(server, request) -> dict:
    """What came out of each check."""
    try:
        job = {"url": server.url, "chromium": find_chromium(), "modules": str(playwright()), "vue": request.param}
        command = [program("node"), str(SCRIPT)]
    except SetupError as error:
        pytest.skip(str(error))
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, encoding="utf-8", timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def near(*shapes):
    return [pytest.approx(shape, abs=0.006) for shape in shapes]


def test_boxes_lie_where_they_were_drawn_at_any_zoom(found):
    for drawn in found["zooms"]:
        assert drawn == near([0.1, 0.2, 0.3, 0.4], [0.7, 0.5, 0.3, 0.3])


def test_words_are_picked_or_typed_and_reach_the_file_and_the_server(found):
    words = found["words"]
    assert words["said"] == ["red dog", "my own words"] and "stands in no prompt here" in words["told"]
    assert words["same"]
    drawing, width, height = words["saved"]
    assert isinstance(drawing, str) and len(json.loads(drawing)["regions"]) == 2 and (width, height) == (1024, 1024)


def test_each_box_is_one_step_to_undo_and_to_redo_and_drawing_goes_on(found):
    *counts, last = found["undo"]
    assert counts == [3, 2, 1, 0, 1, 2, 3, 3] and [last] == near([0.65, 0.7, 0.25, 0.25])


def test_keys_draw_move_resize_copy_delete_and_each_is_a_step(found):
    keys = found["keys"]
    assert keys["drawn"] == near([0.34, 0.35, 0.31, 0.3], [0.38, 0.39, 0.31, 0.3])
    assert keys["removed"] == 0  # Del is the region's, not the node's
    assert keys["undone"] == near([0.34, 0.35, 0.3, 0.3])


def test_handles_moves_lasso_brush_and_eraser(found):
    none, (box, lasso, strokes) = found["edit"]["none"], found["edit"]["drawn"]
    assert none and [box] == near([0.1, 0.1, 0.6, 0.7])
    assert lasso == near([0.8, 0.1], [0.95, 0.1], [0.95, 0.4], [0.8, 0.4])
    assert [stroke.get("erase", False) for stroke in strokes] == [False, True]


def test_regions_can_be_pasted_as_text(found):
    dog, sky = found["text"]
    own = dict(phrase="red dog", strength=0.7, outside=0.1, focus=1, colour="#112233", box=[0.1, 0.2, 0.3, 0.4])
    assert dog == own
    assert (sky["phrase"], sky["box"]) == ("sky", [0.25, 0.25, 0.5, 0.5])


def test_a_pasted_node_draws_for_itself(found):
    assert sorted(found["pasted"]) == [1, 2]


def test_the_drawing_outlives_a_file_a_reload_and_another_tab(found):
    assert found["saved"] == {"loaded": True, "reloaded": True, "after": 2}
    assert found["tabs"] == {"away": 0, "back": True}


def test_the_renderer_can_be_switched_while_drawing(found):
    assert found["renderer"] == near([0.1, 0.1, 0.2, 0.5], [0.4, 0.1, 0.2, 0.5], [0.7, 0.1, 0.2, 0.5])


def test_the_drawing_stays_in_a_subgraph(found):
    assert found["subgraph"] == {"inside": True, "loaded": True}


def test_wheel_and_middle_button_move_the_graph(found):
    assert found["navigate"] == {"pan": near(40, 30), "zoom": pytest.approx(1.1, abs=0.01), "drawn": 0}


def test_the_picture_of_a_loader_lies_under_the_regions_and_gives_their_shape(found):
    assert found["picture"] == {"red": True, "ratio": pytest.approx(2, abs=0.02)}


def test_nothing_went_wrong_in_the_page(found):
    assert found["errors"] == []
