"""Moving CONDITIONING: what is kept, lengths, masks, batches."""

import copy

import pytest
import torch

G = torch.Generator().manual_seed(0)


@pytest.fixture(scope="module")
def cond(comfy):
    from pack.patches import slerp as conditioning

    return conditioning


def entry(rows=77, width=8, batch=1, pooled=6, **keys):
    """One conditioning entry of random text."""
    keys = {"pooled_output": torch.randn(batch, pooled, generator=G), **keys} if pooled else keys
    return [torch.randn(batch, rows, width, generator=G), keys]


def same(a, b):
    """Deep equality of conditionings, tensors bit for bit."""
    if torch.is_tensor(a):
        return torch.is_tensor(b) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return a == b


def run(cond, base, target, neutral=None, theta=0.3, **how):
    return cond.move_text(base, target, neutral, cond.TextMove(theta, **how))


def test_theta_0_is_base_whatever_else_is_set(cond):
    base = [entry(area=(1, 2, 3, 4)), entry(154)]
    kept = copy.deepcopy(base)
    for neutral in (None, [entry()]):
        assert same(run(cond, base, [entry(77, 16)], neutral, 0.0, mode="nlerp", start_percent=0.2), kept)


@pytest.mark.parametrize("mode", ["per_token", "global", "lerp", "nlerp"])
@pytest.mark.parametrize("rows", [77, 154])
def test_theta_1_is_the_target(cond, mode, rows):
    base, target = [entry(area=(1, 2, 3, 4))], [entry(rows)]
    out = run(cond, base, target, theta=1.0, mode=mode, norm_limit=1.0)
    assert torch.equal(out[0][0], target[0][0])
    assert same(out[0][1], {"pooled_output": target[0][1]["pooled_output"], "area": (1, 2, 3, 4)})


@pytest.mark.parametrize("mode", ["per_token", "global", "lerp", "nlerp"])
def test_text_and_pooled_move_alike_and_the_rest_is_kept(cond, mode):
    from pack.sampling.slerp import move

    control = object()
    base, target = [entry(control=control, strength=0.5)], [entry(guidance=3.0)]
    kept = copy.copy(base[0][1]), base[0][0].clone(), target[0][0].clone()
    out = run(cond, base, target, mode=mode)
    assert len(out) == 1 and out[0][1].keys() == base[0][1].keys() and out[0][1]["control"] is control
    assert torch.equal(out[0][0], move(base[0][0], target[0][0], 0.3, mode))
    a, b = base[0][1]["pooled_output"], target[0][1]["pooled_output"]
    assert torch.equal(out[0][1]["pooled_output"], move(a[:, None], b[:, None], 0.3, mode)[:, 0])
    assert same(base[0][1], kept[0]) and torch.equal(base[0][0], kept[1]) and torch.equal(target[0][0], kept[2])


def test_neutral_gives_the_direction(cond):
    base, target, neutral = [entry()], [entry()], [entry()]
    v = target[0][0] - neutral[0][0]
    end = run(cond, base, target, neutral, 1.0)
    assert torch.allclose(end[0][0], base[0][0] + v, atol=1e-6)
    assert torch.allclose(
        end[0][1]["pooled_output"],
        base[0][1]["pooled_output"] + target[0][1]["pooled_output"] - neutral[0][1]["pooled_output"],
        atol=1e-6,
    )
    more = run(cond, base, target, neutral, 0.3, mode="lerp", norm_limit=0)[0][0]
    less = run(cond, base, target, neutral, -0.3, mode="lerp", norm_limit=0)[0][0]
    assert torch.allclose(more - base[0][0], 0.3 * v, atol=1e-5) and torch.allclose(
        more + less, 2 * base[0][0], atol=1e-5
    )
    aside = run(cond, base, target, neutral, direction="target - base")
    assert same(aside, run(cond, base, target))


def test_a_target_like_neutral_changes_nothing(cond):
    base, target = [entry()], [entry()]
    for theta in (-1.0, 0.4, 1.0, 2.0):
        assert same(run(cond, base, target, target, theta), base)


@pytest.mark.parametrize(("ours", "theirs"), [(None, 6), (6, None), (None, None)])
def test_without_a_pooled_vector_on_one_side_base_keeps_its_own(cond, ours, theirs):
    base, target = [entry(pooled=ours)], [entry(pooled=theirs)]
    assert same(run(cond, base, target)[0][1], base[0][1])
    base[0][1]["pooled_output"] = None  # as Wan's encoder gives it
    assert run(cond, base, target)[0][1]["pooled_output"] is None


def test_entries_pair_up_or_share_the_first(cond):
    base, three, two = [entry() for _ in range(3)], [entry() for _ in range(3)], [entry(), entry()]
    for target, pick in ((three, lambda i: i), (two, lambda i: 0)):
        out = run(cond, base, target)
        assert same(out, [run(cond, [b], [target[pick(i)]])[0] for i, b in enumerate(base)])


