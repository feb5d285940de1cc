"""Which word acts where: each place has the word that looks at it most, in units of the word's own mean."""

import pytest
import torch
from pack.attention.captured import Captured
from pack.attention.ranking import rank

SIZE = (64, 48)


def captured(words: dict, others: dict | None = None, batch: int = 1) -> Captured:
    """words: name -> (8, 6), the same in every picture."""
    maps = torch.stack(list(words.values())).expand(batch, -1, -1, -1)
    others = {next(iter(words)): tuple(words)[1:]} if others is None else others
    return Captured(tuple(words), others, {"in.1": maps}, None, (0, 0), torch.zeros(batch, 4, 8, 6))


def spot(value: float = 0.4, low: float = 0.02) -> torch.Tensor:
    """Two cells high and wide, from cell (2, 2) on."""
    grid = torch.full((8, 6), low)
    grid[2:4, 2:4] = value
    return grid


def of(ranking, word: str) -> torch.Tensor:
    return ranking.owner == ranking.words.index(word)


def test_an_object_has_its_place_and_what_is_everywhere_the_rest():
    beach = torch.full((8, 6), 0.9) - spot(0.2, 0.0)
    found = rank(captured({"dog": spot(), "beach": beach}), SIZE)
    dog = of(found, "dog")[0]
    assert found.words == ("beach", "dog") and found.owner.shape == (1, *SIZE)
    assert dog[20:28, 20:28].all() and not dog[:10].any() and not dog[40:].any()
    beach = of(found, "beach")[0]
    assert beach[:10].all() and beach[40:].all() and beach[:, :8].all()
    assert found.shares == pytest.approx((beach.float().mean().item(), dog.float().mean().item()))


def test_a_place_that_no_word_looks_at_is_nobody_s():
    found = rank(captured({"dog": spot()}), SIZE)
    assert (found.owner[0, :10] == -1).all() and of(found, "dog")[0, 20:28, 20:28].all()
    nothing = rank(captured({"dog": torch.zeros(8, 6)}), SIZE)
    assert (nothing.owner == -1).all() and nothing.shares == (0.0,)


def test_words_of_a_phrase_do_not_count_beside_it():
    words = {"red dog": spot(), "red": spot(0.9), "dog": spot(0.9), "sky": torch.full((8, 6), 0.1)}
    found = rank(captured(words, {"red dog": ("sky",)}, batch=2), SIZE)
    assert found.words == ("sky", "red dog") and found.owner.shape == (2, *SIZE)
    both = rank(captured(words, {"red dog": ("sky",), "sky": ("red", "dog")}), SIZE)
    assert sorted(both.words) == ["red dog", "sky"]
