"""Vision transformers (Dosovitskiy et al. 2021, arXiv 2010.11929) for small images.

An image is cut into patches; each becomes a token, and its place is added to it. Blocks of self-attention and of a
perceptron follow, each normalising what it is given and adding to it; then one linear layer on the mean of all tokens,
or on a token of its own. The default has the size that Lee et al. (2021, arXiv 2112.13492) give to a ViT for 32 x 32
images, with the fixed sines and the mean of Beyer et al. (2022, arXiv 2205.01580), which fit images of any size.
Learned places fit one `image_size` alone. Every matrix starts with Glorot's uniform weights, biases at 0.

Its accuracy on CIFAR-10 is not known here. Use adamw and a warm-up; with a short training a transformer stays well
below a convolutional net of its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from ablation.errors import InputError
from ablation.models.image_size import require_exact_size, require_multiple, require_size
from ablation.models.stochastic_depth import StochasticDepth, probabilities
from ablation.settings import Count, Fraction

_PERIOD = 10_000
"""Of the slowest sine, in patches times two pi."""


def build(
    num_classes: int,
    in_channels: int,
    *,
    patch_size: Count = 4,
    depth: Count = 9,
    width: Count = 192,
    heads: Count = 12,
    mlp_ratio: Count = 2,
    position: Literal["sines", "learned", "none"] = "sines",
    pooling: Literal["mean", "class_token"] = "mean",
    dropout: Fraction = 0.0,
    drop_path: Fraction = 0.0,
    image_size: Count = 32,
) -> nn.Module:
    """Vision transformer for images whose sides `patch_size` divides; learned places are for one `image_size`."""
    if width % heads or width % 4:
        raise InputError(
            f"model vit cannot share a width of {width} among {heads} heads and four kinds of sines evenly."
        )
    plan = Plan(patch_size, width, position, pooling, image_size)
    blocks = [Block(width, heads, mlp_ratio * width, dropout, share) for share in probabilities(depth, drop_path)]
    return VisionTransformer(num_classes, in_channels, plan, blocks, dropout)


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of an image before and after the blocks."""

    patch_size: int
    width: int
    position: Literal["sines", "learned", "none"]
    pooling: Literal["mean", "class_token"]
    image_size: int

    @property
    def tokens(self) -> int:
        """How many an image of `image_size` becomes."""
        return (self.image_size // self.patch_size) ** 2 + (self.pooling == "class_token")


class VisionTransformer(nn.Module):
    """Tokens with their places, blocks, a last normalisation, and one linear layer."""

    def __init__(
        self, num_classes: int, in_channels: int, plan: Plan, blocks: Sequence[nn.Module], dropout: float
    ) -> None:
        super().__init__()
        width = plan.width
        self.plan = plan
        self.class_token = nn.Parameter(torch.zeros(1, 1, width)) if plan.pooling == "class_token" else None
        self.position = nn.Parameter(torch.zeros(1, plan.tokens, width)) if plan.position == "learned" else None
        self.patches = nn.Conv2d(in_channels, width, plan.patch_size, stride=plan.patch_size)
        self.blocks = nn.Sequential(nn.Dropout(dropout), *blocks, nn.LayerNorm(width, eps=1e-6))
        self.classifier = nn.Linear(width, num_classes)
        self.apply(_initialise)
        if self.position is not None:
            nn.init.normal_(self.position, std=0.02)

    def forward(self, images: Tensor) -> Tensor:
        """Logits N x K of images N x C x H x W."""
        require_size("vit", images, self.plan.patch_size)
        require_multiple("vit", images, self.plan.patch_size)
        seen: Tensor = self.blocks(self._tokens(images))
        logits: Tensor = self.classifier(seen.mean(dim=1) if self.class_token is None else seen[:, 0])
        return logits

    def _tokens(self, images: Tensor) -> Tensor:
        """Tokens N x T x D of images; a class token, where there is one, comes first and has no sines."""
        maps: Tensor = self.patches(images)
        tokens = maps.flatten(2).transpose(1, 2)
        if self.plan.position == "sines":
            tokens = tokens + sines(maps.shape[-2], maps.shape[-1], self.plan.width, maps.device)
        if self.class_token is not None:
            tokens = torch.cat([self.class_token.expand(tokens.shape[0], -1, -1), tokens], dim=1)
        if self.position is not None:
            require_exact_size("vit", images, self.plan.image_size)
            tokens = tokens + self.position
        return tokens


class Block(nn.Module):
    """Self-attention and a perceptron."""

    def __init__(self, width: int, heads: int, hidden: int, dropout: float, drop_path: float) -> None:
        super().__init__()
        self.attention = nn.Sequential(nn.LayerNorm(width, eps=1e-6), Attention(width, heads), nn.Dropout(dropout))
        self.mlp = nn.Sequential(
            nn.LayerNorm(width, eps=1e-6),
            nn.Linear(width, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, width),
            nn.Dropout(dropout),
        )
        self.drop = StochasticDepth(drop_path)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens N x T x D to the next ones."""
        tokens = tokens + self.drop(self.attention(tokens))
        after: Tensor = tokens + self.drop(self.mlp(tokens))
        return after


class Attention(nn.Module):
    """Each token takes from all others what its queries match."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens N x T x D to as many."""
        images, count, width = tokens.shape
        split = self.queries_keys_values(tokens).view(images, count, 3, self.heads, width // self.heads)
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        taken = functional.scaled_dot_product_attention(queries, keys, values)
        given: Tensor = self.output(taken.transpose(1, 2).reshape(images, count, width))
        return given


def sines(rows: int, columns: int, width: int, device: torch.device) -> Tensor:
    """The places of patches, row by row (T x D): sines and cosines of the column, then of the row."""
    quarter = width // 4
    speeds = _PERIOD ** (-torch.arange(quarter, device=device) / max(1, quarter - 1))
    down, across = (torch.arange(count, device=device)[:, None] * speeds for count in (rows, columns))
    x, y = across.repeat(rows, 1), down.repeat_interleave(columns, 0)
    return torch.cat([x.sin(), x.cos(), y.sin(), y.cos()], dim=1)


@torch.no_grad()
def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Conv2d):
        matrix = module.weight.flatten(1)
        parts = 3 if isinstance(module, nn.Linear) and module.out_features == 3 * module.in_features else 1
        for part in matrix.chunk(parts):
            nn.init.xavier_uniform_(part)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
