"""The host's CLIP text model, written without in-place additions so that it can be trained; same state-dict names."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..captions import vocabulary
from ..config import TEXT

START, END, LENGTH = 49406, 49407, 77


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        q, k, v = (p(x).view(b, n, self.heads, -1).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))
        later = torch.ones(n, n, dtype=torch.bool).triu_(1)
        weights = (q @ k.mT * q.shape[-1] ** -0.5).masked_fill(later, float("-inf")).softmax(-1)
        return self.out_proj((weights @ v).transpose(1, 2).reshape(b, n, c))


class _MLP(nn.Module):
    def __init__(self, width: int, inner: int):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, x: Tensor) -> Tensor:
        x = self.fc1(x)
        return self.fc2(x * torch.sigmoid(1.702 * x))


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int, inner: int):
        super().__init__()
        self.layer_norm1, self.layer_norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.self_attn, self.mlp = _Attention(width, heads), _MLP(width, inner)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class TextModel(nn.Module):
    """Rows of words (B, 77), as indices into the kept embedding rows, -> (B, 77, width)."""

    def __init__(self, rows: int):
        super().__init__()
        width = TEXT["hidden_size"]
        self.embeddings = nn.ModuleDict(
            {"token_embedding": nn.Embedding(rows, width), "position_embedding": nn.Embedding(LENGTH, width)}
        )
        layers = [
            _Layer(width, TEXT["num_attention_heads"], TEXT["intermediate_size"])
            for _ in range(TEXT["num_hidden_layers"])
        ]
        self.encoder = nn.ModuleDict({"layers": nn.ModuleList(layers)})
        self.final_layer_norm = nn.LayerNorm(width)
        for embedding in self.embeddings.values():
            nn.init.normal_(embedding.weight, std=0.05)

    def forward(self, rows: Tensor) -> Tensor:
        x = self.embeddings["token_embedding"](rows) + self.embeddings["position_embedding"].weight
        for layer in self.encoder["layers"]:
            x = layer(x)
        return self.final_layer_norm(x)


class Words:
    """Captions -> rows of the kept embeddings. Row 0 stands for every token that captions do not use."""

    def __init__(self, tokenizer):
        """`tokenizer` is the host's CLIP-L one (`SD1Tokenizer`)."""
        ids = {
            word: [t for t, _ in tokenizer.tokenize_with_weights(word)["l"][0] if t < START] for word in vocabulary()
        }
        self.tokens = sorted({START, END, *(t for word in ids.values() for t in word)})
        self.rows = {word: [self.tokens.index(t) + 1 for t in tokens] for word, tokens in ids.items()}
        self.start, self.end = self.tokens.index(START) + 1, self.tokens.index(END) + 1

    def encode(self, captions: list[str]) -> Tensor:
        """(B, 77) int64: start, words, end, and the end again as padding, as the host pads."""
        out = torch.full((len(captions), LENGTH), self.end)
        for i, text in enumerate(captions):
            rows = [self.start]
            for word in text.replace(",", " ,").split():
                rows += self.rows.get(word, [0])
            out[i, : len(rows)] = torch.tensor(rows)
        return out
