"""What counts as a look: entries, areas and ranges of the positive, and only the sampler's own call of a step."""

import pytest
import torch
from pack.tests.patches.seeing import FAMILY, ROWS, agree, read, seen, texts


def perturbed(model):
    from comfy_extras.nodes_pag import PerturbedAttentionGuidance

    return PerturbedAttentionGuidance.execute(model, 3.0).result[0]


def self_attention_guidance(model):
    from comfy_extras.nodes_sag import SelfAttentionGuidance

    return SelfAttentionGuidance.execute(model, 0.5, 2.0).result[0]


@pytest.mark.parametrize("node", [perturbed, self_attention_guidance])
def test_passes_inside_a_step_are_not_looked_at(comfy, node):
    """After one step the sampler's own call has seen the same noise with and without the node."""
    (positive, negative), latent = texts(), FAMILY.latent(1, 16, 16)
    both = [FAMILY.conditioning(), positive + FAMILY.conditioning("red dog", 154)]
    for given in both:
        plain = seen(FAMILY.model(), latent, given, negative, "red dog", steps=1, self_attention=True)
        ours = seen(node(FAMILY.model()), latent, given, negative, "red dog", steps=1, self_attention=True)
        for block, layer in plain.layers.items():
            torch.testing.assert_close(ours.layers[block], layer, rtol=1e-5, atol=0)
        torch.testing.assert_close(ours.self_attention, plain.self_attention, rtol=1e-5, atol=0)
    reader = read(positive[0][0], ROWS, node(FAMILY.model()), latent, positive, negative, steps=1)
    if node is perturbed:  # SAG's extra pass has only the negative's text
        assert len(reader.seen["in.1", "cat"]) == 2


def test_several_positives_count_alike(comfy):
    import nodes

    one, other = FAMILY.conditioning(), FAMILY.conditioning("cat on a red mat")
    positive = nodes.ConditioningCombine().combine(one, other)[0]
    latent, negative = FAMILY.latent(2, 16, 12), texts()[1]
    captured = seen(FAMILY.model(), latent, positive, negative, "cat")
    given = (FAMILY.model(), latent, positive, negative)
    readers = read(one[0][0], {"cat": (7,)}, *given), read(other[0][0], {"cat": (1,)}, *given)
    at = captured.words.index("cat")
    for block, layer in captured.layers.items():
        both = sum(reader.mean(block, "cat") for reader in readers) / 2
        assert (layer[:, at] - both).abs().max() <= 1e-5 * both.max()
    assert captured.words == ("cat", "red", "dog", "blue", "mat")


@pytest.mark.parametrize(
    ("area", "size", "places"),
    [
        ((8, 8, 4, 2), (17, 12), [((17, 12), (4, 2), (8, 8)), ((9, 6), (2, 1), (4, 4))]),
        ((9, 11, 4, 1), (17, 12), [((17, 12), (4, 1), (9, 11)), ((9, 6), (2, 0), (5, 6))]),
        ((16, 8, 6, 5), (11, 13), [((11, 13), (6, 5), (5, 8)), ((6, 7), (3, 2), (3, 4))]),  # cut at the lower edge
    ],
)
@pytest.mark.parametrize("alone", [False, True])
def test_an_area_is_pasted_where_it_lies(comfy, area, size, places, alone):
    """Areas and places in cells (rows, columns, ...); the area's copy in the negative is not looked at."""
    import nodes

    phrase, beach = FAMILY.conditioning(), FAMILY.conditioning("a beach")
    rows, columns, top, left = (8 * side for side in area)
    positive = nodes.ConditioningSetArea().append(phrase, columns, rows, left, top, 1.0)[0]
    positive, latent, negative = positive + ([] if alone else beach), FAMILY.latent(1, *size), texts()[1]
    captured = seen(FAMILY.model(), latent, positive, negative, "cat")
    reader = read(phrase[0][0], ROWS, FAMILY.model(), latent, positive, negative)
    for block, layer in captured.layers.items():
        whole, (top, left), part = next(place for place in places if place[0] == tuple(layer.shape[2:]))
        own, cat = reader.mean(block, "cat"), layer[:, captured.words.index("cat")].clone()
        assert own.shape[1:] == part
        inside = cat[:, top : top + part[0], left : left + part[1]]
        assert (inside - own).abs().max() <= 1e-5 * own.max()
        inside.zero_()
        assert not cat.any()
    assert {tuple(layer.shape[2:]) for layer in captured.layers.values()} == {place[0] for place in places}


def test_an_entry_of_a_part_of_the_steps_counts_only_there(comfy):
    import nodes

    early, beach = FAMILY.conditioning(), FAMILY.conditioning("a beach")
    positive = [*nodes.ConditioningSetTimestepRange().set_range(early, 0.0, 0.5)[0], *beach]
    latent, negative = FAMILY.latent(1, 8, 8), texts()[1]
    captured = seen(FAMILY.model(), latent, positive, negative, "cat", "beach", steps=4)
    given = (FAMILY.model(), latent, positive, negative)
    cat, sand = (read(c[0][0], w, *given, steps=4) for c, w in ((early, ROWS), (beach, {"beach": (2,)})))
    assert len(cat.seen["mid.0", "cat"]) == 2 and len(sand.seen["mid.0", "beach"]) == 4
    assert agree(captured, "cat", cat) and agree(captured, "beach", sand)
