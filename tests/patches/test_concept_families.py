"""Concepts that act by attention in every transformer whose attention to its text is reached."""

import pytest
import torch
from pack.tests.patches.guiding import concept, edit
from pack.tests.reach import REACH
from pack.tests.reach.oracle import frames_of, noise_of, run, video

REFUSED = ("ernie", "pixart", "hydit", "hidream")
NAMES = [name for name in REACH if REACH[name].config[:2] != "SD" and not name.startswith(REFUSED)]


@pytest.mark.parametrize("name", NAMES)
def test_it_acts_twice_alike_and_off_is_exact(comfy, name):
    family = REACH[name]
    if not family.known:
        pytest.skip(f"this host has no {family.config}")
    noise = noise_of(family, 1, frames_of(family))

    def draw(model):
        return video(run(model, noise, family.conditioning(), family.conditioning("blurry"), 1, 3.0))

    model = family.model()
    plain, patched = draw(model), edit(model, concept(family=family, how="attention"))
    out = draw(patched)
    assert out.isfinite().all() and (out - plain).abs().max() > 1e-4 * plain.abs().max()
    assert torch.equal(draw(patched), out)
    assert torch.equal(draw(edit(model, concept(family=family, how="attention", scale=0.0))), plain)
    assert torch.equal(draw(model), plain)


def test_a_block_in_which_the_picture_also_looks_at_itself_keeps_the_text_s_keys(comfy, monkeypatch):
    from pack.patches.run.text_keys import TextKeys

    family, found, keys = REACH["boogu"], [], TextKeys.keys
    if not family.known:
        pytest.skip(f"this host has no {family.config}")
    monkeypatch.setattr(TextKeys, "keys", lambda *args: found.append(keys(*args)) or found[-1])
    patched = edit(family.model(), concept(family=family, how="attention"))
    run(patched, noise_of(family), family.conditioning(), family.conditioning("blurry"), 1, 3.0)
    assert {kept.k.shape[2] for kept in found[0].values()} == {family.rows}
