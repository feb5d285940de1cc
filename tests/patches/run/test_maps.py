"""The handle of AttentionCapture: one entry per finished run, the reader's choice among them, and what is refused."""

import pytest
import torch
from pack.tests.patches.seeing import capture
from pack.tests.tiny_models import FAMILIES, sample

FAMILY = FAMILIES["sd1"]


def run(model, latent, positive=None, **options):
    positive = FAMILY.conditioning() if positive is None else positive
    return sample(model, latent, positive, FAMILY.conditioning("blurry"), **options)


def finished(*fills, size=(4, 4)):
    """A handle with a run per number, whose latent is filled with it."""
    from pack.patches.run.maps import Maps

    maps = Maps()
    for fill in fills:
        maps.add(record(float(fill), size))
    return maps


def record(fill, size=(4, 4), megabytes=0):
    from pack.attention.captured import Captured

    layers = {"in.1": torch.zeros(1, megabytes, 512, 512)}
    return Captured(("cat",), {"cat": ()}, layers, None, (0, 0), torch.full((1, 4, *size), fill))


def test_the_run_that_made_the_latent_in_any_precision(comfy):
    maps = finished(1, 2.1, 3)
    for dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16):
        assert maps.fit(maps.runs[1].samples.to(dtype)) is maps.runs[1]
    again = record(1.0)
    maps.add(again)
    assert maps.fit(torch.full((1, 4, 4, 4), 1.0)) is again


def test_a_latent_that_no_run_made_is_told(comfy):
    maps = finished(1, 2)
    with pytest.raises(
        ValueError, match="was not made by a run of the Attention Capture model: it was changed since"
    ) as e:
        maps.fit(torch.full((1, 4, 4, 4), 9.0))
    assert "\n" not in str(e.value) and "made room" not in str(e.value)


def test_a_sweep_keeps_all_its_runs_and_older_ones_are_told(comfy):
    maps = finished(*range(300))
    assert [float(one.samples.mean()) for one in maps.runs] == list(range(44, 300))
    with pytest.raises(ValueError, match=r"one of the first 44, which made room \(256 runs and 256 MB are kept"):
        maps.fit(torch.full((1, 4, 4, 4), 9.0))


def test_large_records_make_room_but_for_the_last(comfy):
    from pack.patches.run.maps import Maps

    maps = Maps()
    for fill, megabytes in ((1.0, 100), (2.0, 100), (3.0, 50), (4.0, 90)):
        maps.add(record(fill, megabytes=megabytes))
    assert [float(one.samples.mean()) for one in maps.runs] == [2.0, 3.0, 4.0]
    maps.add(record(5.0, megabytes=300))
    assert [float(one.samples.mean()) for one in maps.runs] == [5.0]


@pytest.mark.parametrize("rows", [[1], [2, 0], [0, 0, 1, 2]])
def test_pictures_of_a_batch_are_found_alone(comfy, rows):
    """As Latent From Batch, Repeat Latent Batch and the like pass them on."""
    from pack.attention.captured import Captured
    from pack.patches.run.maps import Cuts, Edits, Maps

    samples, masks = torch.rand(3, 4, 4, 4), torch.rand(2, 3, 4, 4)
    edits, shares, selves = torch.rand(5, 3, 4, 4, 4), torch.rand(3, 2, 4, 4), torch.rand(3, 16, 16)
    maps = {kind: Maps() for kind in (Captured, Cuts, Edits)}
    maps[Captured].add(Captured(("cat",), {"cat": ()}, {"in.1": shares}, selves, (4, 4), samples))
    maps[Cuts].add(Cuts(masks.flatten(0, 1), samples, 8))
    maps[Edits].add(Edits(("a", "b"), shares, tuple(range(5)), edits, samples, 8))
    seen, cut, edited = (handle.fit(samples[rows], kind) for kind, handle in maps.items())
    assert all(torch.equal(one.samples, samples[rows]) for one in (seen, cut, edited))
    assert torch.equal(seen.layers["in.1"], shares[rows]) and torch.equal(seen.self_attention, selves[rows])
    assert torch.equal(cut.masks, masks[:, rows].flatten(0, 1))
    assert torch.equal(edited.maps, shares[rows]) and torch.equal(edited.edits, edits[:, rows])
    with pytest.raises(ValueError, match="not made by a run of the Latent Cache Inject model"):
        maps[Cuts].fit(torch.cat([samples[:2], samples[:1] + 1]), Cuts)


