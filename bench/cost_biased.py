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
PHRASES, LEFT = (slice(2, 4), slice(6, 8)), PICTURE // 2
AMOUNT = 3.0  # what is added to a logit inside


def inputs(heads: int = HEADS, **kind):
    """q, k, v (1, heads, text + picture, width); kind: dtype and device."""
    import torch

    generator = torch.Generator().manual_seed(0)
    made = [torch.randn(1, heads, TEXT + PICTURE, WIDTH, generator=generator) for _ in "qkv"]
    return [one.to(**kind) for one in made] if kind else made


def cells(q):
    """(regions, picture tokens): two halves."""
    import torch

    left = (torch.arange(PICTURE, device=q.device) < LEFT).to(q)
    return torch.stack([left, 1 - left])


def bias(q):
    """(1, 1, picture, text)."""
    added = q.new_zeros(1, 1, PICTURE, TEXT)
    for region, rows in zip(cells(q), PHRASES, strict=True):
        added[0, 0, :, rows] += AMOUNT * region[:, None]
    return added


def plain(q, k, v):
    from torch.nn.functional import scaled_dot_product_attention

    return scaled_dot_product_attention(q, k, v)


def mask(q, k, v):
    from torch.nn.functional import scaled_dot_product_attention

    whole = q.new_zeros(1, 1, q.shape[2], k.shape[2])
    whole[:, :, TEXT:, :TEXT] += bias(q)
    return scaled_dot_product_attention(q, k, v, attn_mask=whole)


def merge(q, k, v):
    import torch

    texts, _ = summed(q[:, :, :TEXT], k, v)
    picture = q[:, :, TEXT:]
    own, own_sum = summed(picture, k[:, :, TEXT:], v[:, :, TEXT:])
    read, read_sum = summed(picture, k[:, :, :TEXT], v[:, :, :TEXT], bias(q))
    share = torch.sigmoid(read_sum - own_sum)[..., None].to(own)
    return torch.cat([texts, torch.lerp(own, read, share)], 2)


def summed(q, k, v, mask=None):
    """(attention, log of the sum of its weights (1, heads, Q)) by the kernel of the device that gives both."""
    import torch

    if q.device.type == "cpu":
        return torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(q, k, v, attn_mask=mask)
    if mask is None:
        return torch.ops.aten._scaled_dot_product_flash_attention(q, k, v)[:2]
    every = mask.expand(-1, q.shape[1], -1, -1)
    out, sums = torch.ops.aten._scaled_dot_product_efficient_attention(q, k, v, every, True)[:2]
    return out, sums[:, :, : q.shape[2]]  # its sums are padded


def dims(q, k, v):
    from torch.nn.functional import pad, scaled_dot_product_attention

    more = 8  # channels: kernels want multiples of eight
    wide_q, wide_k = pad(q, (0, more)), pad(k, (0, more))
    wide_q[:, :, TEXT:, WIDTH : WIDTH + len(PHRASES)] = AMOUNT * WIDTH**0.5 * cells(q).T
    for i, rows in enumerate(PHRASES):
        wide_k[:, :, rows, WIDTH + i] = 1
    return scaled_dot_product_attention(wide_q, wide_k, pad(v, (0, more)), scale=WIDTH**-0.5)[..., :WIDTH]


def timed(way, given, repeat: int) -> float:
    """Seconds of one call, mean of `repeat`."""
    import torch

    start = time.perf_counter()
    with torch.no_grad():
        for _ in range(repeat):
            way(*given)
    if given[0].is_cuda:
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / repeat


def compare(given, repeat: int = 1, enough=lambda done: False) -> tuple[list, dict]:
    """(rows of the table, figures); enough: as of `in_turn`."""
    from pack.bench.paired import Ratio
    from pack.bench.sd15 import in_turn

    ways = {way.__name__: way for way in (plain, mask, merge, dims)}
    exact = mask(*(one.float() for one in given))
    runs = {name: lambda way=way: timed(way, given, repeat) for name, way in ways.items()}
    seconds = in_turn(runs, PAIRS, enough)
    rows, figures = [("plain call", f"{1000 * statistics.median(seconds['plain']):.2f} ms")], {}
    for name in ("mask", "merge", "dims"):
        ratio = Ratio.of(seconds[name], seconds["plain"])
        error = float((ways[name](*given) - exact).abs().max())
        rows.append((f"{name}: call / plain", f"{ratio}, differs from mask in float32 by {error:.1e}"))
        figures |= {f"{name}_ratio": ratio.median, f"{name}_low": ratio.low, f"{name}_high": ratio.high}
        figures[f"{name}_error"] = error
    return rows, figures


def main() -> None:
    import torch
    from pack.bench.report import report

    torch.set_num_threads(1)
    rows, figures = compare(inputs())
    report("cost_biased", rows, figures, {"tokens": [TEXT, PICTURE], "heads": HEADS, "width": WIDTH, "pairs": PAIRS})


if __name__ == "__main__":
    enter()
    main()
