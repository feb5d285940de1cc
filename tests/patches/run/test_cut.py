"""A cut sampler on the host: every sampler goes on from exactly the state it is handed, and nothing else changes."""

import pytest
import torch
from pack.tests.tiny_models import FAMILIES

FAMILY = FAMILIES["sd1"]
SIGMAS = torch.tensor([14.0, 9.0, 5.0, 2.0, 0.7, 0.0])


def names():
    """Of every sampler of the host that runs on a CPU."""
    try:
        from comfy.samplers import SAMPLER_NAMES
    except ImportError:
        return []
    return [name for name in SAMPLER_NAMES if not name.endswith("_gpu")]


class Notes:
    """A sampler of the host that notes what it is handed, and each model call."""

    def __init__(self, name):
        from comfy.samplers import sampler_object

        self.sampler = sampler_object(name)
        if name == "dpm_adaptive":
            self.sampler.extra_options = {"rtol": 1.0, "atol": 1.0}  # as few steps as can be
        self.function, self.sampler.sampler_function = self.sampler.sampler_function, self
        self.__globals__ = self.function.__globals__  # it stands for the host's own
        self.handed, self.calls, self.steps = [], [], []

    def __call__(self, model, x, sigmas, extra_args=None, callback=None, disable=None, **options):
        self.handed.append((x.clone(), sigmas.tolist(), extra_args["seed"], len(self.calls)))
        given = {"extra_args": extra_args, "callback": callback, "disable": disable}
        return self.function(model, x, sigmas, **given, **options)

    def run(self, sampler=None, sigmas=SIGMAS, seed=5):
        """One run of the host's -> latent."""
        import comfy.sample
        from comfy.patcher_extension import WrappersMP

        def predict_noise(executor, x, timestep, *args, **kwargs):
            self.calls.append((x.clone(), float(timestep[0])))
            return executor(x, timestep, *args, **kwargs)

        model = FAMILY.model().clone()
        model.add_wrapper(WrappersMP.PREDICT_NOISE, predict_noise)
        latent = FAMILY.latent(1, 8, 8)
        given = (model, comfy.sample.prepare_noise(latent, 1), 2.0, sampler or self.sampler, sigmas)
        texts = FAMILY.conditioning(), FAMILY.conditioning("blurry"), latent
        shown = {"callback": lambda i, *_: self.steps.append(i), "disable_pbar": True, "seed": seed}
        return comfy.sample.sample_custom(*given, *texts, **shown)


def fresh(x, index, number=0):
    """A state that depends on its step alone."""
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(100 * number + index))


def cut(sampler, at, seen=None, number=0):
    """Cuts before the steps of SIGMAS at the indices `at`."""
    from pack.patches.run.cut import Jump, cut_sampler

    def change(x, sigmas, index):
        if seen is not None:
            seen.append((number, index))
        return fresh(x, index, number)

    return cut_sampler(sampler, Jump(lambda sigmas: list(at), change, "Some Node"))


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("at", [[2], [0, 1, 2, 3, 4]])
def test_every_sampler_goes_on_from_the_state_it_is_handed(comfy, name, at):
    notes, sigmas = Notes(name), SIGMAS.clone()
    out = notes.run(cut(notes.sampler, at), sigmas)
    starts = sorted({0, *at})
    assert torch.equal(sigmas, SIGMAS) and out.isfinite().all()
    parts = [SIGMAS[a : b + 1].tolist() for a, b in zip(starts, [*starts[1:], 5], strict=True)]
    assert [handed[1] for handed in notes.handed] == parts
    assert len({handed[2] for handed in notes.handed}) == len(starts)
    for start, (x, _, _, call) in zip(starts, notes.handed, strict=True):
        if start in at:
            assert torch.equal(x, fresh(x, start))
            if call < len(notes.calls):  # dpm_adaptive has nothing to do from the last sigma above 0 on
                torch.testing.assert_close(notes.calls[call][0], x, rtol=1e-4, atol=1e-5)
                assert notes.calls[call][1] == pytest.approx(float(SIGMAS[start]), rel=1e-4)
    if name not in ("dpm_adaptive", "dpm_fast"):
        assert notes.steps == list(range(5))
    again = Notes(name)
    assert torch.equal(again.run(cut(again.sampler, at)), out)


