"""The blocks in which a picture looks at itself, by presets and sites."""

import pytest

UNET = ["in.1", "in.2", "in.4", "mid.0", "out.3", "out.4"]
FLUX = [f"double.{i}" for i in range(4)] + [f"single.{i}" for i in range(5)]


@pytest.mark.parametrize(
    ("blocks", "preset", "expected"),
    [
        (UNET, "all", UNET),
        (UNET, "down path", UNET[:3]),
        (UNET, "middle", ["mid.0"]),
        (UNET, "up path", UNET[4:]),
        (FLUX, "all", FLUX),
        (FLUX, "down path", FLUX[:4]),
        (FLUX, "middle", FLUX[4:5]),
        (FLUX, "up path", FLUX[5:]),
    ],
)
def test_presets(comfy, blocks, preset, expected):
    from pack.patches.models.layers import Layers

    assert Layers(blocks).preset(preset) == expected


def test_a_range_may_run_over_blocks_without(comfy):
    from pack.patches.models.features import site_weights
    from pack.patches.models.layers import Layers

    layers = Layers(UNET)
    assert layers.counts == {"in": 5, "mid": 1, "out": 5}
    assert layers.attending(site_weights("in.1-4:0.5, mid", "all", layers)) == {
        "in.1": 0.5,
        "in.2": 0.5,
        "in.4": 0.5,
        "mid.0": 1.0,
    }
    with pytest.raises(ValueError, match=r"this model has it in in\.1-2, in\.4, mid\.0, out\.3-4\.$"):
        layers.attending(site_weights("in.3", "all", layers))
