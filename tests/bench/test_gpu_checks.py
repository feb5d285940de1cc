"""What the checks on a device call right and what they find."""

import pytest
import torch

CPU = torch.device("cpu")


@pytest.fixture
def checks(comfy):
    from pack.bench import gpu_checks

    yield gpu_checks
    gpu_checks.expected.cache_clear()


def test_a_model_again_is_the_same_or_in_another_dtype(checks):
    from pack.bench.gpu_effects import Given
    from pack.tests.tiny_models import FAMILIES

    family = FAMILIES["flux"]
    plain = Given(family, family.model())
    same = checks.again(family.model(), torch.float32, torch.float32, CPU)
    assert torch.equal(plain.sample(same), plain.sample(plain.model))
    half = checks.again(family.model(), torch.float16, torch.float16, CPU)
    assert half.model.get_dtype() == torch.float16
    assert 0 < checks.error(plain.sample(half), plain.sample(plain.model)) < 0.1


def test_an_effect_that_is_further_off_than_the_plain_model_is_listed(checks, monkeypatch):
    right = checks.outcome
    monkeypatch.setattr(checks, "EFFECTS", {name: checks.EFFECTS[name] for name in ("regions_2", "inject_3")})
    found = checks.Found()
    checks._compare(found, "float32", checks.Mode(), "flux", CPU)
    assert found.checked == 2 and not found.log.failed
    monkeypatch.setattr(
        checks, "outcome", lambda given, effect: right(given, effect) * (1 + (effect == "inject_3") / 9)
    )
    checks._compare(found, "float32", checks.Mode(), "flux", CPU)
    assert [line.split(":")[0] for line in found.log.failed] == ["float32, flux, inject_3"]
