"""SemanticGuidance in other samplers, guiders, batches and masks, and what it keeps of a run."""

import pytest
import torch
from pack.tests.noise import MARGIN, noise_of, rms, within
from pack.tests.patches.beside import state
from pack.tests.patches.guiding import SD1, Source, Watch, agree, concept, edit, guided, paint
from pack.tests.tiny_models import FAMILIES, sample

HALF = torch.zeros(1, 32, 32)
HALF[:, :16] = 1.0
SAMPLERS = "euler heun heunpp2 dpm_2 dpm_2_ancestral lms dpm_fast dpm_adaptive dpmpp_2s_ancestral dpmpp_sde dpmpp_2m "
SAMPLERS += "dpmpp_2m_cfg_pp dpmpp_2m_sde dpmpp_3m_sde euler_ancestral euler_cfg_pp lcm ddpm ipndm deis res_multistep "
SAMPLERS += "gradient_estimation er_sde seeds_2 seeds_3 sa_solver ddim uni_pc uni_pc_bh2"


@pytest.mark.parametrize("sampler", SAMPLERS.split())
def test_momentum_moves_on_once_per_step_of_the_schedule(comfy, sampler):
    """edit = psi + s_m * nu_i, where i counts the levels of the schedule that were reached, not the model calls."""
    from pack.sampling.semantic import Momentum

    watch = Watch()
    concepts, momentum = concept(mask=HALF), Momentum(0.5, 0.3)
    patched = watch.on(SD1.model(), lambda model: edit(model, concepts, mask="none", momentum=momentum))
    paint(patched, size=(8, 8), sampler=sampler, steps=4)
    half = torch.zeros(1, 1, 8, 8)
    half[:, :, :4] = 1.0
    reached, nu, following, counts = -1, 0.0, 0.0, 0
    for (sigma, _), difference, made in zip(watch.calls, watch.differences("negative"), watch.edits(), strict=True):
        index = max((i for i, level in enumerate(watch.sigmas) if sigma <= level * 1.0001), default=-1)
        psi = 5.0 * half * difference / sigma
        if index > reached:
            reached, nu, counts = index, following, counts + 1
            following = 0.3 * nu + 0.7 * (psi + 0.5 * nu)
        assert torch.allclose(made, sigma * (psi + 0.5 * nu), atol=1e-5 * float(watch.before[0].abs().max()))
    assert counts >= 3 and len(watch.calls) >= counts
    assert all(out.isfinite().all() for out in watch.after)


@pytest.mark.parametrize("name", ["flux", "sd2_v"])
def test_two_calls_per_step_in_other_parameterisations(comfy, name):
    family = FAMILIES[name]
    patched, maps = guided(family.model(), concept(family=family))
    out = paint(patched, family, sampler="heun")
    assert out.isfinite().all() and not torch.equal(out, paint(family.model(), family, sampler="heun"))
    assert len(maps.runs[0].sigmas) == len(set(maps.runs[0].sigmas)) == 4


def guiders():
    from comfy_extras.nodes_custom_sampler import BasicGuider, CFGGuider, DualCFGGuider
    from comfy_extras.nodes_perpneg import PerpNegGuider

    text, beach, blurry, none = (SD1.conditioning(t) for t in ("a red dog", "a beach", "blurry", ""))
    return {
        "basic": (lambda model: BasicGuider.execute(model, text), "positive"),
        "CFG 1": (lambda model: CFGGuider.execute(model, text, blurry, 1.0), "positive"),
        "CFG": (lambda model: CFGGuider.execute(model, text, blurry, 4.0), "negative"),
        "dual": (lambda model: DualCFGGuider.execute(model, text, beach, blurry, 4.0, 3.0, "regular"), "negative"),
        "nested": (lambda model: DualCFGGuider.execute(model, text, beach, blurry, 4.0, 3.0, "nested"), "negative"),
        "dual, CFG 1": (lambda model: DualCFGGuider.execute(model, text, beach, blurry, 4.0, 1.0, "regular"), "middle"),
        "perp": (lambda model: PerpNegGuider.execute(model, text, blurry, none, 4.0, 1.0), "empty_negative_prompt"),
        "perp, alone": (lambda model: PerpNegGuider.execute(model, text, blurry, none, 1.0, 0.0), "positive"),
    }


