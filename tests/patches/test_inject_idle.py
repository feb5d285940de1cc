"""LatentCacheInject with nothing to do: the plain picture, black masks in the handle, and one line that says why."""

import pytest
import torch
from pack.tests.patches.injecting import SD1, Watch, cached, custom, half, inject, paint, picture

LATENT = {"height": 8, "width": 8}
BLACK = torch.zeros(1, 64, 64)
SIGMAS = torch.tensor([9.0, 3.0, 1.0, 0.0])


def foreign():
    """A sampler without a function that takes a schedule."""
    from comfy.samplers import Sampler

    class Foreign(Sampler):
        def sample(self, model_wrap, sigmas, extra_args, callback, noise, latent_image, *args, **kwargs):
            return noise + latent_image

    return Foreign()


def lines(caplog):
    return [record.getMessage() for record in caplog.records if "Latent Cache Inject" in record.getMessage()]


@pytest.mark.parametrize(
    ("mask", "settings", "sigmas", "reason"),
    [
        (BLACK, {}, SIGMAS, "The mask is black, so it did nothing; Load Image gives a black mask"),
        (
            None,
            {"end": 0.05},
            SIGMAS,
            "No injection between start_percent 0.0 and end_percent 0.05 lies in this run, wh",
        ),
        (
            None,
            {"end": 0.05, "phrase": "cat"},
            torch.tensor([14.6, 0.0]),
            "and a phrase needs one step to find its mask",
        ),
        (None, {}, torch.tensor([9.0]), "which has no step of the noise schedule"),
        (None, {}, torch.tensor([1.0, 3.0]), "lies in this run, whose 1 steps begin at 0."),  # rising: noise is added
        (half() * 0.3, {"start": 0.2, "end": 0.9, "count": 2, "curve": "widen"}, SIGMAS[:2], "empty at every"),
    ],
)
def test_one_line_says_why_nothing_was_done(comfy, caplog, mask, settings, sigmas, reason):
    patched, maps = inject(SD1.model(), picture(**LATENT), mask, **settings)
    out = custom(patched, sigmas)
    assert torch.equal(out, custom(SD1.model(), sigmas))
    (line,) = lines(caplog)
    assert line.startswith("Latent Cache Inject: ") and reason in line and "\n" not in line
    assert torch.equal(maps.runs[0].masks.amax(0), torch.zeros(8, 8))


@pytest.mark.parametrize("phrase", ["", "zebra"])
def test_strength_0_is_silent_and_asks_for_nothing(comfy, caplog, phrase):
    latent = SD1.latent(3, 8, 8)
    patched, maps = inject(SD1.model(), picture(height=4, width=4), strength=0.0, phrase=phrase)
    assert torch.equal(paint(patched, latent=latent), paint(SD1.model(), latent=latent))
    assert lines(caplog) == [] and torch.equal(maps.runs[0].masks, torch.zeros(3, 8, 8))


def test_what_acts_is_silent(comfy, caplog):
    custom(inject(SD1.model(), picture(**LATENT), half())[0], SIGMAS)
    assert lines(caplog) == []


def test_a_phrase_that_is_not_read_beside_a_mask_is_told(comfy, caplog):
    custom(inject(SD1.model(), picture(**LATENT), half(), phrase="zebra")[0], SIGMAS)
    (line,) = lines(caplog)
    assert line.startswith("Latent Cache Inject: phrase was not read, as a mask is connected")


@pytest.mark.parametrize("settings", [{"mask": BLACK}, {"end": 0.05}])
def test_sizes_are_checked_all_the_same(comfy, settings):
    watch = Watch()
    with pytest.raises(ValueError, match=r"^Latent Cache Inject: .* \(40x32 pixels\) but .* \(64x64 pixels\)"):
        custom(inject(watch.on(SD1.model()), picture(height=4, width=5), **settings)[0], SIGMAS)
    assert watch.seen == []


def test_a_phrase_is_checked_all_the_same(comfy):
    with pytest.raises(ValueError, match="'zebra' is not in"):
        custom(inject(SD1.model(), picture(**LATENT), end=0.1, phrase="zebra")[0], SIGMAS)


@pytest.mark.parametrize(
    ("mask", "settings"), [(BLACK, {}), (None, {"strength": 0.0}), (None, {"end": 0.05}), (half(), {})]
)
def test_a_sampler_that_cannot_be_cut_is_refused_only_where_it_must_be(comfy, mask, settings):
    patched, maps = inject(SD1.model(), picture(**LATENT), mask, **settings)
    if mask is BLACK or settings:
        assert torch.equal(custom(patched, SIGMAS, foreign()), custom(SD1.model(), SIGMAS, foreign()))
        assert torch.equal(maps.runs[0].masks, torch.zeros(1, 8, 8))
    else:
        with pytest.raises(ValueError, match="Latent Cache Inject: The sampler Foreign cannot be cut"):
            custom(patched, SIGMAS, foreign())


def test_a_probe_of_the_patched_model_is_none_of_its_runs(comfy, caplog):
    from pack.patches.probe import ProbeSettings, probe

    patched, maps = inject(SD1.model(), picture(height=4, width=4), half())
    assert probe(patched, SD1.conditioning(), {"samples": picture(**LATENT)}, ProbeSettings(("cat",))).phrases == (
        "cat",
    )
    assert maps.runs == [] and lines(caplog) == []


@pytest.mark.parametrize("phrase", ["", "cat"])
@pytest.mark.parametrize(
    ("sampler", "sigmas", "steps"),
    [
        ("euler", [5.0, 5.0, 0.0], [1]),
        ("euler", [9.0, 5.0, 5.0, 5.0, 1.0, 0.0], [0, 3, 4]),
        ("euler", [9.0, 1.0, 5.0, 0.5, 0.0], [0, 2, 3]),
        ("dpmpp_2m", [9.0, 1.0, 5.0, 0.5, 0.0], [0, 2, 3]),
    ],
)
def test_repeated_and_rising_levels_have_each_due_step_once(comfy, phrase, sampler, sigmas, steps):
    from comfy.samplers import sampler_object

    latent, watch = picture(**LATENT), Watch()
    patched, maps = inject(watch.on(SD1.model()), latent, phrase=phrase, count=16)
    out = custom(patched, torch.tensor(sigmas), sampler_object(sampler))
    due = sorted({max(step, 1) for step in steps}) if phrase else steps
    assert out.isfinite().all() and len(watch.seen) == len(sigmas) - 1
    if not phrase:
        same = [torch.equal(x, cached(SD1.model(), latent, sigma)) for sigma, x in watch.seen]
        assert [i for i, put_back in enumerate(same) if put_back] == due
    assert len(maps.runs[0].masks) == len(due)


@pytest.mark.parametrize("offset", [0.0, 1.0])
@pytest.mark.parametrize("curve", ["constant", "fade out", "widen"])
@pytest.mark.parametrize("count", [1, 16])
def test_ends_of_the_settings(comfy, offset, curve, count):
    patched, maps = inject(SD1.model(), picture(**LATENT), half(), offset=offset, curve=curve, count=count)
    assert custom(patched, SIGMAS).isfinite().all() and maps.runs[0].masks.amax() <= 1
