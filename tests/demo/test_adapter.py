"""TinyScenes' IP-Adapter through the real pack, where it is at hand: off at weight 0, the reference's look at 1."""

import pytest
import torch

STEPS = 10


@pytest.fixture(scope="module")
def loaded(comfy):
    from pack.demo.model import load

    return load()


@pytest.fixture(scope="module")
def adapter(comfy):
    from pack.demo.adapter import load

    return load()


@pytest.fixture(scope="module")
def references(comfy):
    from pack.demo.scenes import Scene, Thing

    looks = [("yellow", "night sky"), ("red", "beach"), ("blue", "snow"), ("orange", "water")]
    return [Scene((Thing("square", colour, False, 50, 70, 28),), place, "") for colour, place in looks]


@pytest.fixture
def pack(comfy):
    """The real pack, or a skip where it is not at hand."""
    from pack.tests.tiny_adapter import real_pack

    return real_pack()


def paint(loaded, model, text, seed, steps=STEPS):
    from pack.bench.paint import encode, paint

    _, clip, vae = loaded
    return paint(model, vae, encode(clip, [text]), encode(clip, [""]), [seed], steps=steps)


def test_the_encoder_answers_as_the_host_s_does(adapter, references):
    """From 224 pixels as from 128, and whether the pack asks the network or a node the object."""
    from comfy.clip_vision import clip_preprocess
    from pack.bench.looks import pictures

    _, vision = adapter
    image = pictures(references[:2])
    found = vision.encode_image(image)
    assert found.image_embeds.shape == (2, 192) and found.penultimate_hidden_states.shape == (2, 1, 192)
    assert torch.equal(vision.model(pixel_values=clip_preprocess(image), intermediate_output=-2)[2], found.image_embeds)
    exact = vision.model.embedded(image.movedim(-1, 1) * 2 - 1)
    assert torch.nn.functional.cosine_similarity(found.image_embeds, exact).min() > 0.9


@pytest.mark.usefixtures("pack")
def test_weight_0_is_the_plain_picture(loaded, adapter, references):
    from pack.bench.looks import adapted, pictures

    off = adapted(loaded[0], adapter, pictures(references[:1]), weight=0.0)
    assert torch.equal(paint(loaded, off, "a star", 1, steps=4), paint(loaded, loaded[0], "a star", 1, steps=4))


@pytest.mark.usefixtures("pack")
def test_the_reference_gives_the_look_and_the_prompt_the_shape(loaded, adapter, references):
    from pack.bench.looks import adapted, pictures, taken
    from pack.demo import judge

    reader = judge.load()
    models = [adapted(loaded[0], adapter, pictures([scene])) for scene in references]
    made = [paint(loaded, model, "a circle", seed) for seed, model in enumerate(models)]
    readings = judge.read(reader, torch.cat(made))
    looks = [taken(scene, reading) for scene, reading in zip(references, readings, strict=True)]
    assert sum(look["colour"] for look in looks) >= 3 and sum(look["background"] for look in looks) >= 3
    assert sum(any(t.shape == "circle" for t in reading.things) for reading in readings) >= 3
    free = judge.read(reader, torch.cat([paint(loaded, loaded[0], "a circle", seed) for seed in range(4)]))
    assert sum(all(taken(s, r).values()) for s, r in zip(references, free, strict=True)) <= 1


def test_the_pack_s_own_loader_reads_the_file(adapter, pack):
    from pack.demo.adapter import WEIGHTS

    read = pack.ipadapter_model_loader(str(WEIGHTS))
    assert {part: set(weights) for part, weights in read.items()} == {p: set(w) for p, w in adapter[0].items()}
    assert torch.equal(read["ip_adapter"]["1.to_k_ip.weight"].float(), adapter[0]["ip_adapter"]["1.to_k_ip.weight"])
