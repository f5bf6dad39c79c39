"""Pictures small enough for a cell of a table: a gauge for an interval and its bound, lines and bars like words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from mlops_mlflow.cards import plot, svg
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.scales import Floats, drawable, number_axis
from mlops_mlflow.cards.svg import Svg

WORD_WIDTH, WORD_HEIGHT = 96, 24
_MOST_BARS = 48


def interval(
    value: float | None,
    low: float | None,
    high: float | None,
    bound: float | None,
    direction: Literal["at_least", "at_most"] = "at_least",
    *,
    unit: str | None = None,
    width: int = 160,
) -> Svg:
    """A figure with its interval, on a track whose shaded part is where the bound is met.

    Args:
        value: The figure.
        low: Lower end of its interval.
        high: Upper end.
        bound: What it is held against.
        direction: Whether the figure has to be ``at_least`` or ``at_most`` the bound.
        unit: Unit for the words that go with the picture.
        width: Pixels.
    """
    title = "Figure against its bound"
    at, start, end, limit = drawable([value, low, high, bound]).tolist()
    if not np.isfinite(at):
        return svg.document(width, WORD_HEIGHT, [_rail(width)], title=title, description="The figure is unknown.")
    axis = number_axis(drawable([at, start, end, limit]))
    x = [(0.08 + 0.84 * axis.share_of(place)) * width for place in (at, start, end, limit)]
    met = at >= limit if direction == "at_least" else at <= limit
    known = np.isfinite(limit)
    colour = svg.STATUS_COLOURS["info" if not known else "ok" if met else "failed"]
    parts = [_rail(width)]
    if known:
        parts.append(_allowed(x[3], width, direction))
    if np.isfinite(start) and np.isfinite(end):
        ends = {"x": min(x[1:3]), "width": max(abs(x[2] - x[1]), 1.0), "y": 9, "height": 6, "rx": 3}
        parts.append(svg.node("rect", **ends, fill=colour, fill_opacity="0.45"))
    parts.append(_mark(x[0], colour, met or not known))
    sign = "at least" if direction == "at_least" else "at most"
    told = f"{figure(at, unit)}, interval {figure(start, unit)} to {figure(end, unit)}"
    told += f", has to be {sign} {figure(limit, unit)}: {'met' if met else 'not met'}." if known else "."
    return svg.document(width, WORD_HEIGHT, parts, title=title, description=told)


def sparkline(values: Sequence[float], *, width: int = WORD_WIDTH, height: int = WORD_HEIGHT) -> Svg:
    """A line the size of a word, with a dot at its newest value.

    Args:
        values: Heights at equal steps, shape (n,); NaN leaves a gap.
        width: Pixels.
        height: Pixels.
    """
    ys = drawable(values)
    known = np.flatnonzero(np.isfinite(ys))
    if not known.size:
        return svg.document(width, height, [_rail(width)], title="Course", description="No values.")
    axis = number_axis(ys)
    xs = 4 + np.arange(len(ys)) / max(len(ys) - 1, 1) * (width - 8)
    pixels = height - 4 - axis.share(ys) * (height - 8)
    last = int(known[-1])
    dot = svg.node("circle", cx=float(xs[last]), cy=float(pixels[last]), r=2.5, fill=svg.ACCENT)
    drawn = svg.node("path", d=plot.path(xs, pixels), fill="none", stroke=svg.ACCENT, stroke_width="1.5")
    told = f"{figure(float(ys[known[0]]))} at first, {figure(float(ys[last]))} at last."
    return svg.document(width, height, [drawn, dot], title="Course", description=told)


def spark_histogram(
    counts: Sequence[float],
    reference: Sequence[float] | None = None,
    *,
    width: int = WORD_WIDTH,
    height: int = WORD_HEIGHT,
) -> Svg:
    """A histogram the size of a word.

    Args:
        counts: Rows in each bin, shape (n,).
        reference: Rows of a reference in the same bins, drawn as an outline; both are then shares.
        width: Pixels.
        height: Pixels.
    """
    shares, outline = _shares(counts), _shares([] if reference is None else reference)
    most = max(shares.max(initial=0.0), outline.max(initial=0.0))
    if not most:
        return svg.document(width, height, [_rail(width)], title="Distribution", description="No values.")
    parts = [svg.node("path", d=f"M0 {height - 0.5:.1f}H{width}", stroke=svg.MUTED, stroke_opacity="0.5")]
    room, step = height - 3, width / max(len(shares), 1)
    drawn = "".join(
        f"M{i * step:.1f} {height - 1}V{height - 1 - max(share / most * room, 1):.1f}h{step * 0.86:.1f}V{height - 1}z"
        for i, share in enumerate(shares.tolist())
        if share > 0
    )
    parts.append(svg.node("path", d=drawn, fill=svg.ACCENT, fill_opacity="0.8"))
    if outline.size:
        xs = np.repeat(np.linspace(0, width, len(outline) + 1), 2)[1:-1]
        ys = height - 1 - np.repeat(outline / most * room, 2)
        parts.append(svg.node("path", d=plot.path(xs, ys), fill="none", stroke="currentColor", stroke_width="1.2"))
    told = f"{len(shares)} bins, the fullest holds {figure(float(shares.max(initial=0.0)), '%')}."
    return svg.document(width, height, parts, title="Distribution", description=told)


def _shares(counts: Sequence[float]) -> Floats:
    rows: Floats = np.clip(np.nan_to_num(drawable(counts)), 0, None)
    if len(rows) > _MOST_BARS:
        rows = np.array([part.sum() for part in np.array_split(rows, _MOST_BARS)])
    return rows / max(float(rows.sum()), 1e-300)


def _rail(width: float) -> str:
    return svg.node("path", d=f"M2 12H{width - 2}", stroke=svg.GRID, stroke_width="2", stroke_linecap="round")


def _allowed(limit: float, width: float, direction: str) -> str:
    """The side of the bound that is allowed, and the bound itself."""
    left, right = (limit, width - 2.0) if direction == "at_least" else (2.0, limit)
    area = svg.node(
        "rect", x=left, y=4, width=max(right - left, 0.0), height=16, fill="currentColor", fill_opacity="0.07"
    )
    return area + svg.node("path", d=f"M{limit:.1f} 2V22", stroke="currentColor", stroke_width="1.5")


def _mark(x: float, colour: str, met: bool) -> str:
    """A dot where the bound is met, a diamond where it is not: shape tells what colour tells."""
    if met:
        return svg.node("circle", cx=x, cy=12, r=4.5, fill=colour, stroke=svg.PAPER, stroke_width="1.5")
    return svg.node("path", d=f"M{x:.1f} 6l6 6l-6 6l-6 -6z", fill=colour, stroke=svg.PAPER, stroke_width="1.5")