@pytest.mark.parametrize(("ours", "theirs"), [(3, 1), (1, 3), (3, 3)])
def test_batches_of_texts(cond, ours, theirs):
    base, target = entry(batch=ours), entry(batch=theirs)
    out = run(cond, [base], [target])[0]
    assert out[0].shape == (3, 77, 8) and out[1]["pooled_output"].shape == (3, 6)
    for i in range(3):
        alone = [[side[0][i % len(side[0]), None], {}] for side in (base, target)]
        assert torch.allclose(run(cond, alone[:1], alone[1:])[0][0], out[0][i : i + 1], rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match=r"batches of \[2, 3\] texts"):
        run(cond, [entry(batch=2)], [entry(batch=3)])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_worked_on_in_float32(cond, dtype):
    base, target = entry(), entry()
    half = [[side[0].to(dtype), {}] for side in (base, target)]
    full = [[side[0].float(), {}] for side in half]
    out = run(cond, half[:1], half[1:])[0][0]
    assert out.dtype == dtype and torch.equal(out, run(cond, full[:1], full[1:])[0][0].to(dtype))


def test_other_models_and_other_lengths_are_refused(cond):
    with pytest.raises(ValueError, match="base 8, target 16"):
        run(cond, [entry()], [entry(width=16)], theta=1.0)
    with pytest.raises(ValueError, match="base 8, target 8, neutral 4"):
        run(cond, [entry()], [entry()], [entry(width=4)])
    with pytest.raises(ValueError, match="pooled vectors.*base 6, target 9"):
        run(cond, [entry()], [entry(pooled=9)])
    with pytest.raises(ValueError, match=r"\(77 and 154 rows of text\); connect the encoding of an empty prompt"):
        run(cond, [entry()], [entry(154)])
    with pytest.raises(ValueError, match="lacks 40 rows of text and neutral has 5"):
        run(cond, [entry(20)], [entry(60)], [entry(5)], direction="target - base")
    with pytest.raises(ValueError, match="needs neutral"):
        run(cond, [entry()], [entry()], direction="target - neutral")
    with pytest.raises(ValueError, match=r"norm_limit 0\.5"):
        run(cond, [entry()], [entry()], norm_limit=0.5)
    with pytest.raises(ValueError, match="conditioning at target holds no text"):
        run(cond, [entry()], [])


@pytest.mark.parametrize(("ours", "theirs"), [(77, 231), (231, 77), (256, 300), (300, 256)])
def test_the_shorter_prompt_is_filled_from_neutral(cond, ours, theirs):
    base, target, neutral = entry(ours), entry(theirs), entry(77 if ours % 77 == 0 else 256)
    out = run(cond, [base], [target], [neutral], direction="target - base")[0][0]
    rows = neutral[0].repeat(1, 2, 1) if ours % 77 == 0 else neutral[0][:, -44:]
    wide = [[torch.cat([x[0], rows], 1) if x[0].shape[1] < max(ours, theirs) else x[0], {}] for x in (base, target)]
    assert torch.equal(out, run(cond, wide[:1], wide[1:])[0][0])


def test_neutral_itself_is_filled_too(cond):
    base, target, neutral = entry(154), entry(77), entry(77)
    out = run(cond, [base], [target], [neutral], theta=1.0)[0][0]
    v = target[0] - neutral[0]
    assert torch.allclose(out, base[0] + torch.cat([v, torch.zeros_like(v)], 1), atol=1e-6)


def test_sd3_rows_are_filled_block_by_block(cond):
    def sd3(clip, t5):
        x = torch.randn(1, clip + t5, 16, generator=G)
        x[:, :clip, 8:] = 0
        return [x, {}]

    base, target, neutral = sd3(77, 77), sd3(154, 100), sd3(77, 77)
    out = run(cond, [base], [target], [neutral], direction="target - base", theta=1e-6)[0][0]
    a, n = base[0], neutral[0]
    wanted = torch.cat([a[:, :77], n[:, :77], a[:, 77:], n[:, -23:]], 1)
    assert out.shape == (1, 254, 16) and torch.allclose(out, wanted, atol=1e-4)
    crossed = run(cond, [sd3(77, 154)], [sd3(154, 77)], [neutral])[0][0]  # equal sums, other blocks
    assert crossed.shape == (1, 308, 16)


def test_attention_masks_are_united_and_lengthened(cond):
    mask = (torch.arange(300)[None] < torch.tensor([[10]])).long()
    base, target, neutral = entry(256, attention_mask=mask[:, :256]), entry(300), entry(256)
    target[1]["attention_mask"] = (torch.arange(300)[None] < 290).long()
    both = run(cond, [base], [target], [neutral])[0]
    assert torch.equal(both[1]["attention_mask"], target[1]["attention_mask"])
    longer = run(cond, [target], [base], [neutral])[0]
    assert torch.equal(longer[1]["attention_mask"], target[1]["attention_mask"])
    del base[1]["attention_mask"]  # no mask: every row counts
    mixed = run(cond, [target], [base], [neutral])[0][1]["attention_mask"]
    assert mixed.shape == (1, 300) and mixed[:, :290].all() and not mixed[:, 290:].any() and mixed.dtype == torch.long
    assert same(run(cond, [target], [base], theta=1.0)[0], [base[0], base[1]])


def test_a_full_window_adds_no_key(cond):
    out = run(cond, [entry(area=(1, 2, 3, 4))], [entry()])
    assert len(out) == 1 and out[0][1].keys() == {"pooled_output", "area"}