@pytest.mark.parametrize("name", ["basic", "CFG 1", "CFG", "dual", "nested", "dual, CFG 1", "perp", "perp, alone"])
def test_guiders_and_what_an_edit_is_measured_against(comfy, name):
    import comfy.samplers
    from comfy_extras.nodes_custom_sampler import Noise_RandomNoise, SamplerCustomAdvanced

    guider, base = guiders()[name]
    watch, euler = Watch(), comfy.samplers.sampler_object("euler")

    def draw(model):
        given = Noise_RandomNoise(1), guider(model).result[0], euler, torch.tensor([9.0, 3.0, 1.0, 0.0])
        return SamplerCustomAdvanced.execute(*given, {"samples": SD1.latent()}).result[0]["samples"]

    out = draw(watch.on(SD1.model(), lambda model: edit(model, concept(), mask="none")))
    psis, nu = [5.0 * d / s for d, (s, _) in zip(watch.differences(base), watch.calls, strict=True)], 0.0
    for psi, made, (sigma, _) in zip(psis, watch.edits(), watch.calls, strict=True):
        assert torch.allclose(made, sigma * (psi + 0.1 * nu), atol=1e-4) and made.abs().max() > 0.05
        nu = 0.4 * nu + 0.6 * (psi + 0.1 * nu)
    assert torch.equal(draw(edit(SD1.model(), concept(scale=0.0))), draw(SD1.model())) and out.isfinite().all()


def test_cfg_1_acts_against_the_positive_prediction(comfy):
    explicit, plain = paint(Source(concept()).on(SD1.model()), cfg=1.0), paint(SD1.model(), cfg=1.0)
    assert agree(paint(edit(SD1.model(), concept()), cfg=1.0), explicit, plain)


def test_an_inpainting_mask(comfy):
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 6:] = 1.0
    explicit = paint(Source(concept()).on(SD1.model()), noise_mask=mask)
    out = paint(edit(SD1.model(), concept()), noise_mask=mask)
    plain = paint(SD1.model(), noise_mask=mask)
    assert agree(out, explicit, plain) and torch.equal(out[..., :5], plain[..., :5])


@pytest.mark.parametrize("mask", ["joint", "none"])
def test_an_item_never_depends_on_its_neighbours(comfy, mask):
    """Beside thresholds rounding may take single values over the jump, which later steps spread."""
    from comfy.sample import sample as run

    masks = torch.cat([HALF, HALF.flip(1), torch.ones(1, 32, 32)])
    noise = torch.randn(3, 4, 16, 16, generator=torch.Generator().manual_seed(0))

    def draw(model, at):
        texts = SD1.conditioning(), SD1.conditioning("blurry"), torch.zeros_like(noise[at])
        return run(model, noise[at], 4, 3.0, "euler", "normal", *texts, disable_pbar=True, seed=1)

    def edited(at):
        return draw(edit(SD1.model(), concept(mask=masks[at]), mask=mask), at)

    source, whole = Source(concept(threshold=0.0), s_m=0.0).on(SD1.model()), slice(0, 3)
    every, rounding = edited(whole), MARGIN * noise_of(lambda: draw(source, whole))
    jump = 0.2 * rms(every - draw(SD1.model(), whole))  # two of some fifty edited values
    for i in range(3):
        assert rms(edited(slice(i, i + 1)) - every[i : i + 1]) <= (rounding if mask == "none" else jump)


