"""TinyScenes' ControlNet through the host's own objects: off at strength 0, and the picture follows the outline."""

import pytest
import torch

STEPS = 10


@pytest.fixture(scope="module")
def loaded(comfy):
    from pack.demo.model import load

    return load()


@pytest.fixture(scope="module")
def control(comfy):
    from pack.demo.control import load

    return load()


@pytest.fixture(scope="module")
def drawn(comfy):
    from pack.demo.scenes import Scene, Thing

    places = [(34, 36), (92, 40), (40, 90), (90, 92)]
    looks = [("circle", "red"), ("square", "blue"), ("cross", "yellow"), ("star", "pink")]
    things = [Thing(*look, False, *place, 26.0) for look, place in zip(looks, places, strict=True)]
    return [Scene((thing,), "grass", "") for thing in things]


def paint(loaded, texts, seeds, steps=STEPS):
    from pack.bench.paint import paint

    model, _, vae = loaded
    return paint(model, vae, *texts, seeds, steps=steps)


def texts(loaded, prompts):
    from pack.bench.paint import encode

    return encode(loaded[1], prompts), encode(loaded[1], [""])


def test_it_is_made_of_the_host_s_own_classes(control):
    import comfy.cldm.cldm
    import comfy.controlnet

    assert type(control) is comfy.controlnet.ControlNet
    assert type(control.control_model) is comfy.cldm.cldm.ControlNet


def test_strength_0_or_an_empty_window_is_the_plain_picture(loaded, control, drawn):
    from pack.bench.outlines import controlled, hints

    both = texts(loaded, ["a red circle on grass"])
    plain = paint(loaded, both, [1], steps=4)
    assert torch.equal(paint(loaded, controlled(both, control, hints(drawn[:1]), 0.0), [1], steps=4), plain)
    late = controlled(both, control, hints(drawn[:1]), 1.0, (1.0, 1.0))
    assert torch.equal(paint(loaded, late, [1], steps=4), plain)


def test_things_stand_in_their_outlines_with_the_prompt_s_colour(loaded, control, drawn):
    from pack.bench.outlines import coloured, controlled, followed, hints
    from pack.demo import judge
    from pack.demo.captions import prompt

    both = texts(loaded, [prompt(scene) for scene in drawn])
    steered = judge.read(judge.load(), paint(loaded, controlled(both, control, hints(drawn)), [1, 2, 3, 4]))
    free = judge.read(judge.load(), paint(loaded, both, [1, 2, 3, 4]))
    mean = [sum(map(followed, drawn, found)) / len(drawn) for found in (steered, free)]
    assert mean[0] > 0.7 and mean[1] < 0.4
    assert sum(map(all, map(coloured, drawn, steered))) >= 3


def test_two_at_once_draw_two_things(loaded, control, drawn):
    from pack.bench.outlines import controlled, hints, there
    from pack.demo import judge

    both = texts(loaded, ["a red circle and a pink star on grass"])
    for scene in (drawn[0], drawn[3]):
        both = controlled(both, control, hints([scene]))
    (reading,) = judge.read(judge.load(), paint(loaded, both, [5]))
    cells = there(reading)
    assert all(cells[int(s.things[0].y) // 8, int(s.things[0].x) // 8] for s in (drawn[0], drawn[3]))
