"""What a recorded pass gets beside the latent."""

import pytest
import torch
from pack.tests.reach import REACH
from pack.tests.tiny_models import sample


@pytest.mark.parametrize(
    ("area", "shape", "wanted"),
    [
        ((8, 8, 0, 4), (1, 4, 16, 16), (8, 8, 0, 4)),
        ((64, 64, 0, 64), (1, 4, 96, 96), (64, 32, 0, 64)),  # over the edge
        ((64, 64, 48, 0), (2, 16, 5, 96, 96), (5, 48, 64, 0, 48, 0)),
    ],
)
def test_areas_are_cut_as_the_host_cuts_them(comfy, area, shape, wanted):
    from pack.patches.run.record import _narrowed

    assert _narrowed(area, shape) == wanted


@pytest.mark.parametrize("mix", ["add", "share"])
def test_an_area_over_the_edge_of_an_image_to_video_model(comfy, mix):
    """Its conditioning brings latents of frames, of which the host cuts out the area."""
    from pack.patches.infuse import InfuseSettings, infuse

    family = REACH["wan_i2v"]
    [[text, options]] = family.conditioning()
    positive = [[text, {**options, "area": (12, 12, 8, 8)}], *family.conditioning("a beach")]
    latent = family.latent(1, 16, 16, frames=2)
    pictures = torch.randn(latent.shape, generator=torch.Generator().manual_seed(5))
    settings = InfuseSettings(weight=0.5, preset="all", mix=mix)
    out = sample(infuse(family.model(), pictures, None, settings), latent, positive, family.conditioning(""), steps=1)
    plain = sample(family.model(), latent, positive, family.conditioning(""), steps=1)
    assert out.isfinite().all() and not torch.equal(out, plain)
