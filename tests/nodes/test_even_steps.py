"""Even Steps as the host runs it, with lists."""

import pytest
import torch

pytest.importorskip("PIL")
LEVELS = [0.0, 0.1, 0.9, 1.0]


@pytest.fixture
def even(comfy):
    from pack.nodes.even_steps import EvenSteps

    def run(values, levels, count=5, still=0.05, limit=0.0, **more):
        images = [torch.full((1, 16, 24, 3), level) for level in levels]
        return EvenSteps.execute(images, values, [count], [still], [limit], **more)

    return run


def test_it_gives_lists_the_host_maps_over_and_shows_the_curve(even):
    from pack.nodes.even_steps import EvenSteps

    done = even([0.0, 1.0, 2.0, 3.0], LEVELS, prefix=["theta "], decimals=[2])
    values, labels, seen = done.result
    assert values == pytest.approx([0.0, 1.1875, 1.5, 1.8125, 3.0], abs=1e-5)
    assert labels == ["theta 0.00", "theta 1.19", "theta 1.50", "theta 1.81", "theta 3.00"]
    assert seen.values == (0.0, 1.0, 2.0, 3.0)
    assert done.ui.as_dict()["images"]
    schema = EvenSteps.GET_SCHEMA()
    assert schema.is_input_list and schema.has_intermediate_output
    assert [output.is_output_list for output in schema.outputs] == [True, True, False]


def test_a_second_look_keeps_the_ends_of_the_first(even):
    seen = even([0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 0.5, 1.0]).result[2]
    assert seen.values == (1.0, 2.0, 3.0)  # nothing happens from 0 to 1
    values = even([1.0, 1.5, 3.0], [0.0, 0.001, 1.0], count=3, earlier=[seen]).result[0]
    assert values == pytest.approx([1.0, 2.0, 3.0], abs=1e-2) and (values[0], values[-1]) == (1.0, 3.0)


def test_the_limit_and_still_ends(even):
    assert even([0, 1, 2, 3], LEVELS, limit=0.95).result[0][-1] == 2
    assert even([3, 2, 1, 0], [0.0, 0.01, 0.5, 1.0]).result[0][0] == 2
    assert even([3, 2, 1, 0], [0.0, 0.01, 0.5, 1.0], still=0.0).result[0][0] == 3


@pytest.mark.parametrize(
    ("values", "levels", "said"),
    [
        ([0.0], [0.1], "Even Steps: One picture"),
        ([0.0, 1.0], [0.1], "Even Steps: There are 2 values for 1 picture"),
        ([0.0, float("nan")], [0.1, 0.2], "Even Steps: values is nan"),
        ([0.0, 1.0], [0.1, float("nan")], "Even Steps: The images holds values that are not finite"),
        ([0.0, 2.0, 1.0], [0.1, 0.2, 0.3], "Even Steps: The values 0, 2, 1 turn back"),
        ([0.0, 1.0], [0.5, 0.5], "Even Steps: All pictures are alike"),
    ],
)
def test_what_cannot_be_spaced_is_refused_by_name(even, values, levels, said):
    with pytest.raises(ValueError, match=said):
        even(values, levels)


def test_counts_out_of_range_and_other_probes_are_refused(even):
    with pytest.raises(ValueError, match="count is 1, but it must be from 2 to 64"):
        even([0, 1], [0.0, 1.0], count=1)
    with pytest.raises(ValueError, match="earlier is of the kind dict, but it must be LM_PROBES"):
        even([0, 1], [0.0, 1.0], earlier=[{}])


def test_the_curve_is_drawn_between_its_ends(comfy):
    from pack.nodes.pictures.curve import HEIGHT, MARGIN, WIDTH, draw_curve

    for values in ((0.0, 0.5, 1.0), (1.0, 0.5, 0.0)):
        drawn = draw_curve(values, (0.0, 0.2, 1.0), [values[0], 0.75, values[-1]])
        assert drawn.shape == (1, HEIGHT, WIDTH, 3) and drawn.min() >= 0 and drawn.max() == 1
        blue = (drawn[0, ..., 2] - drawn[0, ..., 0]) > 0.3
        assert blue[HEIGHT - MARGIN, MARGIN] and blue[MARGIN, WIDTH - MARGIN]
        assert blue[HEIGHT - MARGIN - round(0.2 * (HEIGHT - 2 * MARGIN)), WIDTH // 2]
        assert not blue[: HEIGHT // 2, : WIDTH // 2].any()
