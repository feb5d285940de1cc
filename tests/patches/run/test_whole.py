"""Samplers of other packs: called once with the whole schedule, and right or refused in a sentence."""

import pytest
import torch
from pack.tests.patches.injecting import SD1, Watch, custom, half, inject, picture
from pack.tests.patches.run.test_cut import names

SIGMAS = torch.tensor([14.0, 9.0, 5.0, 2.0, 0.7, 0.0])
LATENT = {"height": 8, "width": 8}
SOME = {"start": 0.3, "end": 0.8, "count": 2}


class Foreign:
    """Samplers of another pack around one of the host's, which note the schedules they get and lie a little."""

    def __init__(self, name):
        from comfy.samplers import sampler_object

        self.inner, self.schedules = sampler_object(name), []

    def holding(self):
        """The host's among the options, as Detail Daemon has it."""
        from comfy.samplers import KSAMPLER

        def function(model, x, sigmas, inner, **given):
            return self._call(inner, model, x, sigmas, given)

        return KSAMPLER(function, {"inner": self.inner})

    def closed(self):
        """The host's out of sight."""
        from comfy.samplers import KSAMPLER

        def function(model, x, sigmas, **given):
            return self._call(self.inner, model, x, sigmas, given)

        return KSAMPLER(function)

    def _call(self, inner, model, x, sigmas, given):
        self.schedules.append(sigmas.tolist())

        def lying(x, sigma, **args):
            return model(x, sigma * (1 - 0.1 * float(sigma) / float(sigmas[0])), **args)

        lying.inner_model = model.inner_model
        return inner.sampler_function(lying, x, sigmas, **given, **inner.extra_options)


def paint(sampler, **settings):
    patched, maps = inject(SD1.model(), picture(**LATENT), half(), **{**SOME, **settings})
    return custom(patched, SIGMAS, sampler), maps


@pytest.mark.parametrize("name", names())
def test_a_sampler_that_holds_another_is_called_once_and_the_other_is_cut(comfy, name):
    foreign = Foreign(name)
    inner, function = vars(foreign.inner).copy(), foreign.inner.sampler_function
    out, maps = paint(foreign.holding())
    assert foreign.schedules == [SIGMAS.tolist()] and len(maps.runs[0].masks) == 2 and out.isfinite().all()
    assert vars(foreign.inner) == inner and foreign.inner.sampler_function is function


def test_euler_out_of_sight_is_euler_that_is_cut(comfy):
    held, closed = Foreign("euler"), Foreign("euler")
    one, other = paint(held.holding()), paint(closed.closed())
    assert torch.equal(one[0], other[0]) and closed.schedules == [SIGMAS.tolist()]
    assert torch.equal(one[1].runs[0].masks, other[1].runs[0].masks)
    assert not torch.equal(one[0], custom(SD1.model(), SIGMAS, Foreign("euler").closed()))


@pytest.mark.parametrize("two", [True, False])
def test_two_nodes_on_one_sampler(comfy, two):
    """Out of sight, they change the state in the same order as where it is cut."""
    outs = []
    for make in (Foreign.holding, Foreign.closed):
        foreign = Foreign("euler")
        model = inject(SD1.model(), picture(**LATENT), half(), **SOME)[0]
        later = {"start": 0.3 if two else 0.6, "end": 1.0, "count": 2, "strength": 0.5}
        model = inject(model, picture(**LATENT).flip(1), **later)[0]
        outs.append(custom(model, SIGMAS, make(foreign)))
        assert foreign.schedules == [SIGMAS.tolist()]
    assert torch.equal(*outs)


@pytest.mark.parametrize(
    "name",
    ["dpmpp_2m", "uni_pc", "lms", "res_multistep", "euler_ancestral", "lcm", "heun", "dpmpp_sde", "dpm_adaptive"],
)
def test_what_remembers_more_than_its_state_is_refused_in_a_sentence(comfy, name):
    watch, foreign = Watch(), Foreign(name)
    patched, maps = inject(watch.on(SD1.model()), picture(**LATENT), half(), **SOME)
    with pytest.raises(ValueError) as error:
        custom(patched, SIGMAS, foreign.closed())
    told = str(error.value)
    assert told.startswith("Latent Cache Inject: The sampler function may plan over its whole schedule, so it is not")
    assert told.endswith("use one of KSampler's samplers, or euler inside it.") and "\n" not in told
    assert foreign.schedules == [SIGMAS.tolist()] and maps.runs == []


def test_a_sampler_that_gives_the_model_a_copy_is_refused(comfy):
    from comfy.k_diffusion.sampling import sample_euler
    from comfy.samplers import KSAMPLER

    def copying(model, x, sigmas, **given):
        def copied(x, sigma, **args):
            return model(x.clone(), sigma, **args)

        copied.inner_model = model.inner_model
        return sample_euler(copied, x, sigmas, **given)

    with pytest.raises(ValueError, match="Inject: The sampler copying may plan"):
        paint(KSAMPLER(copying))


def test_a_wrapper_that_poses_as_the_host_is_another_packs(comfy):
    from functools import wraps

    from comfy.k_diffusion.sampling import sample_dpmpp_2m
    from comfy_extras.nodes_advanced_samplers import sample_euler_pp
    from pack.patches.run.cut import of_host

    @wraps(sample_dpmpp_2m)
    def posing(*args, **kwargs):
        return sample_dpmpp_2m(*args, **kwargs)

    assert of_host(sample_dpmpp_2m) and of_host(sample_euler_pp) and not of_host(posing)


@pytest.mark.parametrize("name", ["dpmpp_2m", "euler_ancestral", "euler"])
@pytest.mark.parametrize("settings", [{"strength": 0.0}, {"start": 1.0, "end": 1.0}])
def test_without_an_injection_nothing_changes(comfy, name, settings):
    sigmas = SIGMAS[:4]  # ends before the window
    for make in (Foreign.holding, Foreign.closed):
        patched = inject(SD1.model(), picture(**LATENT), **{**SOME, **settings})[0]
        assert torch.equal(
            custom(patched, sigmas, make(Foreign(name))), custom(SD1.model(), sigmas, make(Foreign(name)))
        )


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_a_sampler_keeps_its_precision(comfy, dtype):
    from comfy.samplers import KSAMPLER, sampler_object

    states = []

    def precise(model, x, sigmas, inner, callback=None, **given):
        def report(state):
            states.append(state["x"].dtype)
            callback(state)

        return inner.sampler_function(model, x.to(dtype), sigmas.to(dtype), callback=report, **given)

    out, maps = paint(KSAMPLER(precise, {"inner": sampler_object("euler")}))
    assert set(states) == {dtype} and out.isfinite().all() and len(maps.runs[0].masks) == 2


@pytest.mark.parametrize("scale", [1.5, 1.0])
def test_the_hosts_sampler_that_enlarges(comfy, scale):
    from comfy_extras.nodes_advanced_samplers import SamplerLCMUpscale

    sampler = SamplerLCMUpscale.execute(scale, -1, "bislerp").result[0]
    if scale == 1.0:
        assert paint(sampler)[0].shape == (1, 4, 8, 8)
        return
    with pytest.raises(
        ValueError, match=r"^Latent Cache Inject: The sampler changes the size .* from \[1, 4, 8, 8\] to"
    ):
        paint(sampler)
