"""LatentCacheInject's mask from a phrase: the attention of the steps just done, read again by code of another kind."""

from dataclasses import replace

import pytest
import torch
from pack.tests.patches.injecting import SD1, Watch, cached, half, inject, paint, picture
from pack.tests.patches.seeing import ROWS, Reader
from pack.tests.tiny_models import FAMILIES, sample

PHRASE = "red dog"
OPTIONS = {"steps": 4, "scheduler": "simple"}  # at percents 0, 0.25, 0.5, 0.75


def how():
    """The upper third of a map: what random weights look at is nearly flat."""
    from pack.attention.readout import ReadOut
    from pack.attention.threshold import Threshold

    return ReadOut(Threshold("quantile", 0.67), always=True)


def explicit(reader: Reader, size: tuple[int, int]) -> torch.Tensor:
    """(B, h, w): the phrase's mask of what a reader saw."""
    from pack.attention.captured import Captured
    from pack.attention.readout import read_out

    layers = {block: reader.mean(block, PHRASE)[:, None] for block in reader.blocks()}
    some = next(iter(layers.values()))
    captured = Captured((PHRASE,), {PHRASE: ()}, layers, None, (0, 0), torch.zeros(some.shape[0], 4, *size))
    return read_out(captured, (PHRASE,), size, how()).mask


def test_the_mask_is_what_the_steps_since_the_last_injection_looked_at(comfy):
    latent, size = picture(batch=2, height=12, width=16), (12, 16)
    sampling, watch = SD1.model().get_model_object("model_sampling"), Watch()
    edges = [float(sampling.percent_to_sigma(percent)) for percent in (0.6, 0.4)]
    text = SD1.conditioning()[0][0]
    readers = [Reader(text, ROWS, (edges[1], 1e9)), Reader(text, ROWS, (edges[0], edges[1]))]
    model = watch.on(SD1.model())
    patched, maps = inject(model, latent, start=0.5, end=0.75, count=2, phrase=PHRASE, read=how())
    seen = [paint(reader.on(patched), latent=SD1.latent(2, *size), **OPTIONS) for reader in readers]
    assert torch.equal(*seen) and len(maps.runs) == 2
    masks = maps.runs[0].masks.unflatten(0, (2, 2))  # steps 0 and 1, then step 2
    for mask, reader in zip(masks, readers, strict=True):
        assert torch.equal(mask, explicit(reader, size)) and 0 < mask.mean() < 1
    assert not torch.equal(masks[0], masks[1]) and not torch.equal(masks[0, 0], masks[0, 1])
    for place, mask in ((2, masks[0]), (3, masks[1])):
        sigma, x = watch.seen[place]
        inside = mask[:, None].expand_as(x) == 1
        assert torch.equal(x[inside], cached(SD1.model(), latent, sigma)[inside])


def test_a_refined_mask_is_that_of_a_capture_of_the_same_steps(comfy):
    from pack.attention.readout import read_out
    from pack.patches.run.window import Window
    from pack.tests.patches.seeing import capture

    latent, size, refined = picture(batch=2, height=12, width=16), (12, 16), replace(how(), refine=1)
    watched, seen = capture(SD1.model(), PHRASE, self_attention=True, window=Window(0.0, 0.4))  # steps 0 and 1
    patched, maps = inject(watched, latent, start=0.5, end=0.5, count=1, phrase=PHRASE, read=refined)
    paint(patched, latent=SD1.latent(2, *size), **OPTIONS)
    masks = read_out(seen.runs[0], (PHRASE,), size, refined).mask
    assert torch.equal(maps.runs[0].masks, masks) and 0 < masks.mean() < 1
    assert not torch.equal(masks, read_out(seen.runs[0], (PHRASE,), size, how()).mask)


