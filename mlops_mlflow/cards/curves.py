"""Pictures with two measured axes: histogram, line, curve, scatter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from mlops_mlflow.cards import plot, svg
from mlops_mlflow.cards.bands import Band, Convert, areas, labels
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.plot import Plot
from mlops_mlflow.cards.scales import Floats, date_axis, drawable, instants, log_axis, number_axis
from mlops_mlflow.cards.svg import FULL_WIDTH, Svg

Series = Mapping[str, tuple[Iterable[Any], Iterable[Any]]]
Intervals = Mapping[str, tuple[Iterable[Any], Iterable[Any]]]
XY = dict[str, tuple[Floats, Floats]]

_MOST_SERIES = 40
_DENSE, _SPARSE = 2_000, 100  # points: so many hide each other; so few do not
_MOST_DOTS = 60  # of a line that also marks its points


def line(
    series: Series,
    *,
    x_kind: Literal["number", "date"] = "number",
    intervals: Intervals | None = None,
    bands: Sequence[Band] = (),
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    width: int = FULL_WIDTH,
    height: int = 240,
) -> Svg:
    """Series over numbers or time, each named at its end.

    Args:
        series: x and y of each series, by name; a y that is NaN or None leaves a gap.
        x_kind: What x is; dates may be datetimes, ISO 8601 texts or epoch seconds.
        intervals: Lower and upper ends around a series, by its name.
        bands: Limits and ranges to show.
        title: What the picture is, for those who do not see it.
        x_label: What x measures.
        y_label: What y measures, with its unit.
        width: Pixels.
        height: Pixels.
    """
    convert = instants if x_kind == "date" else drawable
    drawn = _prepared(series, convert)
    if not drawn:
        return svg.nothing_to_draw(width, title)
    around = {name: (drawable(low), drawable(high)) for name, (low, high) in (intervals or {}).items()}
    limits = [drawable([b.low, b.high]) for b in bands if b.axis == "y"]
    y_axis = number_axis(
        *(y for _, y in drawn.values()),
        *(e for pair in around.values() for e in pair),
        *limits,
        label=y_label,
        snap=True,
    )
    xs = [x for x, _ in drawn.values()]
    whole = all((x[np.isfinite(x)] % 1 == 0).all() for x in xs)
    x_axis = date_axis(*xs, label=x_label) if x_kind == "date" else number_axis(*xs, label=x_label, whole=whole)
    named = list(drawn)[: svg.MOST_LABELS] if len(drawn) > 1 else []
    frame = plot.framed(width, height, x_axis, y_axis, right=plot.names_room(named) if named else 14.0)
    colours = dict(zip(drawn, plot.styles(len(drawn)), strict=True))
    ends = [(name, _end(frame, drawn[name]), colours[name][0]) for name in named]
    parts = [*areas(frame, bands, convert), frame.axes(), *_ribbons(frame, drawn, around, colours)]
    parts += [_stroke_and_dots(frame, name, drawn[name], colours[name]) for name in drawn]
    parts += [labels(frame, bands, convert), plot.names_at_ends(frame, ends)]
    return svg.document(width, height, parts, title=title or "Line chart", description=_told(drawn))


def curve(
    series: Series,
    *,
    diagonal: bool = True,
    intervals: Intervals | None = None,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    width: int = 400,
    height: int = 360,
) -> Svg:
    """Curves over the unit square or what exceeds it: ROC, precision and recall, lift, calibration.

    Args:
        series: x and y of each curve, by name.
        diagonal: Whether to draw the line where y equals x: chance, or perfect calibration.
        intervals: Lower and upper ends around a curve, by its name.
        title: What the picture is, for those who do not see it.
        x_label: What x measures.
        y_label: What y measures.
        width: Pixels.
        height: Pixels.
    """
    drawn = _prepared(series, drawable)
    if not drawn:
        return svg.nothing_to_draw(width, title)
    around = {name: (drawable(low), drawable(high)) for name, (low, high) in (intervals or {}).items()}
    x_axis = number_axis(*(x for x, _ in drawn.values()), include=(0, 1), label=x_label)
    y_axis = number_axis(
        *(y for _, y in drawn.values()), *(e for pair in around.values() for e in pair), include=(0, 1), label=y_label
    )
    frame = plot.framed(width, height, x_axis, y_axis)
    colours = dict(zip(drawn, plot.styles(len(drawn)), strict=True))
    parts = [frame.axes(), _diagonal(frame) if diagonal else "", *_ribbons(frame, drawn, around, colours)]
    parts += [_stroke_and_dots(frame, name, drawn[name], colours[name]) for name in drawn]
    if len(drawn) > 1:
        entries = [(name, colours[name]) for name in list(drawn)[: svg.MOST_LABELS]]
        parts.append(plot.key_in_free_corner(frame, entries, _outline(frame, drawn)))
    return svg.document(width, height, parts, title=title or "Curve", description=_told(drawn))


def scatter(
    x: Iterable[Any],
    y: Iterable[Any],
    *,
    reference: Literal["diagonal", "zero"] | None = None,
    x_span: Sequence[float] = (),
    x_log: bool = False,
    title: str = "",
    x_label: str = "",
    y_label: str = "",
    width: int = FULL_WIDTH,
    height: int = 300,
) -> Svg:
    """Points; above 2,000 of them, how many fall into each of small squares.

    Args:
        x: Horizontal positions, shape (n,).
        y: Vertical positions, shape (n,).
        reference: A line to judge by: y equal to x (predicted against actual), or y equal to 0 (residuals).
        x_span: What the horizontal axis reaches to whether or not there are points.
        x_log: Whether ``x`` and ``x_span`` are decimal logarithms, of which the axis names the numbers.
        title: What the picture is, for those who do not see it.
        x_label: What x measures.
        y_label: What y measures.
        width: Pixels.
        height: Pixels.
    """
    drawn = _prepared({"": (x, y)}, drawable)
    if not drawn:
        return svg.nothing_to_draw(width, title)
    xs, ys = drawn[""]
    known = np.isfinite(xs) & np.isfinite(ys)
    xs, ys = xs[known], ys[known]
    include = (0,) if reference == "zero" else ()
    x_axis = (log_axis if x_log else number_axis)(xs, label=x_label, include=x_span)
    frame = plot.framed(width, height, x_axis, number_axis(ys, include=include, label=y_label, snap=True))
    shade = "0.5" if len(xs) > _SPARSE else "0.9"
    dots = _density(frame, xs, ys) if len(xs) > _DENSE else _dots(frame.x(xs), frame.y(ys), svg.ACCENT, shade)
    lines = {"diagonal": _diagonal, "zero": _zero}
    parts = [frame.axes(), dots, lines[reference](frame) if reference else ""]
    told = f"{figure(len(xs))} points; {_range('x', xs)}; {_range('y', ys)}."
    return svg.document(width, height, parts, title=title or "Scatter plot", description=told)


def _prepared(series: Series, convert: Convert) -> XY:
    """The series that have something to show, as equally long arrays."""
    prepared: XY = {}
    for name, (x, y) in list(series.items())[:_MOST_SERIES]:
        xs, ys = convert(x), drawable(y)
        length = min(len(xs), len(ys))
        xs, ys = xs[:length], ys[:length]
        if (np.isfinite(xs) & np.isfinite(ys)).any():
            prepared[name] = (xs, ys)
    return prepared


def _stroke_and_dots(frame: Plot, name: str, points: tuple[Floats, Floats], style: tuple[str, str]) -> str:
    xs, ys = frame.x(points[0]), frame.y(points[1])
    dots = _dots(xs, ys, style[0], "1") if len(xs) <= _MOST_DOTS else ""
    return plot.stroke(xs, ys, style, name) + dots


def _dots(xs: Floats, ys: Floats, colour: str, opacity: str) -> str:
    """All points as one path: a fraction of the size of as many circles."""
    known = np.isfinite(xs) & np.isfinite(ys)
    drawn = "".join(f"M{x:.1f} {y:.1f}h0" for x, y in zip(xs[known].tolist(), ys[known].tolist(), strict=True))
    return svg.node(
        "path", d=drawn, stroke=colour, stroke_width="5", stroke_linecap="round", stroke_opacity=opacity, fill="none"
    )


def _density(frame: Plot, xs: Floats, ys: Floats) -> str:
    side = 7.0
    columns = max(1, int((frame.right - frame.left) / side))
    rows = max(1, int((frame.bottom - frame.top) / side))
    across = np.clip((frame.x_axis.share(xs) * columns).astype(int), 0, columns - 1)
    down = np.clip((frame.y_axis.share(ys) * rows).astype(int), 0, rows - 1)
    counts = np.zeros((rows, columns))
    np.add.at(counts, (down, across), 1)
    levels = np.ceil(np.log1p(counts) / np.log1p(counts.max()) * 6).astype(int)
    wide, high = (frame.right - frame.left) / columns, (frame.bottom - frame.top) / rows
    parts = []
    for level in range(1, 7):
        squares = "".join(
            f"M{frame.left + c * wide:.1f} {frame.bottom - (r + 1) * high:.1f}h{wide:.2f}v{high:.2f}h-{wide:.2f}z"
            for r, c in np.argwhere(levels == level).tolist()
        )
        if squares:
            parts.append(svg.node("path", d=squares, fill_opacity=f"{level / 6:.2f}"))
    return svg.node("g", *parts, fill=svg.ACCENT)


def _diagonal(frame: Plot) -> str:
    low = max(frame.x_axis.low, frame.y_axis.low)
    high = min(frame.x_axis.high, frame.y_axis.high)
    if high <= low:
        return ""
    ends = np.array([low, high])
    drawn = plot.path(frame.x(ends), frame.y(ends))
    return svg.node("path", d=drawn, stroke=svg.MUTED, stroke_dasharray="3 4", fill="none")


def _zero(frame: Plot) -> str:
    y = frame.y_at(0.0)
    return svg.node("path", d=f"M{frame.left:.1f} {y:.1f}H{frame.right:.1f}", stroke="currentColor", stroke_width="1.2")


def _ribbons(frame: Plot, drawn: XY, around: XY, colours: Mapping[str, tuple[str, str]]) -> list[str]:
    parts = []
    for name, (low, high) in around.items():
        if name in drawn:
            xs = drawn[name][0]
            length = min(len(xs), len(low), len(high))
            pixels = frame.x(xs[:length]), frame.y(low[:length]), frame.y(high[:length])
            parts.append(plot.ribbon(*pixels, colours[name][0]))
    return parts


def _end(frame: Plot, points: tuple[Floats, Floats]) -> float:
    known = np.flatnonzero(np.isfinite(points[0]) & np.isfinite(points[1]))
    return frame.y_at(float(points[1][known[-1]]))


def _outline(frame: Plot, drawn: XY) -> tuple[Floats, Floats]:
    """Pixels along all lines, close enough to each other that no corner looks empty that is not."""
    xs: list[Floats] = []
    ys: list[Floats] = []
    steps = np.linspace(0, 1, 30)
    for x, y in drawn.values():
        known = np.isfinite(x) & np.isfinite(y)
        across, down = plot.thinned(frame.x(x[known]), frame.y(y[known]))
        for pixels, found in ((across, xs), (down, ys)):
            found.append((pixels[:-1, None] * (1 - steps) + pixels[1:, None] * steps).ravel())
    return np.concatenate(xs), np.concatenate(ys)


def _told(drawn: XY) -> str:
    return " ".join(f"{name or 'Values'}: {figure(len(x))} points; {_range('y', y)}." for name, (x, y) in drawn.items())


def _range(name: str, values: Floats) -> str:
    known = values[np.isfinite(values)]
    return f"{name} from {figure(float(known.min()))} to {figure(float(known.max()))}" if known.size else f"no {name}"
