"""A layer that all runs share, changed for one call of one thread alone."""

import threading

import pytest
import torch
from pack.tests.patches.infusing import SMALL, biased, draw, pictures
from pack.tests.tiny_models import FAMILIES

FAMILY = FAMILIES["sd1"]


@pytest.fixture
def network(comfy):
    return FAMILY.model().model.diffusion_model


SITES = ("mid.0", "out.3")


def call(network, change=None):
    """A plain call, or one in which `change` is given the features of the sites."""
    from pack.patches.models.unet_places import UNetPlaces

    given = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0)), torch.tensor([500.0])
    text = FAMILY.conditioning()[0][0]
    with torch.no_grad():
        if change is None:
            return network(*given, context=text, transformer_options={})
        with UNetPlaces(network).open(network, (1, 4, 8, 8), {}, {}, change, SITES) as options:
            return network(*given, context=text, transformer_options=options)


def hooks(network):
    modules = network, network.out
    return [len(hooks) for m in modules for hooks in (m._forward_hooks, m._forward_pre_hooks)]


def beside(network, in_thread):
    """Its picture alone, in the midst of a call that doubles what enters `out`, that call's, and the doubled one."""
    plain, met = call(network), []

    def meet():
        met.append(call(network))

    def change(site, h):
        if site == "mid.0":
            thread = threading.Thread(target=meet) if in_thread else None
            thread.start() if thread else meet()
            thread and thread.join()
        return 2 * h if site == "out.3" else h

    doubled = call(network, lambda site, h: 2 * h if site == "out.3" else h)
    return plain, met, call(network, change), doubled


@pytest.mark.parametrize("in_thread", [True, False])
def test_another_call_of_the_same_model_meanwhile(network, in_thread):
    """In a thread, or by a node inside of the call."""
    plain, met, out, doubled = beside(network, in_thread)
    assert len(met) == 1 and torch.equal(met[0], plain)
    assert torch.equal(out, doubled) and not torch.equal(out, plain)
    assert hooks(network) == [0, 0, 0, 0]


def test_an_error_leaves_no_hook(network):
    def change(site, h):
        if site == "out.3":
            raise KeyboardInterrupt
        return h

    with pytest.raises(KeyboardInterrupt):
        call(network, change)
    assert hooks(network) == [0, 0, 0, 0]


def test_an_error_of_a_call_inside_is_forgotten(network):
    doubled = call(network, lambda site, h: 2 * h if site == "out.3" else h)

    def change(site, h):
        if site == "mid.0":
            with pytest.raises(RuntimeError):
                network(torch.zeros(1, 3, 8, 8), torch.tensor([1.0]), context=torch.zeros(1, 77, 32))
        return 2 * h if site == "out.3" else h

    assert torch.equal(call(network, change), doubled)


def test_two_threads_sample_one_model(comfy, network):
    """A plain call in another thread in the midst of every step of Infusion Bias."""
    plain, met = call(network), []

    def meet(h):
        thread = threading.Thread(target=lambda: met.append(call(network)))
        thread.start()
        thread.join()
        return h

    def late(executor, x, timesteps, context, y, control, options, **kwargs):
        patches = options.get("patches", {})
        middle = [lambda args: {**args, "h": meet(args["h"])}]
        options = {**options, "patches": {**patches, "middle_block_after_patch": middle}}
        return executor(x, timesteps, context, y, control, options, **kwargs)

    model = FAMILY.model().clone()
    expected = draw(biased(model, pictures(), SMALL), FAMILY)
    model.add_wrapper("diffusion_model", late)
    assert torch.equal(draw(biased(model, pictures(), SMALL), FAMILY), expected)
    assert len(met) == 2 and all(torch.equal(out, plain) for out in met)
