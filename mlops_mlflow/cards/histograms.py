"""How values are distributed: counts between edges, and the same against a reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from mlops_mlflow.cards import plot, svg
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.plot import Plot
from mlops_mlflow.cards.scales import Floats, drawable, number_axis
from mlops_mlflow.cards.svg import FULL_WIDTH, Svg

_MOST_BINS = 200
_EVEN = 1.02  # widths that differ by less are one width


def histogram(
    edges: Sequence[float],
    counts: Sequence[float],
    overlay: Sequence[float] | None = None,
    *,
    names: tuple[str, str] = ("these rows", "reference"),
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    width: int = FULL_WIDTH,
    height: int = 220,
) -> Svg:
    """Bars between edges; where the edges are uneven (quantiles), the area of a bar is its share of the rows.

    Args:
        edges: Ascending edges, shape (n + 1,); the outermost may be infinite.
        counts: Rows in each bin, shape (n,).
        overlay: Rows of a reference in the same bins, drawn as an outline; both are then shares.
        names: What the bars and the outline are called.
        title: What the picture is, for those who do not see it.
        x_label: What is distributed.
        y_label: What the height means; by default rows, share of rows or density.
        width: Pixels.
        height: Pixels.
    """
    bins = _bins(edges, counts, overlay)
    if bins is None:
        return svg.nothing_to_draw(width, title)
    ends, rows, reference = bins
    heights, outline, meaning = _heights(ends, rows, reference)
    y_axis = number_axis(heights, outline, include=(0,), label=y_label or meaning, count=4, snap=True)
    frame = plot.framed(width, height, number_axis(ends, label=x_label), y_axis)
    parts = [frame.axes(), _bars(frame, ends, heights, rows)]
    if outline.size:
        style = ("currentColor", "none")
        xs, ys = frame.x(np.repeat(ends, 2)), frame.y(np.concatenate([[0.0], np.repeat(outline, 2), [0.0]]))
        entries = [(names[0], (svg.ACCENT, "none")), (names[1], style)]
        corners = _covered(frame, ends, np.fmax(heights, outline))
        parts += [plot.stroke(xs, ys, style, names[1]), plot.key_in_free_corner(frame, entries, corners)]
    told = (
        f"{figure(int(rows.sum()))} rows from {figure(float(ends[0]))} to {figure(float(ends[-1]))}; "
        f"the fullest bin is {_name_of(ends, int(rows.argmax()))} with {figure(int(rows.max()))}."
    )
    return svg.document(width, height, parts, title=title or "Histogram", description=told)


def _bins(
    edges: Iterable[Any], counts: Iterable[Any], overlay: Iterable[Any] | None
) -> tuple[Floats, Floats, Floats] | None:
    """Finite ascending edges with the rows between them; None where there is nothing to draw."""
    ends, rows = _closed(edges), _rows(counts)
    reference = _rows(overlay) if overlay is not None else np.zeros(0)
    count = min(len(ends) - 1, len(rows), len(reference) if overlay is not None else len(rows))
    if count < 1 or not np.isfinite(ends[: count + 1]).all() or rows[:count].sum() + reference[:count].sum() == 0:
        return None
    ends = np.maximum.accumulate(ends[: count + 1])
    starts = np.flatnonzero(np.diff(ends) > 1e-9 * max(float(ends[-1] - ends[0]), 1e-280))
    if not starts.size:  # one value only
        room = max(abs(float(ends[0])) * 0.1, 0.5)
        ends, starts = np.linspace(ends[0] - room, ends[0] + room, 2), np.array([0])
    starts = starts[:: -(-len(starts) // _MOST_BINS)]
    merge = np.concatenate([[0], starts[1:]])
    ends = np.append(ends[starts], ends[-1])
    return ends, np.add.reduceat(rows[:count], merge), _merged(reference[:count], merge)


def _merged(reference: Floats, starts: Any) -> Floats:
    return np.add.reduceat(reference, starts) if reference.size else reference


def _rows(counts: Iterable[Any]) -> Floats:
    return np.clip(np.nan_to_num(drawable(counts)), 0, None)


def _closed(edges: Iterable[Any]) -> Floats:
    """Edges where an open end is as far out as its neighbours are apart."""
    given = list(edges)
    ends = drawable(given)
    widths = np.diff(ends)
    widths = widths[np.isfinite(widths)]
    typical = float(np.median(widths)) if widths.size else 1.0
    if len(ends) > 1 and np.isnan(ends[0]):
        ends[0] = ends[1] - typical
    if len(ends) > 1 and np.isnan(ends[-1]):
        ends[-1] = ends[-2] + typical
    return ends


def _heights(ends: Floats, rows: Floats, reference: Floats) -> tuple[Floats, Floats, str]:
    widths = np.diff(ends)
    uneven = bool(widths.max() > widths.min() * _EVEN)
    if not uneven and not reference.size:
        return rows, reference, "rows"
    widths = widths if uneven else np.ones_like(widths)
    meaning = "density" if uneven else "share of rows"
    heights, outline = (_shares(given) / widths[: len(given)] for given in (rows, reference))
    return heights, outline, meaning


def _shares(rows: Floats) -> Floats:
    return rows / max(float(rows.sum()), 1e-300)


def _bars(frame: Plot, ends: Floats, heights: Floats, rows: Floats) -> str:
    xs, tops = frame.x(ends), frame.y(heights)
    gap = 1.0 if len(heights) < 100 else 0.0
    drawn = [
        svg.node(
            "rect",
            svg.tip(f"{_name_of(ends, index)}: {figure(int(count))} rows"),
            x=float(left) + gap / 2,
            y=float(top),
            width=max(float(right - left) - gap, 0.5),
            height=max(frame.bottom - float(top), 0.0),
        )
        for index, ((left, right), top, count) in enumerate(zip(pairwise(xs), tops, rows, strict=True))
        if count > 0
    ]
    return svg.node("g", *drawn, fill=svg.ACCENT, fill_opacity="0.8") if drawn else ""


def _covered(frame: Plot, ends: Floats, heights: Floats) -> tuple[Floats, Floats]:
    """Pixels all over the bars, for the key to keep away from."""
    shares = np.linspace(0, 1, 12)
    xs = np.repeat(frame.x((ends[:-1] + ends[1:]) / 2), len(shares))
    ys = frame.bottom - np.outer(frame.bottom - frame.y(heights), shares).ravel()
    return xs, ys


def _name_of(ends: Floats, index: int) -> str:
    return f"{figure(float(ends[index]))} to {figure(float(ends[index + 1]))}"