def test_two_nodes_stack(comfy):
    """Each with its own momentum; where neither needs the other's sums it is as one node with both."""
    from pack.sampling.semantic import Momentum

    still, other = Momentum(0.0, 0.0), concept("at night", threshold=0.5)
    both = edit(SD1.model(), concept(), other, momentum=still)
    one = edit(edit(SD1.model(), concept(), momentum=still), other, momentum=still)
    out = paint(one)
    assert agree(out, paint(both), paint(SD1.model())) and torch.equal(paint(one), out)


def test_an_interrupt_leaves_nothing_behind(comfy):
    patched, maps = guided(SD1.model(), concept())
    before = state(patched)

    def stop(step, *_):
        if step == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        paint(patched, callback=stop)
    assert not maps.runs and state(patched) == before
    assert torch.equal(paint(patched), paint(edit(SD1.model(), concept()))) and len(maps.runs) == 1


@pytest.mark.parametrize("options", [{}, {"phi": 0.7}, {"orthogonal": True}, {"outside": "source"}])
@pytest.mark.parametrize("name", ["sd1", "flux"])
def test_the_kept_edits_are_those_that_acted(comfy, name, options):
    family = FAMILIES[name]
    concepts = concept(family=family), concept("at night", family, start=0.3, end=0.8)
    patched, maps = guided(family.model(), *concepts, **options)
    out = paint(patched, family)
    kept = maps.runs[0]
    flow = name == "flux"

    def again(args):
        sigma = float(args["sigma"][0])
        ratio = sigma / max(1 - sigma, 1e-6) if flow else sigma
        return args["denoised"] - ratio * kept.edits[kept.sigmas.index(sigma)]

    hooked = family.model().clone()
    hooked.set_model_sampler_post_cfg_function(again)
    assert within(paint(hooked, family), out, noise_of(lambda: paint(family.model(), family)))
    assert kept.edits.shape == (4, *out.shape) and torch.equal(kept.samples, out)


def test_rescale_and_orthogonal(comfy):
    """phi 1 gives each picture the unedited prediction's spread; orthogonal leaves nothing along the guidance."""
    spread, across = Watch(), Watch()
    paint(spread.on(SD1.model(), lambda model: edit(model, concept(scale=20.0), phi=1.0)), batch=2)
    paint(across.on(SD1.model(), lambda model: edit(model, concept(), orthogonal=True)), batch=2)
    for before, after in zip(spread.before, spread.after, strict=True):
        assert torch.allclose(after.flatten(1).std(1), before.flatten(1).std(1), rtol=1e-4)
        assert not torch.allclose(after, before, rtol=1e-3)
    for (_, seen), made in zip(across.calls, across.edits(), strict=True):
        along = (made * (seen["negative"] - seen["positive"])).flatten(1).sum(1).abs()
        size = made.flatten(1).norm(dim=1) * (seen["negative"] - seen["positive"]).flatten(1).norm(dim=1)
        assert (along < 1e-3 * size).all() and made.any()


def test_the_kept_maps_are_the_mean_area_of_the_warm_steps(comfy):
    watch, found = Watch(), []
    options = {"start": 0.3, "threshold": 0.8, "mask": HALF}

    def node(model):
        patched, maps = guided(model, concept(**options), outside="source")
        found.append(maps)
        return patched

    sample(watch.on(SD1.model(), node), SD1.latent(2, 17, 13), SD1.conditioning(), SD1.conditioning(""), steps=5)
    small = torch.nn.functional.interpolate(HALF[:, None], (17, 13), mode="area")
    parts = []
    for (sigma, _), d in list(zip(watch.calls, watch.differences("negative"), strict=True))[2:]:
        eta = torch.quantile((d / sigma).abs().flatten(2), 0.8, dim=2)[..., None, None]
        parts.append((((d / sigma).abs() >= eta) * small).mean(1))
    (maps,) = found[0].runs
    assert maps.maps.shape == (2, 1, 17, 13) and maps.ratio == 8 and maps.names == ("a green beach",)
    assert ((maps.maps[:, 0] - torch.stack(parts).mean(0)).abs() > 1e-5).sum() <= 2
