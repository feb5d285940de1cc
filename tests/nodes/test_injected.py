"""Injected Masks: smaller masks, soft edges, and the picture that was put back."""

import pytest
import torch
from pack.sampling.moving import Move

SAMPLES = torch.ones(2, 4, 4, 6)
IMAGE = torch.rand(2, 32, 48, 3, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def show(comfy):
    """f(moves, **inputs) -> (masks, picture) of one injection that put a box of 2 x 3 cells back."""
    from pack.nodes.injected import InjectedMasks
    from pack.patches.run.maps import Cuts, Maps

    def shown(moves=(), **given):
        maps, masks = Maps(), torch.zeros(2, 4, 6)
        masks[:, 1:3, 3:] = 1.0
        maps.add(Cuts(masks, SAMPLES, 8, tuple(moves)))
        return InjectedMasks.execute(maps=maps, latent={"samples": SAMPLES}, **given).result

    return shown


def test_neutral_is_the_mask_itself(show):
    mask = torch.zeros(2, 32, 48)
    mask[:, 8:24, 24:] = 1.0
    assert torch.equal(show()[0], mask) and torch.equal(show(shrink=0.0, feather=0.0, image=IMAGE)[0], mask)


def test_shrink_takes_cells_off_but_not_at_the_pictures_border(show):
    mask = torch.zeros(2, 32, 48)
    mask[:, 12:20, 28:] = 1.0
    assert torch.equal(show(shrink=0.5)[0], mask)
    assert not show(shrink=1.0)[0].any()


def test_feather_fades_evenly_to_both_sides(show):
    row = show(feather=1.0)[0][0, 16, 16:32]
    ramp = torch.arange(1, 9) / 9
    torch.testing.assert_close(row, torch.cat([torch.zeros(4), ramp, torch.ones(4)]))
    torch.testing.assert_close(show(feather=1.0)[0][0, 16, 40:], torch.ones(8))


def test_the_picture_comes_out_as_its_subject_was_moved(show):
    assert show(image=IMAGE)[1] is IMAGE
    moves = [Move((4, 6), 1.0, 0, 0), Move((4, 6), 1.0, 1, -2)]
    found = show(moves, image=IMAGE)[1]
    assert torch.equal(found[0], IMAGE[0]) and torch.equal(found[1, 8:, :32], IMAGE[1, :24, 16:])
    assert torch.equal(show(moves, image=IMAGE[1:])[1][1], found[1])
    assert torch.equal(show(moves[1:], image=IMAGE)[1][1], found[1])


def test_counts_that_do_not_fit_are_told(show):
    with pytest.raises(ValueError, match="The image holds 3 pictures, but 2 were moved, each in its own way") as error:
        show([Move((4, 6))] * 2, image=torch.rand(3, 32, 48, 3))
    assert "\n" not in str(error.value)


def test_without_an_image_what_asks_for_the_picture_is_told(show):
    """The host answers whoever takes this output with its message, and goes on if nobody does."""
    from comfy_execution.graph_utils import ExecutionBlocker

    blocked = show()[1]
    assert isinstance(blocked, ExecutionBlocker) and "connect the picture that is kept to its image" in blocked.message
