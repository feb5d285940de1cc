"""What a LATENT tells without its model."""

import pytest
import torch


@pytest.mark.parametrize(
    ("shape", "marked", "pixels"),
    [
        ((1, 4, 8, 8), {}, 8),
        ((1, 16, 8, 8), {}, 8),
        ((1, 128, 8, 8), {}, 16),  # Flux.2
        ((1, 64, 8, 8), {}, 32),  # HunyuanImage 2.1
        ((1, 3, 64, 64), {}, 1),  # pixels
        ((1, 16, 3, 8, 8), {}, 8),
        ((1, 48, 3, 8, 8), {}, 16),  # Wan 2.2 5B
        ((1, 128, 3, 8, 8), {}, 32),  # LTX
        ((1, 4, 8, 8), {"downscale_ratio_spacial": 16}, 16),
        ((1, 7, 8, 8), {}, 8),  # of no model that the host knows
    ],
)
def test_pixels_per_cell(comfy, shape, marked, pixels):
    from pack.patches.run.latents import pixels_per_cell

    assert pixels_per_cell({"samples": torch.zeros(shape), **marked}) == pixels


def test_of_video_and_sound_the_video_counts(comfy):
    from comfy.nested_tensor import NestedTensor
    from pack.patches.run.latents import pixels_per_cell, video_part

    video, sound = torch.zeros(1, 128, 3, 8, 8), torch.zeros(1, 8, 20, 16)
    both = NestedTensor((video, sound))
    assert video_part(both) is video and video_part(video) is video
    assert pixels_per_cell({"samples": both}) == 32
