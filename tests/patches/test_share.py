"""The mix 'share' equals a softmax written out, with the pictures' keys weighted as so many copies of them."""

import logging

import pytest
import torch
from pack.tests.patches.infusing import FAMILY, close, draw, pictures, text
from pack.tests.patches.sharing import ShareExplicit, modules, shared
from pack.tests.tiny_models import FAMILIES

HALF = torch.zeros(1, 64, 64)
HALF[:, :, 24:] = 1
SOME = {"in.1": 0.5, "mid.0": 3.0, "out.3": 1.0}


def same(explicit, family=FAMILY, how=None, **settings):
    """Ours equals the reference, in one draw."""
    model, how = family.model(), how or {}
    ours = draw(
        shared(model, explicit.samples, mask=explicit.mask, image_mask=explicit.image_mask, **settings), family, **how
    )
    assert close(ours, draw(explicit.on(model), family, **how), draw(model, family, **how), 2e-5)


@pytest.mark.parametrize("name", ["sd15", "sdxl", "sd2_v", "sd1"])
def test_every_unet_family(comfy, name):
    family = FAMILIES[name]
    same(ShareExplicit(pictures(2), text=text(family)), family)


def test_sites_and_the_weights_of_pictures(comfy):
    sites = ", ".join(f"{site}:{weight}" for site, weight in SOME.items())
    explicit = ShareExplicit(pictures(3), modules(SOME), shares=(1.0, 0.0, 2.0))
    same(explicit, sites=sites, weight=1.0, images=(1.0, 0.0, 2.0))


@pytest.mark.parametrize("align", [False, True])
def test_masks_of_the_pictures_made_and_of_those_to_follow(comfy, align):
    masks = torch.rand(2, 48, 48, generator=torch.Generator().manual_seed(3))
    explicit = ShareExplicit(pictures(2, 12, 20), mask=masks, image_mask=torch.cat([HALF, 1 - HALF / 2]), align=align)
    same(explicit, how={"size": (12, 20), "batch": 2}, align=align)


def test_one_mask_serves_all(comfy):
    same(ShareExplicit(pictures(2), mask=HALF, image_mask=HALF), how={"batch": 2})


def test_text_of_the_recorded_pass(comfy):
    same(ShareExplicit(pictures(), text=text(prompt="blurry")), text="negative")


def test_order_and_copies_do_not_matter(comfy):
    model, one, other = FAMILY.model(), pictures(1, seed=5), pictures(1, seed=6)
    single = draw(shared(model, one))
    assert close(draw(shared(model, one.repeat(4, 1, 1, 1))), single, draw(model), 1e-5)
    both = draw(shared(model, torch.cat([one, other])))
    assert close(draw(shared(model, torch.cat([other, one]))), both, draw(model), 1e-5)
    assert close(draw(shared(model, torch.cat([one, other, other, one]))), both, draw(model), 1e-5)
    assert not close(single, both, draw(model), 1e-4)


def test_off_changes_no_bit_and_leaves_nothing_behind(comfy):
    from pack.patches.run.window import Window

    model = FAMILY.model()
    plain = draw(model)
    for off in ({"weight": 0.0}, {"decay": 0.0}, {"window": Window(0.5, 0.5)}, {"window": Window(0.5, 0.6)}):
        assert torch.equal(draw(shared(model, pictures(), **off)), plain)
    for masks in ({"mask": torch.zeros(1, 8, 8)}, {"image_mask": torch.zeros(1, 8, 8)}):
        assert torch.equal(draw(shared(model, pictures(), **masks)), plain)
    patched = shared(model, pictures())
    assert torch.equal(draw(patched), draw(patched))
    assert torch.equal(draw(model), plain)


def test_a_picture_of_a_batch_does_not_depend_on_the_others(comfy):
    model = FAMILY.model()
    whole = draw(shared(model, pictures()), batch=3)
    first = draw(shared(model, pictures(), mask=torch.ones(1, 8, 8)), batch=1)
    assert close(whole[:1], first, draw(model), 1e-5)


def test_two_nodes_are_one_with_both(comfy):
    """Keys of both stand in one softmax: here as one node's with the sum of the weights."""
    model, samples = FAMILY.model(), pictures()
    both = draw(shared(shared(model, samples, 0.5), samples, 1.5))
    assert close(both, draw(shared(model, samples, 2.0)), draw(model), 1e-5)


def test_recorded_keys_serve_for_so_many_steps(comfy):
    model, calls = FAMILY.model(), []
    hook = model.model.diffusion_model.register_forward_pre_hook(lambda _, args: calls.append(len(args[0])))
    draw(shared(model, pictures(3), reuse=2), steps=4)
    hook.remove()
    assert calls == [3, 2, 2] * 2


def test_layers_without_room_are_left_out_and_named(comfy, monkeypatch, caplog):
    from pack.patches import share

    model, samples = FAMILY.model(), pictures(2)
    plain, full = draw(model), draw(shared(model, samples))
    monkeypatch.setattr(share, "BUDGET", 0)
    with caplog.at_level(logging.WARNING):
        assert torch.equal(draw(shared(model, samples)), plain)
    assert "keys and values of 16 layers were left out" in caplog.text
    monkeypatch.setattr(share, "BUDGET", 2**17)
    assert not torch.equal(draw(shared(model, samples)), plain)
    assert not torch.equal(draw(shared(model, samples)), full)


def test_what_is_kept_stays_within_the_room(comfy, monkeypatch):
    from pack.patches import share

    monkeypatch.setattr(share, "BUDGET", 2**17)
    sizes, more = [], share.Sharing.more

    def measured(self, call):
        sizes.append(sum(one.nbytes for kept in self.features.values() for one in kept.values()))
        return more(self, call)

    monkeypatch.setattr(share.Sharing, "more", measured)
    draw(shared(FAMILY.model(), pictures(2), text="each half"))
    assert 2**16 < max(sizes) <= 2**17
