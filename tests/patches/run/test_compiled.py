"""torch.compile, traced but run by Python: with our nodes and without, in turn, every picture is its eager one."""

import pytest
import torch
from pack.tests.patches.guiding import concept, edit
from pack.tests.patches.placing import place, region
from pack.tests.tiny_models import FAMILIES, sample


@pytest.fixture
def traces(comfy):
    """A backend, and the graphs that it was given."""
    torch._dynamo.reset()
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    yield backend, graphs
    torch._dynamo.reset()


def compiled(model, backend):
    """As the host's TorchCompileModel, but for its list of backends."""
    from comfy_api.torch_helpers import set_torch_compile_wrapper
    from comfy_extras.nodes_torch_compile import skip_torch_compile_dict

    patched = model.clone()
    set_torch_compile_wrapper(patched, backend, options={"guard_filter_fn": skip_torch_compile_dict})
    return patched


def draw(model, family):
    return sample(model, family.latent(1, 8, 8), family.conditioning(), [], steps=1, cfg=1.0)


@pytest.mark.parametrize("name", ["sd1", "flux"])
def test_our_nodes_and_the_plain_model_in_turn(traces, caplog, name):
    backend, graphs = traces
    family = FAMILIES[name]
    fast = compiled(family.model(), backend)
    nodes = [
        lambda model: place(model, region()),
        lambda model: model,
        lambda model: edit(model, concept(family=family)),
        lambda model: place(model, region("cat", strength=0.7)),
        lambda model: model,
    ]
    for node in nodes:
        expected = draw(node(family.model()), family)
        caplog.clear()
        before = len(graphs)
        assert torch.equal(draw(node(fast), family), expected)
        said = [record.message for record in caplog.records if record.name == "pack.patches.run.compiled"]
        ours = node(fast) is not fast
        assert len(said) == ours
        assert len(graphs) == before if ours else graphs
    assert "torch.compile" in fast.wrappers["apply_model"]


def test_a_compiled_model_stays_compiled_at_neutral_settings(traces):
    backend, graphs = traces
    family = FAMILIES["sd1"]
    fast = place(compiled(family.model(), backend), region(strength=0.0, outside=0.0))
    draw(fast, family)
    assert graphs


def test_nodes_that_are_off_leave_the_model_compiled(traces):
    """Bit for bit the compiled picture; one node's graphs serve the others."""
    from pack.tests.patches.injecting import inject

    backend, graphs = traces
    family = FAMILIES["sd1"]
    fast = compiled(family.model(), backend)
    expected = draw(fast, family)
    off = [edit(fast, concept(scale=0.0)), place(fast, region(strength=0.0, outside=0.0))]
    off += [inject(fast, family.latent(1, 8, 8) + 1, strength=0.0)[0]]
    draw(off[0], family)
    before = len(graphs)
    for patched in off:
        assert torch.equal(draw(patched, family), expected) and len(graphs) == before
