"""After a run its model is gone with the last name for it: nothing waits for a collection of garbage."""

import gc
import weakref

import pytest
from pack.tests.patches.guiding import concept, guided
from pack.tests.patches.infusing import SMALL, biased, pictures
from pack.tests.patches.injecting import inject, picture
from pack.tests.patches.placing import place, region
from pack.tests.patches.seeing import capture
from pack.tests.tiny_models import FAMILIES, sample

SIZE = (16, 16)
NODES = {
    "capture": lambda model: capture(model, "red dog")[0],
    "regions": lambda model: place(model, region()),
    "semantic": lambda model: guided(model, concept(), mask="ledits")[0],
    "inject": lambda model: inject(model, picture(FAMILIES["sd1"], height=16, width=16), phrase="red dog")[0],
    "infuse": lambda model: biased(model, pictures(), SMALL),
}


@pytest.mark.parametrize("names", [*([name] for name in NODES), list(NODES)], ids="+".join)
def test_a_model_that_was_sampled_is_gone_at_once(comfy, names):
    """Two that die in one collection leave a dead entry in the host's list, which then never takes it out."""
    family = FAMILIES["sd1"]
    patched = family.model().clone()
    for name in names:
        patched = NODES[name](patched)
    last = weakref.ref(patched)
    gc.collect()
    gc.disable()
    try:
        sample(patched, family.latent(1, *SIZE), family.conditioning(), family.conditioning(""))
        del patched
        assert last() is None
    finally:
        gc.enable()
