"""Errors carry the name of the node they come from, once."""

import pytest


def test_the_first_name_stays(comfy):
    from pack.patches.run.told import speaking

    with pytest.raises(ValueError, match=r"^Inner: No\.$"), speaking("Outer"), speaking("Inner"):
        raise ValueError("No.")


def test_other_errors_pass(comfy):
    from pack.patches.run.told import speaking

    with pytest.raises(KeyError, match="^'no'$"), speaking("Outer"):
        raise KeyError("no")


def test_a_run_names_the_node_whose_phrase_is_missing(comfy):
    """Also where another node of ours samples, as Subject Mask does."""
    from pack.patches.probe import ProbeSettings, probe
    from pack.tests.patches.placing import place, region
    from pack.tests.tiny_models import FAMILIES

    family = FAMILIES["sd1"]
    patched = place(family.model(), region("zebra"))
    latent = {"samples": family.latent() + 1}
    with pytest.raises(ValueError, match=r"^Region Attention: The phrase 'zebra' is not in the prompt; "):
        probe(patched, family.conditioning(), latent, ProbeSettings(("red dog",)))
    with pytest.raises(ValueError, match=r"^Subject Mask from Attention: The phrase 'zebra' is not in the prompt; "):
        probe(family.model(), family.conditioning(), latent, ProbeSettings(("zebra",)))


def test_a_title_that_says_the_wish_is_called_by_its_technique(comfy):
    from pack.patches.run.told import speaking, technique

    assert technique("Keep Subject (Latent Cache Inject)") == "Latent Cache Inject"
    assert technique("Value Sweep") == "Value Sweep"
    with pytest.raises(ValueError, match=r"^Infusion Bias: No\.$"), speaking("Bias by Pictures (Infusion Bias)"):
        raise ValueError("No.")
