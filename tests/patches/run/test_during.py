"""Windows over CONDITIONING, as the host reads them."""

import math

import pytest
import torch

SCHEDULES = ["normal", "karras", "simple", "beta", "sgm_uniform"]
WINDOWS = [(0.0, 1.0), (0.0, 0.5), (0.5, 1.0), (0.25, 0.75), (0.3, 0.301), (0.0, 0.001), (0.999, 1.0), (0.5, 0.5)]


@pytest.fixture(scope="module")
def samplings(comfy):
    """Noise schedules of an eps model and of two flow models."""
    import comfy.model_sampling as ms

    class Eps(ms.ModelSamplingDiscrete, ms.EPS):
        pass

    class Flow(ms.ModelSamplingDiscreteFlow, ms.CONST):
        pass

    class Flux(ms.ModelSamplingFlux, ms.CONST):
        pass

    return [Eps(), Flow(), Flux()]


def active(tiles, sampling, sigma):
    """The tiles whose range the host finds open at this sigma."""
    from comfy.samplers import calculate_start_end_timesteps, get_area_and_mult

    conds = [{**keys, "n": n, "model_conds": {}, "uuid": n} for n, (_, keys) in enumerate(tiles)]
    holder = type("Model", (), {"model_sampling": sampling})
    calculate_start_end_timesteps(holder, conds)
    x = torch.zeros(1, 4, 2, 2)
    return [c["n"] for c in conds if get_area_and_mult(c, x, torch.tensor([sigma], dtype=torch.float32)) is not None]


@pytest.mark.parametrize("window", WINDOWS)
def test_exactly_one_text_at_every_noise_level_of_the_host(samplings, window):
    from comfy.samplers import calculate_sigmas
    from pack.patches.run.during import during

    base, moved = [None, {"is": "base"}], [None, {"is": "moved"}]
    tiles = during(base, moved, *window)
    for sampling in samplings:
        high, low = (float(torch.tensor(sampling.percent_to_sigma(p))) for p in window)
        sigmas = [s for name in SCHEDULES for s in calculate_sigmas(sampling, name, 20).tolist()[:-1]]
        sigmas += [s for name in ("normal", "simple") for s in calculate_sigmas(sampling, name, 3).tolist()[:-1]]
        edges = [torch.tensor(e, dtype=torch.float32) for e in (high, low) if 0 < e < 1e6]
        sigmas += [float(e) for edge in edges for e in (edge, edge.nextafter(edge * 2), edge.nextafter(edge * 0))]
        for sigma in sigmas:
            opened = active(tiles, sampling, sigma)
            assert len(opened) == 1, (sigma, tiles)
            inside = low <= sigma <= high and window[0] < window[1]
            near = any(math.isclose(sigma, edge, rel_tol=1e-6) for edge in (high, low))
            assert near or tiles[opened[0]][1]["is"] == ("moved" if inside else "base")


def test_the_window_includes_both_of_its_ends(samplings):
    from pack.patches.run.during import during

    tiles = during([None, {"is": "base"}], [None, {"is": "moved"}], 0.25, 0.75)
    for sampling in samplings:
        for percent in (0.25, 0.75):
            opened = active(tiles, sampling, sampling.percent_to_sigma(percent))
            assert [tiles[n][1]["is"] for n in opened] == ["moved"]


@pytest.mark.parametrize(
    ("own", "window", "wanted"),
    [
        ({}, (0.0, 1.0), ["moved 0 1"]),
        ({"start_percent": 0.2, "end_percent": 0.8}, (0.0, 1.0), ["moved 0.2 0.8"]),
        ({"start_percent": 0.2, "end_percent": 0.8}, (0.5, 1.0), ["base 0.2 0.5", "moved 0.5 0.8"]),
        ({"start_percent": 0.2, "end_percent": 0.8}, (0.2, 0.4), ["moved 0.2 0.4", "base 0.4 0.8"]),
        ({"start_percent": 0.5}, (0.1, 0.4), ["base 0.5 1"]),
        ({"end_percent": 0.5}, (0.5, 1.0), ["base 0 0.5"]),
        ({"clip_start_percent": 0.5, "clip_end_percent": 1.0}, (0.0, 0.5), ["base 0 1"]),
        ({"clip_start_percent": 0.0, "clip_end_percent": 0.5}, (0.2, 0.7), ["base 0 0.2", "moved 0.2 1"]),
        ({}, (0.4, 0.4), ["base 0 1"]),
    ],
)
def test_an_entry_keeps_its_own_range(comfy, own, window, wanted):
    from pack.patches.run.during import during

    base, moved = [None, {"is": "base", **own}], [None, {"is": "moved", **own}]
    got = [
        f"{keys['is']} {round(keys.get('start_percent', 0), 3):g} {round(keys.get('end_percent', 1), 3):g}"
        for _, keys in during(base, moved, *window)
    ]
    assert got == wanted
    assert base[1] == {"is": "base", **own} and moved[1] == {"is": "moved", **own}


@pytest.mark.parametrize("window", WINDOWS)
def test_ranges_meet_without_a_gap(comfy, window):
    from pack.patches.run.during import during

    ranges = [
        (keys.get("start_percent", 0), keys.get("end_percent", 1)) for _, keys in during([0, {}], [1, {}], *window)
    ]
    assert ranges[0][0] == 0 and ranges[-1][1] == 1
    assert all(before[1] == after[0] for before, after in zip(ranges, ranges[1:], strict=False))
