"""Gradient norms by depth: whether the first layers still learn, at the first epoch's end and at the last one's."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from ablation.report.drawing import MOST_ARMS, Drawing, Table, canvas, first_shown, group, label, plain, rounded
from ablation.report.numbers import MISSING, count, short
from ablation.report.palette import Style
from ablation.trial import Record

_HEIGHT = 400


@dataclass(frozen=True, slots=True)
class Depth:
    """One arm: for each layer the geometric mean over seed blocks, None where no block has a finite one above 0."""

    arm: str
    layers: tuple[str, ...]
    first: tuple[float | None, ...]
    last: tuple[float | None, ...]
    epochs: int
    blocks: int
    lost: int
    """Blocks in which nothing reaches the first layer at the end. A norm of nought has no place in a geometric mean."""

    @property
    def reach(self) -> float | None:
        """The first layer's norm over the last layer's, at the end of the training."""
        ends = self.last[0], self.last[-1]
        return None if ends[0] is None or ends[1] is None else ends[0] / ends[1]


@dataclass(frozen=True, slots=True)
class Depths:
    """Every arm that has them, and those that are shown before the reader chooses."""

    title: str
    arms: tuple[Depth, ...]
    shown: frozenset[str]
    left_out: int


def compute(records: Sequence[Record], arms: Sequence[str], shown: Sequence[str]) -> Depths | None:
    """The norms of the complete trials of each arm, in the order given; None where no trial has any."""
    found = [one for arm in arms if (one := _depth([record for record in records if record.trial.arm.name == arm]))]
    if not found:
        return None
    kept = tuple(found[:MOST_ARMS])
    seen = first_shown([one.arm for one in kept], shown)
    if reaches := _reaches(kept):
        seen |= {min(reaches)[1]}
    if lost := _most_lost(kept):
        seen |= {lost.arm}
    return Depths(_message(kept), kept, seen, len(found) - len(kept))


def _depth(records: Sequence[Record]) -> Depth | None:
    runs = [
        one
        for one in records
        if one.outcome and one.outcome.status == "complete" and one.epochs and one.epochs[-1].gradient_norms
    ]
    if not runs or runs[0].outcome is None:
        return None
    layers = runs[0].outcome.layers
    alike = [one for one in runs if one.outcome and one.outcome.layers == layers and one.epochs[0].gradient_norms]
    if len(layers) < 2 or not alike:
        return None
    first, last = (_means([one.epochs[at].gradient_norms for one in alike]) for at in (0, -1))
    lost = sum(one.epochs[-1].gradient_norms[0] == 0 for one in alike)
    return Depth(runs[0].trial.arm.name, layers, first, last, len(alike[0].epochs), len(alike), lost)


def _means(norms: Sequence[Sequence[float | None]]) -> tuple[float | None, ...]:
    """Layer by layer over the blocks."""
    return tuple(_mean([value for value in layer if value]) for layer in zip(*norms, strict=True))


def _mean(values: Sequence[float]) -> float | None:
    return math.exp(statistics.fmean(math.log(value) for value in values)) if values else None


def _reaches(arms: Sequence[Depth]) -> list[tuple[float, str]]:
    return [(one.reach, one.arm) for one in arms if one.reach is not None]


def _most_lost(arms: Sequence[Depth]) -> Depth | None:
    """The arm with most blocks whose gradient is lost on the way; None where none is."""
    return max((one for one in arms if one.lost), key=lambda one: one.lost, default=None)


def _message(arms: Sequence[Depth]) -> str:
    if lost := _most_lost(arms):
        return f"In {lost.lost} of {count(lost.blocks, 'seed block')} of {lost.arm} no gradient reaches the first layer"
    if not (reaches := _reaches(arms)):
        return "No gradient reached the first or the last layer"
    least, arm = min(reaches)
    whose = "" if len(reaches) == 1 else f" in {arm}, the least of {count(len(reaches), 'arm')}"
    return f"The first layer's gradient ends at {short(least)} times the last layer's{whose}"


def draw(depths: Depths, styles: Mapping[str, Style]) -> Drawing:
    """One line an arm for the last epoch, a dotted one for the first; a click on a name shows or hides it."""
    names = len(depths.arms)
    figure = canvas(_HEIGHT + 26 * (names // 4))
    for one in depths.arms:
        visible = True if one.arm in depths.shown else "legendonly"
        if one.epochs > 1:
            figure.add_trace(_line(one, styles[one.arm], at_end=False).update(visible=visible))
        figure.add_trace(_line(one, styles[one.arm], at_end=True).update(visible=visible))
    figure.update_layout(
        xaxis={"title": {"text": "layer, from the image to the logits"}, "tickformat": "d"},
        yaxis={"title": {"text": "norm of the gradient (log scale)"}, "type": "log", **_ticks(depths)},
    )
    caption = (
        "Euclidean norm of the loss's gradient for the weight of each layer, at the last step of an epoch; geometric "
        "mean over seed blocks. Solid: last epoch. Dotted: first epoch. A line that falls towards the left says that "
        "gradients vanish on their way to the first layers. Layers stand in the order in which the model declares "
        "them. Click an arm's name to show or hide it."
    )
    if any(one.lost for one in depths.arms):
        caption += " Seed blocks in which a layer has no gradient are left out of its mean."
    if depths.left_out:
        caption += f" {depths.left_out} more arms are left out."
    narrow = {"height": _HEIGHT - 40 + 22 * names}
    return Drawing("gradients-plot", depths.title, caption, figure, _table(depths), narrow)


def _ticks(depths: Depths) -> dict[str, object]:
    """Powers of ten, and between them twos and fives where there are few."""
    values = [value for one in depths.arms for value in (*one.first, *one.last) if value]
    few = bool(values) and max(values) < 1000 * min(values)
    return {"dtick": "D2", "tickformat": "~g"} if few else {"exponentformat": "power"}


def _line(one: Depth, style: Style, *, at_end: bool) -> go.Scatter:
    norms, when = (one.last, f"epoch {one.epochs}") if at_end else (one.first, "epoch 1")
    return go.Scatter(
        x=list(range(1, len(one.layers) + 1)),
        y=list(norms),
        mode="lines+markers" if at_end else "lines",
        name=label(rounded(one.arm), 38, 2),
        legendgroup=group(one.arm),
        showlegend=at_end,
        line={"color": style.colour, "width": 3 if style.emphasis else 2, "dash": "solid" if at_end else "dot"},
        marker={"color": style.colour, "symbol": style.symbol, "size": 7},
        customdata=[[plain(one.arm), plain(layer)] for layer in one.layers],
        hovertemplate=f"%{{customdata[0]}}, {when}<br>layer %{{x}}, %{{customdata[1]}}: <b>%{{y:.3g}}</b>"
        "<extra></extra>",
    )


def _table(depths: Depths) -> Table:
    rows = tuple(
        (one.arm, str(number), layer, *(MISSING if value is None else short(value) for value in values))
        for one in depths.arms
        for number, (layer, *values) in enumerate(zip(one.layers, one.first, one.last, strict=True), start=1)
    )
    columns = ("arm", "layer", "name", "norm, first epoch", "norm, last epoch")
    return Table("Gradient norms by depth", columns, rows, numbers=range(3, 5))
