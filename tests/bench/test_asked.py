"""What the regions bench asks for, and how it counts what became of it."""

import numpy as np
import pytest


@pytest.fixture
def asked(comfy):
    from pack.bench import asked

    return asked


@pytest.fixture
def placing(comfy):
    from pack.bench import placing

    return placing


@pytest.mark.parametrize(("kind", "things"), [("two", 2), ("alike", 2), ("three", 3)])
def test_objects_differ_as_their_kind_says_and_each_has_a_region_of_its_own(asked, kind, things):
    for task in asked.tasks(80_000, 12, kind):
        shapes, colours = ({getattr(thing, name) for thing in task.scene.things} for name in ("shape", "colour"))
        assert len(task.scene.things) == len(set(task.boxes)) == len(colours) == things
        assert len(shapes) == (1 if kind == "alike" else things) and task.scene.relation == "and"


def test_kinds_of_regions_take_turns_and_tasks_are_the_same_however_many(asked):
    kinds = [task.kind for task in asked.tasks(80_000, 6)]
    assert kinds == ["halves", "thirds", "corners"] * 2
    assert asked.tasks(80_000, 6)[:3] == asked.tasks(80_000, 3)


LEFT, RIGHT = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)


def found(shape, colour, left, right):
    from pack.demo.judge import Found

    cells = np.zeros((16, 16), bool)
    cells[4:8, left:right] = True
    return Found(shape, colour, False, cells)


@pytest.mark.parametrize(
    ("things", "red", "blue"),
    [
        ([("circle", "red", 2, 6), ("circle", "blue", 10, 14)], "placed", "placed"),
        ([("circle", "red", 6, 10), ("circle", "blue", 2, 6)], "elsewhere", "elsewhere"),
        ([("circle", "red", 2, 6), ("circle", "red", 10, 14)], "double", "mixed"),
        ([("circle", "red", 2, 6)], "placed", "missing"),
        ([("circle", "red", 2, 6), ("star", "blue", 10, 14)], "placed", "mixed"),
        ([], "missing", "missing"),
    ],
)
def test_an_object_of_the_same_shape_is_mixed_up_only_where_the_other_one_was_asked_for(placing, things, red, blue):
    from pack.demo.judge import Reading
    from pack.demo.scenes import Scene, Thing

    reading = Reading("grass", "", tuple(found(*thing) for thing in things), {}, {})
    scene = Scene((Thing("circle", "red", False, 0, 0, 1), Thing("circle", "blue", False, 0, 0, 1)), "grass", "")
    verdicts = [placing.verdict(t, b, reading, scene) for t, b in zip(scene.things, (LEFT, RIGHT), strict=True)]
    assert verdicts == [red, blue]


@pytest.mark.parametrize(
    ("verdicts", "things", "complete"),
    [
        (("elsewhere", "placed"), 2, True),
        (("elsewhere", "elsewhere"), 3, False),
        (("double", "missing"), 2, False),
        (("elsewhere", "mixed"), 2, False),
    ],
)
def test_a_picture_is_complete_with_just_the_things_asked_for_wherever_they_are(
    asked, placing, verdicts, things, complete
):
    (task,) = asked.tasks(80_000, 1)
    assert placing.Outcome(task, None, verdicts, things, True, True).complete is complete


def test_without_a_place_what_looks_like_another_thing_is_missing_and_not_mixed(asked, placing):
    from pack.bench.follow import anywhere
    from pack.demo.judge import Reading
    from pack.demo.scenes import Scene, Thing

    scene = Scene((Thing("circle", "red", False, 0, 0, 1), Thing("circle", "blue", False, 0, 0, 1)), "grass", "")
    task = anywhere(asked.Task(scene, "halves", (LEFT, RIGHT)))
    reading = Reading("grass", "", (found("circle", "red", 2, 6),), {}, {})
    pairs = zip(scene.things, task.boxes, strict=True)
    assert [placing.verdict(thing, box, reading, scene) for thing, box in pairs] == ["elsewhere", "missing"]
