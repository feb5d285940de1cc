"""The world of TinyScenes: pictures, their ground truth and captions."""

import numpy as np
import pytest
from pack.demo.backdrops import BACKGROUNDS, STYLES
from pack.demo.captions import caption, prompt, vocabulary
from pack.demo.scenes import SHAPES, SIZE, Scene, Thing, random_scene, render

PLAIN = Thing("circle", "red", False, 64, 64, 30)


def test_the_mask_is_the_shape():
    for shape, share in {"circle": np.pi, "square": 1.72**2, "triangle": 1.8}.items():
        picture, masks = render(Scene((Thing(shape, "red", False, 64, 64, 30),), "snow", ""))
        assert picture.shape == (SIZE, SIZE, 3) and masks.shape == (1, SIZE, SIZE)
        assert masks.sum() == pytest.approx(share * 30**2, rel=0.02)


def test_a_ring_and_a_star_are_hollow_and_pointed():
    (ring,), (star,) = (render(Scene((Thing(s, "red", False, 64, 64, 30),), "snow", ""))[1] for s in ("ring", "star"))
    assert ring[64, 64] == 0 and ring[64, 64 + 22] == 1
    assert star[64, 64] == 1 and star[64 + 27, 64] == 0 and star[64 - 27, 64] == 1


def test_the_object_has_its_colour_and_the_rest_is_background():
    picture, masks = render(Scene((PLAIN,), "night sky", ""))
    empty, none = render(Scene((), "night sky", ""))
    assert none.shape == (0, SIZE, SIZE)
    assert np.allclose(picture[64, 64], (0.86, 0.10, 0.12))
    assert np.array_equal(picture[masks[0] == 0], empty[masks[0] == 0])


def test_scenes_are_reproducible_and_differ():
    first, second = (random_scene(np.random.default_rng(i)) for i in (0, 1))
    assert first == random_scene(np.random.default_rng(0)) != second
    assert np.array_equal(render(first)[0], render(first)[0])


@pytest.mark.parametrize("relation", ["left of", "right of", "above", "below"])
def test_relations_hold_and_objects_do_not_touch(relation):
    rng, seen = np.random.default_rng(5), 0
    while seen < 20:
        scene = random_scene(rng, 2)
        if scene.relation == relation:
            a, b = scene.things
            gap = {"left of": b.x - a.x, "right of": a.x - b.x, "above": b.y - a.y, "below": a.y - b.y}[relation]
            assert gap > a.radius + b.radius
            assert render(scene)[1].sum(0).max() <= 1
            seen += 1


def test_every_style_and_background_looks_different():
    looks = [render(Scene((), b, s))[0] for b in BACKGROUNDS for s in STYLES]
    apart = [np.abs(a - b).mean() for i, a in enumerate(looks) for b in looks[:i]]
    assert min(apart) > 0.01


def test_prompts_say_everything():
    things = (Thing("circle", "orange", True, 40, 64, 20), Thing("star", "blue", False, 90, 64, 20))
    scene = Scene(things, "brick wall", "at sunset", "left of")
    assert prompt(scene) == "an orange striped circle left of a blue star in front of a brick wall at sunset"
    assert prompt(Scene((), "beach", "in fog")) == "a beach in fog"


def test_captions_vary_and_stay_in_the_vocabulary():
    rng, known = np.random.default_rng(0), set(vocabulary())
    texts = [caption(random_scene(rng), rng) for _ in range(500)]
    assert all(word in known for text in texts for word in text.replace(",", " ,").split())
    assert len({text.split()[0] for text in texts}) > 3
    assert sum(not any(shape in text for shape in SHAPES) for text in texts) > 20  # places alone