def test_no_run_and_no_run_of_the_size_are_told(comfy):
    with pytest.raises(ValueError, match="has no maps yet; connect its MODEL to the sampler"):
        finished().fit(torch.zeros(1, 4, 4, 4))
    maps = finished(1, 2)
    with pytest.raises(ValueError, match=r"size \[2, 4, 4, 4\]; those captured are \[1, 4, 4, 4\]: connect the LATENT"):
        maps.fit(torch.zeros(2, 4, 4, 4))


def test_base_and_hires_run_on_one_model(comfy):
    patched, maps = capture(FAMILY.model(), "cat")
    base = run(patched, FAMILY.latent(1, 8, 10))
    hires = run(patched, FAMILY.latent(1, 13, 16), steps=1)
    again = run(patched, FAMILY.latent(1, 8, 10), steps=3)
    assert [tuple(one.samples.shape[2:]) for one in maps.runs] == [(8, 10), (13, 16), (8, 10)]
    assert [maps.fit(out) for out in (base, hires, again)] == maps.runs
    assert maps.runs[1].layers["in.1"].shape[2:] == (13, 16)
    with pytest.raises(ValueError, match="changed since"):
        maps.fit(base + 1)


def test_a_clone_in_another_branch_writes_to_the_same_handle(comfy):
    from pack.tests import tiny_control

    patched, maps = capture(FAMILY.model(), "cat")
    run(patched, FAMILY.latent(1, 8, 8))
    changed = run(tiny_control.with_lora(patched), FAMILY.latent(1, 8, 8))
    assert len(maps.runs) == 2 and torch.equal(maps.fit(changed).samples, changed)


def test_a_stopped_run_leaves_nothing(comfy):
    from comfy.model_management import InterruptProcessingException

    def stop(step, denoised, x, steps):
        raise InterruptProcessingException

    patched, maps = capture(FAMILY.model(), "cat")
    with pytest.raises(InterruptProcessingException):
        run(patched, FAMILY.latent(1, 8, 8), callback=stop)
    assert maps.runs == []
    run(patched, FAMILY.latent(1, 8, 8))
    assert len(maps.runs) == 1


def test_what_cannot_be_placed_is_refused_at_once(comfy):
    with pytest.raises(ValueError, match="no phrase to look for; type words"):
        capture(FAMILY.model())
    with pytest.raises(ValueError, match=r"Block 'in\.77' is not in this model; it has in\.1, .*mid\.0"):
        capture(FAMILY.model(), "cat", blocks="in.77")


def untracked():
    (text, _), *_ = FAMILY.conditioning()
    return [[text, {}]]


@pytest.mark.parametrize(
    ("phrase", "positive", "message"),
    [
        ("zebra", None, "'zebra' is not in the prompt; use its words in their order: a, red, dog, and, a, blue, cat"),
        ("cat", untracked, "Track Phrases"),
        ("(:1.2)", None, "The phrase '.*' is not in the prompt|The phrase is empty"),
    ],
)
def test_what_the_prompt_does_not_hold_is_refused_before_the_first_step(comfy, phrase, positive, message):
    patched, maps = capture(FAMILY.model(), "red dog", phrase)
    with pytest.raises(ValueError, match=message) as error:
        run(patched, FAMILY.latent(1, 8, 8), None if positive is None else positive())
    assert str(error.value).count("\n") == 0 and maps.runs == []


def test_a_phrase_of_one_of_two_positives_is_enough(comfy):
    patched, maps = capture(FAMILY.model(), "beach", "cat")
    run(patched, FAMILY.latent(1, 8, 8), [*FAMILY.conditioning(), *FAMILY.conditioning("a beach"), *untracked()])
    assert maps.runs[0].phrases == ("beach", "cat")


@pytest.mark.parametrize("window", [(0.6, 0.62), (0.7, 0.3), (0.0, 0.0)])
def test_a_window_without_a_step_is_refused(comfy, window):
    from pack.patches.run.window import Window

    patched, _ = capture(FAMILY.model(), "cat", window=Window(*window))
    with pytest.raises(ValueError, match="No step of this run lies between start and end percent of the capture"):
        run(patched, FAMILY.latent(1, 8, 8))


def test_context_windows_are_refused(comfy):
    patched, _ = capture(FAMILY.model(), "cat")
    patched.model_options["context_handler"] = object()
    with pytest.raises(ValueError, match="remove the context window node"):
        run(patched, FAMILY.latent(1, 8, 8))


def test_a_model_without_reachable_attention_is_refused(comfy):
    model = FAMILY.model().clone()
    model.add_object_patch("diffusion_model", torch.nn.Linear(1, 1))
    with pytest.raises(ValueError, match="a model of the kind Linear: it is not known"):
        capture(model, "cat")
