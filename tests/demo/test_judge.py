"""The judge: islands of cells, and that it reads renderings right."""

import numpy as np
import pytest
import torch
from pack.demo import judge
from pack.demo.scenes import Scene, Thing, random_scene, render
from pack.demo.train.data import TEST_SEED, scene


def test_islands_are_the_connected_parts_largest_first():
    cells = np.zeros((16, 16), bool)
    cells[1:4, 1:4] = cells[10, 2:12] = True
    cells[4, 4] = True  # touches the square by a corner only
    parts = judge.islands(cells)
    assert [int(part.sum()) for part in parts] == [10, 9, 1]
    assert np.array_equal(sum(part.astype(int) for part in parts) > 0, cells)


def test_coverage_is_the_share_of_each_cell():
    mask = np.zeros((1, 128, 128), np.float32)
    mask[0, 8:16, 24:28] = 1
    expected = np.zeros((1, 16, 16))
    expected[0, 1, 3] = 0.5
    assert np.array_equal(judge.coverage(mask), expected)


def test_overlap_leaves_out_what_has_no_answer():
    share = np.zeros((16, 16))
    share[4, 4:8], share[5, 4:8] = 1.0, 0.2
    cells = share > 0
    assert judge.overlap(cells, share) == 1  # the second row may be the object's or not
    cells[6, 4:8] = True
    assert judge.overlap(cells, share) == 0.5
    assert judge.overlap(np.roll(cells, 8, 1), share) == 0


@pytest.fixture(scope="module")
def reader():
    if not judge.WEIGHTS.is_file():
        pytest.skip("the judge has no weights here: train it with demo/train/run.py judge")
    return judge.load()


def test_it_reads_two_objects_with_their_places(reader):
    things = (Thing("star", "red", False, 32, 64, 22), Thing("ring", "blue", False, 96, 64, 22))
    picture, masks = render(Scene(things, "snow", "", "left of"))
    (reading,) = judge.read(reader, torch.from_numpy(picture)[None])
    assert (reading.background, reading.style) == ("snow", "")
    assert reading.has("star", "red") and reading.has("ring", "blue") and not reading.has("star", "blue")
    for thing, mask in zip(things, masks, strict=True):
        found = next(f for f in reading.things if f.shape == thing.shape)
        truth = judge.coverage(mask[None])[0] > judge.INSIDE
        assert (found.cells & truth).sum() / (found.cells | truth).sum() > 0.7


def test_it_reads_held_out_scenes(reader):
    scenes = [scene(i, TEST_SEED) for i in range(60)]
    readings = judge.read(reader, torch.from_numpy(np.stack([render(s)[0] for s in scenes])))
    assert np.mean([r.background == s.background for r, s in zip(readings, scenes, strict=True)]) >= 0.97
    assert np.mean([r.has(t.shape, t.colour) for r, s in zip(readings, scenes, strict=True) for t in s.things]) >= 0.95


def test_it_finds_held_out_objects_in_their_places(reader):
    scenes = [random_scene(np.random.default_rng((TEST_SEED, 5, i)), 1) for i in range(60)]
    pictures, masks = (np.stack(both) for both in zip(*(render(s) for s in scenes), strict=True))
    readings = judge.read(reader, torch.from_numpy(pictures))
    pairs = list(zip(readings, judge.coverage(masks[:, 0]), strict=True))
    best = [max((judge.overlap(found.cells, share) for found in reading.things), default=0) for reading, share in pairs]
    assert np.mean(np.array(best) >= 0.6) >= 0.97
