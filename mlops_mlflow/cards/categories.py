"""Pictures over names: bars, heat map of a table, timeline."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops_mlflow.cards import plot, svg
from mlops_mlflow.cards.markup import escape
from mlops_mlflow.cards.numbers import aligned, figure
from mlops_mlflow.cards.plot import Plot
from mlops_mlflow.cards.scales import Axis, Floats, date_axis, drawable, instants, number_axis
from mlops_mlflow.cards.svg import FULL_WIDTH, Svg

_ROW = 24.0
_MOST_CELLS = 40  # of one side of a heat map
_MOST_SPANS = 300
_HALO = {"stroke": svg.PAPER, "stroke_width": "3", "paint_order": "stroke"}


@dataclass(frozen=True)
class Span:
    """Something that lasted, or happened at one instant.

    Attributes:
        row: Name of the line that it is drawn on.
        start: Datetime, date, ISO 8601 text or epoch seconds.
        end: The same; None is an instant.
        status: Its colour, one of a card's statuses.
        text: What it was, shown where there is room.
    """

    row: str
    start: Any
    end: Any = None
    status: str = "info"
    text: str = ""


def bars(
    labels: Sequence[str],
    values: Sequence[float],
    *,
    low: Sequence[float] | None = None,
    high: Sequence[float] | None = None,
    reference: float | None = None,
    reference_label: str = "",
    unit: str | None = None,
    title: str = "",
    limit: int = 30,
    width: int = FULL_WIDTH,
) -> Svg:
    """Horizontal bars from zero, each with its name and its figure, in the order given.

    Args:
        labels: Names, shape (n,).
        values: Lengths, shape (n,).
        low: Lower ends of the intervals around the values, shape (n,).
        high: Upper ends, shape (n,).
        reference: A value to compare with, drawn as a line.
        reference_label: What the line is.
        unit: Unit of the figures, as in :func:`~mlops_mlflow.cards.numbers.figure`.
        title: What the picture is, for those who do not see it.
        limit: Bars shown; how many are left out is said.
        width: Pixels.
    """
    lengths = drawable(values)[: len(labels)]
    if not len(lengths) or not np.isfinite(lengths).any():
        return svg.nothing_to_draw(width, title)
    shown = min(len(lengths), max(limit, 1))
    ends = [_ends(given, shown) for given in (low, high)]
    given = lengths[:shown].tolist()
    figures = [figure(value, unit) for value in given] if unit else aligned(given)
    include = [0.0] if reference is None else [0.0, reference]
    axis = number_axis(lengths[:shown], *ends, include=include)
    frame = _bar_frame(width, [str(label) for label in labels[:shown]], figures, axis, bool(reference_label))
    parts = [_bar_row(frame, index, value, ends) for index, value in enumerate(lengths[:shown].tolist())]
    parts += [_names_and_figures(frame, [str(label) for label in labels[:shown]], figures)]
    parts += [_zero_line(frame), _reference(frame, reference, reference_label)]
    left_out = len(labels) - shown
    height = frame.bottom + (20 if left_out else 4)
    if left_out:
        parts.append(svg.text(0.0, frame.bottom + 15, f"… and {figure(left_out)} more", fill=svg.MUTED))
    told = "; ".join(f"{label} {value}" for label, value in zip(labels, figures, strict=False)) + "."
    return svg.document(width, height, parts, title=title or "Bar chart", description=told)


def heat(
    matrix: Sequence[Sequence[float]],
    row_labels: Sequence[str],
    column_labels: Sequence[str],
    *,
    row_title: str = "actual",
    column_title: str = "predicted",
    title: str = "",
    width: int = 400,
) -> Svg:
    """A table of counts, each row shaded by its shares: a confusion matrix.

    Args:
        matrix: Counts, shape (rows, columns); at most 40 of each are drawn.
        row_labels: Names of the rows.
        column_labels: Names of the columns.
        row_title: What the rows are.
        column_title: What the columns are.
        title: What the picture is, for those who do not see it.
        width: Pixels.
    """
    rows = [drawable(row[:_MOST_CELLS]) for row in matrix[:_MOST_CELLS]]
    columns = max((len(row) for row in rows), default=0)
    if not columns:
        return svg.nothing_to_draw(width, title)
    names = [str(label) for label in row_labels[: len(rows)]]
    left = 10 + min(max((svg.text_width(n) for n in [row_title, *names]), default=0.0), width * 0.3)
    side = (width - left) / columns
    high = min(max(side * 0.6, 16.0), 56.0)
    parts = [
        svg.text(0.0, 40.0, svg.fitted(row_title, left - 8), fill=svg.MUTED, font_style="italic"),
        svg.text(left, 14.0, svg.fitted(column_title, width - left), fill=svg.MUTED, font_style="italic"),
    ]
    heads = [svg.fitted(str(label), side - 4) for label in column_labels[:columns]]
    parts += [svg.text(left + (i + 0.5) * side, 40.0, h, text_anchor="middle") for i, h in enumerate(heads)]
    for index, row in enumerate(rows):
        top = 50 + index * high
        name = svg.fitted(names[index], left - 8) if index < len(names) else ""
        parts.append(svg.text(0.0, top + high / 2 + 4, name))
        parts += _heat_row(row, left, top, (side, high))
    cut = len(matrix) > len(rows) or any(len(row) > _MOST_CELLS for row in matrix)
    height = 50 + len(rows) * high + (20 if cut else 2)
    if cut:
        parts.append(svg.text(left, height - 5, f"the first {_MOST_CELLS} classes", fill=svg.MUTED))
    told = "; ".join(f"{n}: {', '.join(figure(v) for v in row)}" for n, row in zip(names, rows, strict=False))
    told = f"Rows are {row_title}, columns {column_title} ({', '.join(map(str, column_labels[:columns]))}). {told}."
    return svg.document(width, height, parts, title=title or "Heat map", description=told)


def timeline(spans: Iterable[Span], *, title: str = "", x_label: str = "", width: int = FULL_WIDTH) -> Svg:
    """What lasted from when to when, one line of it per row name.

    Args:
        spans: What to draw; at most 300.
        title: What the picture is, for those who do not see it.
        x_label: What is said under the dates.
        width: Pixels.
    """
    shown = list(spans)[:_MOST_SPANS]
    starts = instants(span.start for span in shown)
    ends = instants(span.start if span.end is None else span.end for span in shown)
    ends = np.fmax(starts, np.where(np.isfinite(starts), ends, np.nan))
    if not np.isfinite(starts).any():
        return svg.nothing_to_draw(width, title)
    rows = list(dict.fromkeys(span.row for span in shown))[:_MOST_CELLS]
    ticks = tuple((row + 0.5, svg.fitted(name, width * 0.28)) for row, name in enumerate(reversed(rows)))
    height = len(rows) * (_ROW + 6) + 40 + (18 if x_label else 0)
    frame = plot.framed(width, height, date_axis(starts, ends, label=x_label), Axis(0, len(rows), ticks))
    parts = [frame.axes()]
    for span, start, end in zip(shown, starts, ends, strict=True):
        if span.row in rows and np.isfinite(start):
            parts.append(
                _span(frame, span, (frame.x_at(start), frame.x_at(end)), len(rows) - rows.index(span.row) - 0.5)
            )
    told = "; ".join(f"{span.row}: {span.text or span.status}" for span in shown) + "."
    return svg.document(width, height, parts, title=title or "Timeline", description=told)


def _ends(given: Sequence[float] | None, count: int) -> Floats:
    ends = np.full(count, np.nan)
    found = drawable(given)[:count]
    ends[: len(found)] = found
    return ends


def _bar_frame(width: float, labels: Sequence[str], figures: Sequence[str], axis: Axis, headed: bool) -> Plot:
    left = 10 + min(max(map(svg.text_width, labels)), width * 0.36)
    right = width - max(map(svg.text_width, figures)) - 12
    top = 20.0 if headed else 4.0
    return Plot(width, 0, left, top, max(right, left + 20), top + _ROW * len(labels), axis, Axis(0, 1, ()))


def _bar_row(frame: Plot, index: int, value: float, ends: Sequence[Floats]) -> str:
    if not np.isfinite(value):
        return ""
    top = frame.top + index * _ROW
    zero, at = frame.x_at(0.0), frame.x_at(value)
    bar = {"x": min(zero, at), "y": top + 4, "width": max(abs(at - zero), 0.5), "height": _ROW - 8}
    drawn = svg.node("rect", **bar, fill=svg.ACCENT, fill_opacity="0.8", rx="1.5")
    low, high = float(ends[0][index]), float(ends[1][index])
    if np.isfinite(low) and np.isfinite(high):
        start, end, middle = frame.x_at(low), frame.x_at(high), top + _ROW / 2
        whisker = f"M{start:.1f} {middle:.1f}H{end:.1f}M{start:.1f} {middle - 4:.1f}v8M{end:.1f} {middle - 4:.1f}v8"
        drawn += svg.node("path", d=whisker, stroke=svg.PAPER, stroke_width="3.5", fill="none")
        drawn += svg.node("path", d=whisker, stroke="currentColor", stroke_width="1.4", fill="none")
    return drawn


def _names_and_figures(frame: Plot, labels: Sequence[str], figures: Sequence[str]) -> str:
    parts = []
    for index, (label, shown) in enumerate(zip(labels, figures, strict=True)):
        baseline = frame.top + index * _ROW + _ROW / 2 + 4
        fits = svg.fitted(label, frame.left - 10)
        full = svg.tip(label) if fits != label else ""
        parts.append(svg.node("text", escape(fits), full, x=0, y=baseline))
        parts.append(svg.text(frame.width, baseline, shown, text_anchor="end", font_weight="600"))
    return "".join(parts)


def _zero_line(frame: Plot) -> str:
    return svg.node("path", d=f"M{frame.x_at(0.0):.1f} {frame.top:.1f}V{frame.bottom:.1f}", stroke=svg.MUTED)


def _reference(frame: Plot, value: float | None, label: str) -> str:
    if value is None or not np.isfinite(at := frame.x_at(float(drawable([value])[0]))):
        return ""
    look = {"stroke": svg.STATUS_COLOURS["warning"], "stroke_width": "1.4", "stroke_dasharray": "5 3"}
    course = f"M{at:.1f} {frame.top:.1f}V{frame.bottom:.1f}"
    drawn = svg.node("path", d=course, stroke=svg.PAPER, stroke_width="4") + svg.node("path", d=course, **look)
    half = svg.text_width(label) / 2
    middle = min(max(at, half), frame.width - half)
    head = svg.text(middle, 13.0, label, text_anchor="middle", fill=svg.STATUS_COLOURS["warning"])
    return drawn + (head if label else "")


def _heat_row(row: Floats, left: float, top: float, cell: tuple[float, float]) -> list[str]:
    (side, high), total = cell, float(np.nansum(np.abs(row)))
    parts = []
    for index, value in enumerate(row.tolist()):
        share = abs(value) / total if np.isfinite(value) and total else 0.0
        x, shown = (
            left + index * side,
            figure(value if value % 1 else int(value)) if np.isfinite(value) else figure(None),
        )
        box = {"x": x + 1, "y": top + 1, "width": max(side - 2, 0.5), "height": high - 2}
        shade = {"fill": svg.ACCENT, "fill_opacity": f"{0.04 + 0.5 * share:.2f}"}
        parts.append(svg.node("rect", svg.tip(f"{shown} ({figure(share, '%')} of the row)"), **box, **shade, rx="2"))
        if svg.text_width(shown) < side - 6:
            place = {"text_anchor": "middle"}
            both = high >= 40 and svg.text_width("99.9%") < side - 6
            middle = top + high / 2
            parts.append(svg.text(x + side / 2, middle - 2 if both else middle + 4, shown, **place, font_weight="600"))
            if both:
                parts.append(svg.text(x + side / 2, middle + 14, figure(share, "%"), **place))
    return parts


def _span(frame: Plot, span: Span, pixels: tuple[float, float], row: float) -> str:
    (start, end), middle = pixels, frame.y_at(row)
    colour = svg.STATUS_COLOURS.get(span.status, svg.MUTED)
    told = svg.tip(f"{span.row}: {span.text or span.status}")
    if end - start < 4:
        return svg.node("circle", told, cx=start, cy=middle, r=5, fill=colour, stroke=svg.PAPER, stroke_width="1.5")
    box = {"x": start, "y": middle - 9, "width": end - start, "height": 18, "rx": 3}
    drawn = svg.node("rect", told, **box, fill=colour, stroke=svg.PAPER)
    label = svg.fitted(span.text, end - start - 10)
    fits = span.text and end - start > 30
    return drawn + (svg.text(start + 6, middle + 4, label, fill=svg.PAPER) if fits else "")
