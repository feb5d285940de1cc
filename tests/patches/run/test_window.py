"""A window is open exactly where the host would hold a conditioning of the same percents active."""

import pytest
import torch

PERCENTS = [(0.0, 1.0), (0.0, 0.5), (0.5, 1.0), (0.25, 0.75), (0.3, 0.301), (0.0, 0.001), (0.999, 1.0), (1 / 3, 0.7)]


@pytest.mark.parametrize("kind", ["ModelSamplingDiscrete", "ModelSamplingDiscreteFlow", "ModelSamplingFlux"])
def test_as_the_host_counts_its_ranges(comfy, kind):
    import comfy.model_sampling
    from comfy.samplers import calculate_sigmas, calculate_start_end_timesteps, get_area_and_mult
    from pack.patches.run.window import Window

    sampling = getattr(comfy.model_sampling, kind)()
    holder, x = type("Model", (), {"model_sampling": sampling}), torch.zeros(1, 4, 2, 2)
    levels = [calculate_sigmas(sampling, name, 20)[:-1] for name in ("normal", "simple", "karras", "beta")]
    edges = [float(sampling.percent_to_sigma(p)) for pair in PERCENTS for p in pair if p]
    seen = set()
    for start, end in PERCENTS:
        conds = [{"start_percent": start, "end_percent": end, "model_conds": {}, "uuid": 0}]
        calculate_start_end_timesteps(holder, conds)
        for sigma in torch.cat([*levels, torch.tensor(edges)]):
            host = get_area_and_mult(conds[0], x, sigma[None]) is not None
            assert Window(start, end).contains(float(sigma), sampling) == host, (start, end, float(sigma))
            seen.add(host)
    assert seen == {True, False}


def test_empty(comfy):
    from pack.patches.run.window import Window

    assert Window(0.5, 0.5).empty and Window(0.6, 0.5).empty
    assert not Window(0.5, 0.501).empty and not Window().empty
