"""One strength curve for eps, v-prediction and flow models."""

import pytest
from pack.attention.strength import LARGEST, noise_ratio, schedule_position

TABLE = {
    740: 3.929107,
    720: 3.615781,
    700: 3.334388,
    780: 4.670869,
    240: 0.670083,
    220: 0.620052,
    200: 0.571666,
    999: 14.614647,
}


@pytest.mark.parametrize("step", TABLE)
def test_published_schedule(step):
    assert schedule_position(TABLE[step]) * 999 == pytest.approx(step, abs=2e-3)


def test_between_steps_it_is_linear_in_log_sigma():
    low, high = TABLE[700], TABLE[720]
    middle = schedule_position((low * high) ** 0.5) * 999
    assert 709.9 < middle < 710.2
    positions = [schedule_position(0.02 * 1.01**n) for n in range(700)]
    assert positions == sorted(positions)


def test_its_ends():
    assert schedule_position(0.0) == schedule_position(0.01) == schedule_position(0.029167) == 0
    assert schedule_position(0.02917) > 0
    assert schedule_position(LARGEST) == pytest.approx(1, abs=1e-6)
    assert schedule_position(4500.0) == 1


@pytest.mark.parametrize("sigma", [0.0, 0.03, 1.0, 5.0, 14.6])
def test_eps_and_v_models_keep_their_sigma(sigma):
    assert noise_ratio(sigma, flow=False) == sigma


@pytest.mark.parametrize("sigma, flow", [(14.7, False), (4500.0, False), (1.0, True), (0.99, True)])
def test_never_beyond_the_largest_of_sd1(sigma, flow):
    assert noise_ratio(sigma, flow) == LARGEST


@pytest.mark.parametrize("ratio", [0.0, 0.05, 0.5, 1.0, 3.929107, 12.0])
def test_a_flow_model_at_the_same_noise_gets_the_same_ratio(ratio):
    sigma = ratio / (1 + ratio)  # (1 - s) z0 + s eps over (1 - s) is z0 + ratio * eps
    assert noise_ratio(sigma, flow=True) == pytest.approx(noise_ratio(ratio, flow=False), rel=1e-12)
