"""One biased attention call of Flux's size against a plain one, by three ways to bias it. `python bench/cost_biased.py`

mask:  a float mask (1, 1, Q, K), zeros but where the picture looks at the text: what the pack does.
merge: the picture looks at itself and at the text apart, and the two results are mixed by their log-sum-exp: no Q x K.
dims:  a region is one more channel of queries and keys: no mask at all.
"""

import statistics
import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).absolute().parent.parent / "tools")
    import alias  # noqa: F401
from pack.tools.inside import enter  # noqa: E402

TEXT, PICTURE, HEADS, WIDTH, PAIRS = 512, 4096, 4, 128, 12
PHRASES, LEFT = ((2, 3), (6, 7)), PICTURE // 2
AMOUNT = 3.0  # what is added to a logit inside


def inputs():
    """q, k, v (1, heads, text + picture, width)."""
    import torch

    generator = torch.Generator().manual_seed(0)
    return [torch.randn(1, HEADS, TEXT + PICTURE, WIDTH, generator=generator) for _ in "qkv"]


def cells():
    """(regions, picture tokens): two halves."""
    import torch

    left = (torch.arange(PICTURE) < LEFT).float()
    return torch.stack([left, 1 - left])


def bias():
    """(1, 1, picture, text)."""
    import torch

    added = torch.zeros(1, 1, PICTURE, TEXT)
    for region, rows in zip(cells(), PHRASES, strict=True):
        added[0, 0, :, list(rows)] += AMOUNT * region[:, None]
    return added


def plain(q, k, v):
    from torch.nn.functional import scaled_dot_product_attention

    return scaled_dot_product_attention(q, k, v)


def mask(q, k, v):
    from torch.nn.functional import scaled_dot_product_attention

    whole = q.new_zeros(1, 1, q.shape[2], k.shape[2])
    whole[:, :, TEXT:, :TEXT] += bias()
    return scaled_dot_product_attention(q, k, v, attn_mask=whole)


def merge(q, k, v):
    import torch

    flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    texts, _ = flash(q[:, :, :TEXT], k, v)
    picture = q[:, :, TEXT:]
    own, own_sum = flash(picture, k[:, :, TEXT:], v[:, :, TEXT:])
    read, read_sum = flash(picture, k[:, :, :TEXT], v[:, :, :TEXT], attn_mask=bias())
    share = torch.sigmoid(read_sum - own_sum)[..., None]
    return torch.cat([texts, torch.lerp(own, read, share)], 2)


def dims(q, k, v):
    from torch.nn.functional import pad, scaled_dot_product_attention

    more = 8  # channels: kernels want multiples of eight
    wide_q, wide_k = pad(q, (0, more)), pad(k, (0, more))
    wide_q[:, :, TEXT:, WIDTH : WIDTH + len(PHRASES)] = AMOUNT * WIDTH**0.5 * cells().T
    for i, rows in enumerate(PHRASES):
        wide_k[:, :, list(rows), WIDTH + i] = 1
    return scaled_dot_product_attention(wide_q, wide_k, pad(v, (0, more)), scale=WIDTH**-0.5)[..., :WIDTH]


def main() -> None:
    import torch
    from pack.bench.paired import Ratio
    from pack.bench.report import report

    ways, given = (plain, mask, merge, dims), inputs()
    seconds: dict[str, list[float]] = {way.__name__: [] for way in ways}
    torch.set_num_threads(1)
    exact = mask(*given)
    error = {way.__name__: float((way(*given) - exact).abs().max()) for way in ways[1:]}
    with torch.no_grad():
        for _ in range(PAIRS):
            for way in ways:
                start = time.perf_counter()
                way(*given)
                seconds[way.__name__].append(time.perf_counter() - start)
    rows, figures = [("plain call", f"{statistics.median(seconds['plain']):.3f} s")], {}
    for way in ways[1:]:
        ratio = Ratio.of(seconds[way.__name__], seconds["plain"])
        rows.append((f"{way.__name__}: call / plain", f"{ratio}, differs from mask by {error[way.__name__]:.1e}"))
        figures |= {
            f"{way.__name__}_ratio": ratio.median,
            f"{way.__name__}_low": ratio.low,
            f"{way.__name__}_high": ratio.high,
        }
        figures[f"{way.__name__}_error"] = error[way.__name__]
    report("cost_biased", rows, figures, {"tokens": [TEXT, PICTURE], "heads": HEADS, "width": WIDTH, "pairs": PAIRS})


if __name__ == "__main__":
    enter()
    main()