def test_the_first_injection_comes_after_one_step(comfy):
    latent, watch = picture(height=8, width=8), Watch()
    patched, maps = inject(watch.on(SD1.model()), latent, count=16, phrase=PHRASE, read=how())
    plain = Watch()
    paint(patched, **OPTIONS)
    paint(plain.on(SD1.model()), **OPTIONS)
    assert len(maps.runs[0].masks) == 3
    assert torch.equal(watch.seen[0][1], plain.seen[0][1]) and not torch.equal(watch.seen[1][1], plain.seen[1][1])
    single, none = inject(SD1.model(), latent, phrase=PHRASE, read=how())
    assert torch.equal(paint(single, steps=1), paint(SD1.model(), steps=1))
    assert not none.runs[0].masks.any()


def test_nothing_is_read_after_the_last_injection(comfy, monkeypatch):
    from pack.patches import capture

    seen, plain = [], capture.probabilities
    monkeypatch.setattr(capture, "probabilities", lambda *args: (seen.append(len(watch.seen)), plain(*args))[1])
    watch = Watch()
    patched, _ = inject(watch.on(SD1.model()), picture(height=8, width=8), start=0.25, end=0.5, count=2, phrase=PHRASE)
    paint(patched, **OPTIONS)
    assert set(seen) == {1, 2} and len(watch.seen) == 4


def test_beside_a_capture_of_its_own_and_a_second_one(comfy):
    from pack.tests.patches.seeing import capture

    latent = picture(height=8, width=8)
    alone, single = inject(SD1.model(), latent, count=2, end=0.6, phrase=PHRASE, read=how())
    out = paint(alone, **OPTIONS)
    for watched_first in (True, False):
        model, seen = capture(SD1.model(), "cat") if watched_first else (SD1.model(), None)
        patched, maps = inject(model, latent, count=2, end=0.6, phrase=PHRASE, read=how())
        patched, seen = (patched, seen) if watched_first else capture(patched, "cat")
        assert torch.equal(paint(patched, **OPTIONS), out)
        assert torch.equal(maps.runs[0].masks, single.runs[0].masks) and seen.runs[0].phrases == ("cat",)
    both, more = inject(alone, latent.flip(1), count=2, end=0.6, phrase="cat", read=how())
    assert paint(both, **OPTIONS).isfinite().all() and len(more.runs[0].masks) == len(single.runs[-1].masks) == 2


def test_a_mask_goes_before_the_phrase(comfy):
    latent, mask = picture(height=8, width=8), half()
    both, maps = inject(SD1.model(), latent, mask, phrase="zebra")
    assert torch.equal(paint(both, **OPTIONS), paint(inject(SD1.model(), latent, mask)[0], **OPTIONS))
    assert maps.runs[0].masks.mean() == 0.5


@pytest.mark.parametrize(
    ("phrase", "tracked", "message"), [("zebra", True, "'zebra' is not in"), ("cat", False, "Track Phrases")]
)
def test_what_the_prompt_does_not_hold_is_told_before_the_first_step(comfy, phrase, tracked, message):
    watch = Watch()
    patched, maps = inject(watch.on(SD1.model()), picture(height=8, width=8), phrase=phrase)
    positive = SD1.conditioning() if tracked else [[SD1.conditioning()[0][0], {}]]
    with pytest.raises(ValueError, match=message) as error:
        sample(patched, SD1.latent(1, 8, 8), positive, SD1.conditioning(""))
    assert "\n" not in str(error.value) and watch.seen == [] and maps.runs == []


def test_a_model_whose_attention_is_out_of_reach(comfy):
    model, latent = SD1.model().clone(), picture(height=8, width=8)
    model.add_object_patch("diffusion_model", torch.nn.Linear(1, 1))
    with pytest.raises(ValueError, match="cannot be reached in a model of the kind Linear: it is not known"):
        inject(model, latent, phrase="cat")
    inject(model, latent)
    inject(model, latent, half(), phrase="cat")


@pytest.mark.parametrize("name", ["sdxl", "flux", "wan"])
def test_other_families(comfy, name):
    family = FAMILIES[name]
    latent = picture(family, 2, height=8, width=12)
    patched, maps = inject(family.model(), latent, count=2, phrase=PHRASE, read=how())
    out = paint(patched, family, family.latent(2, 8, 12), steps=3)
    assert out.isfinite().all() and maps.runs[0].masks.shape == (4, 8, 12)
    assert 0 < maps.runs[0].masks.mean() < 1
