"""One attention override for every capture and bias of a run, installed late on each model call's own options."""

from __future__ import annotations

from collections.abc import Callable

import comfy.ldm.modules.attention as host
from comfy.patcher_extension import WrappersMP, add_wrapper_with_key
from torch import Tensor
from torch.nn.functional import pad

from ...attention.bias import repeat_tokens
from ..models.reach import Sites, sites_of
from ..models.site import Site
from .attended import Attended, Call, Look
from .biased import Biased, masked
from .rows import Entry
from .run import Effect, Run
from .told import speaking
from .wider import NAMES, More, given_by, heads_of, wider

KEY = "lm_attention"
UNSEEN = (
    "In its window the model's attention to its phrases was never met, so it did nothing: another node skips or "
    "replaces that attention, or the prompt with the phrases acts in other steps."
)


class AttentionEffect(Effect):
    """An effect that reads or biases the attention of picture tokens to text tokens."""

    whole = True
    looked = False
    """Whether it met text that it is about."""

    def start(self, run: Run) -> None:
        install(run)

    def wants(self, site: Site) -> bool:
        """Whether this attention call matters now."""
        raise NotImplementedError

    def look(self, look: Look) -> Tensor | None:
        """Reads one conditioning's attention; (b, 1 or heads, Q, n) to add to its logits, or None."""
        return None

    def more(self, call: Call) -> More | None:
        """Keys to add to the call's own, or None."""
        return None

    def after(self, seen: Attended, out: Tensor) -> Tensor:
        """Of a call, its output or another."""
        return out

    def idle(self, run: Run) -> str:
        return UNSEEN if self.opened and not self.looked else ""


def install(run: Run) -> None:
    """Puts an override into every model call of the run, once; it calls one that another node set.

    As late as can be: other nodes' overrides and replaces are there by then, also those set while sampling.
    """
    if KEY in run.options:
        return
    sites = run.options[KEY] = sites_of(run.guider.model_patcher, phrases=False)  # nodes for phrases ask themselves
    biased = Biased()

    def apply_model(executor, x, t, c_concat, c_crossattn, control, transformer_options, **kwargs):
        options = dict(transformer_options)
        override = Override(run, sites, options.get("optimized_attention_override"), biased)
        options["optimized_attention_override"] = override
        network = executor.class_obj.diffusion_model
        with sites.open(network, run.video(x).shape, kwargs, options, override):
            return executor(x, t, c_concat, c_crossattn, control, options, **kwargs)

    add_wrapper_with_key(WrappersMP.APPLY_MODEL, KEY, apply_model, run.options)


class Override:
    """Stands at `optimized_attention_override`."""

    def __init__(self, run: Run, sites: Sites, previous: Callable | None, biased: Biased) -> None:
        self.run, self.sites, self.previous, self.biased = run, sites, previous, biased
        self.effects = [effect for effect in run.effects if isinstance(effect, AttentionEffect)]
        self.nodes = " and ".join(dict.fromkeys(effect.node for effect in self.effects))

    def __call__(self, func: Callable, *args, **kwargs) -> Tensor:
        given = given_by(args, kwargs)
        call = self._call(given, kwargs.get("transformer_options") or {})
        mask, more = (self._mask(call), self._more(call)) if call else (None, [])
        if mask is None and not more:
            out = self.previous(func, *args, **kwargs) if self.previous else func(*args, **kwargs)
        else:
            given, mask = wider(given, mask, more) if more else (given, mask)
            out = self._attend(func, given, kwargs, mask)
        seen = Attended(call, func, given, mask) if call else None
        for effect in call.effects if call else []:
            out = effect.after(seen, out)
        return out

    def _attend(self, func: Callable, given: dict, kwargs: dict, mask: Tensor | None) -> Tensor:
        qkv = [given[name] for name in NAMES[:4]]
        rest = {name: value for name, value in {**kwargs, **given}.items() if name not in NAMES[:4]}
        if mask is None:
            return self.previous(func, *qkv, **rest) if self.previous else func(*qkv, **rest)
        return self.biased(self.previous, func, qkv, rest, mask, self.nodes)

    def replaced(self, theirs: Callable) -> Callable:
        """Wraps an `attn2` replace of another pack: what it adds to the text's attention stays, the text is biased."""

        def attn2(q: Tensor, k: Tensor, v: Tensor, extra_options: dict) -> Tensor:
            out, heads = theirs(q, k, v, extra_options), extra_options["n_heads"]
            call = self._call({"q": q, "k": k, "heads": heads}, extra_options)
            mask = call and self._mask(call)
            if mask is None:
                return out
            text = host.optimized_attention(q, k, v, heads)
            return out - text + masked(host.optimized_attention)(q, k, v, heads, mask=mask)

        return attn2

    def _call(self, given: dict, options: dict) -> Call | None:
        """What is known of an attention call that an effect wants; None: none does."""
        entries = self.run.chunks(options) if self.effects and "uuids" in options else []
        rows = max((entry.rows for entry in entries if entry is not None), default=0)
        with speaking(self.nodes):
            site = self.sites.site(rows, given, options) if rows else None
        effects = [effect for effect in self.effects if site and effect.wants(site)]
        return Call(site, entries, effects, *(heads_of(given, name) for name in "qk")) if effects else None

    def _mask(self, call: Call) -> Tensor | None:
        """(B, 1 or heads, Q, K) in q's dtype to add to the logits of this call, or None; shows the call to readers."""
        looks = self._looks(call.site, call.q, call.k, call.entries)
        parts = [
            (rows, look.entry, bias)
            for rows, look in looks
            for effect in call.effects
            if (bias := effect.look(look)) is not None
        ]
        return _mask(parts, call.site, call.q, call.k) if parts else None

    def _more(self, call: Call) -> list[More]:
        """The keys that effects add to this call."""
        return [more for effect in call.effects if (more := effect.more(call)) is not None]

    def _looks(self, site: Site, q: Tensor, k: Tensor, entries: list[Entry | None]) -> list[tuple[slice, Look]]:
        size = q.shape[0] // len(entries)
        pictures = None if site.pictures is None else k[:, :, site.pictures]
        q, k, looks = q[:, :, site.queries], k[:, :, site.keys], []
        for i, entry in enumerate(entries):
            if entry is not None:
                at = slice(i * size, (i + 1) * size)
                own = None if pictures is None else pictures[at]
                looks.append((at, Look(self.run, entry, site, q[at], k[at, :, entry.own], q, k, own)))
        return looks


def _mask(parts: list[tuple[slice, Entry, Tensor]], site: Site, q: Tensor, k: Tensor) -> Tensor:
    heads = max(bias.shape[1] for _, _, bias in parts)
    mask = q.new_zeros(q.shape[0], heads, q.shape[2], k.shape[2])
    texts = mask[:, :, site.queries, site.keys]
    for rows, entry, bias in parts:
        start = entry.own.start
        text = pad(bias, (start, max(0, entry.rows - start - bias.shape[3])))
        copies = text if site.once else repeat_tokens(text, texts.shape[3])
        texts[rows, ..., : copies.shape[3]] += copies  # another node may have appended tokens of its own
    return mask