@pytest.mark.parametrize("name", names())
def test_no_cut_is_no_change(comfy, name):
    plain, uncut = Notes(name), Notes(name)
    assert torch.equal(uncut.run(cut(uncut.sampler, [])), plain.run())
    assert uncut.handed[0][2] == 5 and uncut.steps == plain.steps


@pytest.mark.parametrize("name", ["euler", "uni_pc", "dpmpp_2m", "dpmpp_sde", "heun"])
@pytest.mark.parametrize(("inner", "outer"), [([1, 3], [3]), ([3], [1, 3]), ([0, 2], [1, 2, 4]), ([], [2]), ([2], [])])
def test_a_cut_sampler_is_cut_again(comfy, name, inner, outer):
    notes, seen = Notes(name), []
    once = cut(notes.sampler, inner, seen, 1)
    notes.run(cut(once, outer, seen, 2))
    assert seen == sorted([*((1, i) for i in inner), *((2, i) for i in outer)], key=lambda cut: (cut[1], -cut[0]))
    starts = sorted({0, *inner, *outer})
    assert [handed[1][0] for handed in notes.handed] == SIGMAS[starts].tolist()
    assert [handed[2] for handed in notes.handed] == [5 + start for start in starts]  # its place in the whole schedule
    assert notes.steps == list(range(5))


def test_segments_draw_different_noise(comfy):
    from comfy.k_diffusion.sampling import default_noise_sampler

    notes = Notes("euler_ancestral")
    notes.run(cut(notes.sampler, [1, 2, 3]))
    noises = [default_noise_sampler(x, seed=seed)(None, None) for x, _, seed, _ in notes.handed]
    assert len({float(noise.sum()) for noise in noises}) == 4
    for noise in noises[1:]:
        assert abs(float((noise * noises[0]).mean())) < 0.3


def test_seeds_wrap_around_and_may_be_missing(comfy):
    from pack.patches.run.cut import _shifted_seed

    assert _shifted_seed({"seed": 2**64 - 1, "a": 1}, 3) == {"seed": 2, "a": 1}
    assert _shifted_seed({"seed": None}, 3) == {"seed": None} and _shifted_seed(None, 3) == {}


def test_the_sampler_that_goes_in_stays_and_options_go_through(comfy):
    import comfy.samplers
    from comfy.samplers import KSAMPLER, ksampler
    from pack.patches.run.cut import Jump, cut_sampler

    jump = Jump(lambda sigmas: [1], lambda x, sigmas, index: x)
    sampler = ksampler("dpmpp_sde", {"eta": 0.3, "r": 0.4}, {"random": True})
    before = dict(vars(sampler))
    patched = cut_sampler(sampler, jump)
    assert vars(sampler) == before and isinstance(patched, KSAMPLER) and patched is not sampler
    assert patched.extra_options == {"eta": 0.3, "r": 0.4} and patched.inpaint_options == {"random": True}
    seen = []

    class Function:
        __globals__ = comfy.samplers.ksampler.__globals__  # it stands for the host's own

        def __call__(self, model, x, sigmas, extra_args, callback, disable, **options):
            seen.append(options)
            return x

    patched = cut_sampler(KSAMPLER(Function(), {"eta": 0.3}), jump)
    patched.sampler_function(None, torch.zeros(1), SIGMAS, {}, None, True, **patched.extra_options)
    assert seen == [{"eta": 0.3}] * 2


def test_a_sampler_without_a_schedule_is_refused(comfy):
    from comfy.samplers import Sampler
    from pack.patches.run.cut import check_sampler

    class Foreign(Sampler):
        pass

    with pytest.raises(ValueError, match="The sampler Foreign cannot be cut, .*; use one of the samplers of KSampler"):
        check_sampler(Foreign())
