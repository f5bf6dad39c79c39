"""The frame of a picture with two axes, and what is drawn inside: paths, ribbons, names beside their lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlops_mlflow.cards import svg
from mlops_mlflow.cards.scales import Axis, Floats

_BOTTOM, _AXIS_LABEL = 22.0, 18.0
_MOST_POINTS = 1_000  # of one path; a screen shows no more
_LABEL_GAP = 14.0
_LONGEST_NAME = 130.0


@dataclass(frozen=True)
class Plot:
    """Where the axes lie in a picture; edges are pixels from the picture's upper left corner."""

    width: float
    height: float
    left: float
    top: float
    right: float
    bottom: float
    x_axis: Axis
    y_axis: Axis

    def x(self, values: Floats) -> Floats:
        """Pixels from the left of ``values`` on the horizontal axis."""
        pixels: Floats = self.left + self.x_axis.share(values) * (self.right - self.left)
        return pixels

    def y(self, values: Floats) -> Floats:
        """Pixels from the top of ``values`` on the vertical axis."""
        pixels: Floats = self.bottom - self.y_axis.share(values) * (self.bottom - self.top)
        return pixels

    def x_at(self, value: float) -> float:
        """Pixels from the left of one value."""
        return self.left + self.x_axis.share_of(value) * (self.right - self.left)

    def y_at(self, value: float) -> float:
        """Pixels from the top of one value."""
        return self.bottom - self.y_axis.share_of(value) * (self.bottom - self.top)

    def axes(self) -> str:
        """Hairlines at the ticks of the vertical axis, a base line, labels at both axes."""
        lines = [_rule(self.left, self.right, self.y_at(value)) for value, _ in self.y_axis.ticks]
        marks = [svg.node("path", d=f"M{self.x_at(v):.1f} {self.bottom:.1f}v4") for v, _ in self.x_axis.ticks]
        base = svg.node("path", d=f"M{self.left:.1f} {self.bottom:.1f}H{self.right:.1f}")
        return "".join(
            [
                svg.node("g", *lines, stroke=svg.GRID, fill="none") if lines else "",
                svg.node("g", base, *marks, stroke=svg.MUTED, fill="none"),
                svg.node("g", *self._tick_labels(), *self._axis_labels(), fill=svg.MUTED),
            ]
        )

    def _tick_labels(self) -> list[str]:
        parts = [
            svg.text(self.left - 8, self.y_at(value) + 4, label, text_anchor="end")
            for value, label in self.y_axis.ticks
        ]
        taken = -np.inf
        for value, label in self.x_axis.ticks:
            half = svg.text_width(label) / 2
            middle = min(max(self.x_at(value), half), self.width - half)
            if middle - half > taken:  # a label that would touch its neighbour is left out
                parts.append(svg.text(middle, self.bottom + 18, label, text_anchor="middle"))
                taken = middle + half + 6
        return parts

    def _axis_labels(self) -> list[str]:
        room = self.width - 4
        above = svg.text(0.0, 12.0, svg.fitted(self.y_axis.label, room)) if self.y_axis.label else ""
        middle, wide = (self.left + self.right) / 2, svg.text_width(svg.fitted(self.x_axis.label, room)) / 2
        middle = min(max(middle, wide), self.width - wide)
        under = svg.fitted(self.x_axis.label, room)
        below = svg.text(middle, self.bottom + 36, under, text_anchor="middle") if self.x_axis.label else ""
        return [part for part in (above, below) if part]


def framed(width: float, height: float, x_axis: Axis, y_axis: Axis, *, right: float = 14.0) -> Plot:
    """A plot that leaves room for the labels of its axes, and ``right`` pixels for names beside the lines."""
    left = 12 + max((svg.text_width(label) for _, label in y_axis.ticks), default=0.0)
    top = 28.0 if y_axis.label else 10.0
    bottom = height - _BOTTOM - (_AXIS_LABEL if x_axis.label else 0)
    return Plot(width, height, left, top, width - right, bottom, x_axis, y_axis)


def path(xs: Floats, ys: Floats) -> str:
    """The ``d`` of a line through pixels; a NaN leaves a gap, and a lone point becomes a dot-sized dash."""
    xs, ys = thinned(xs, ys)
    drawn, pen_up = [], True
    for index, (x, y) in enumerate(zip(xs.tolist(), ys.tolist(), strict=True)):
        if x != x or y != y:  # noqa: PLR0124  # NaN
            pen_up = True
            continue
        alone = pen_up and (index + 1 == len(xs) or not np.isfinite(xs[index + 1] + ys[index + 1]))
        drawn.append(f"{'M' if pen_up else 'L'}{x:.1f} {y:.1f}{'h.1' if alone else ''}")
        pen_up = False
    return "".join(drawn)


def ribbon(xs: Floats, low: Floats, high: Floats, colour: str) -> str:
    """The area between two lines of pixels, where both are known."""
    known = np.isfinite(xs) & np.isfinite(low) & np.isfinite(high)
    if known.sum() < 2:
        return ""
    there = path(xs[known], low[known])
    back = path(xs[known][::-1], high[known][::-1]).replace("M", "L", 1)
    return svg.node("path", d=f"{there}{back}Z", fill=colour, fill_opacity="0.14")


def stroke(xs: Floats, ys: Floats, style: tuple[str, str], name: str) -> str:
    """One series as a line."""
    drawn = path(xs, ys)
    if not drawn:
        return ""
    colour, dash = style
    dashes = None if dash == "none" else dash
    looks = {"stroke": colour, "stroke_dasharray": dashes, "stroke_width": "2"}
    return svg.node(
        "path", svg.tip(name), d=drawn, fill="none", stroke_linejoin="round", stroke_linecap="round", **looks
    )


def styles(count: int) -> list[tuple[str, str]]:
    """A colour and a dash for each of ``count`` series; those beyond the palette share a quiet one."""
    return [*svg.SERIES[:count], *[svg.OTHER_SERIES] * max(0, count - len(svg.SERIES))]


def names_room(names: Sequence[str]) -> float:
    """Pixels that names beside the ends of their lines need."""
    return 22 + min(max((svg.text_width(name) for name in names), default=0.0), _LONGEST_NAME)


def names_at_ends(plot: Plot, ends: Sequence[tuple[str, float, str]]) -> str:
    """Names to the right of the plot, each as near to the end of its line as the others allow.

    Args:
        plot: The frame.
        ends: Name, pixel from the top, and colour of each line.
    """
    placed = spread([y for _, y, _ in ends], plot.top + 4, plot.bottom)
    room = plot.width - plot.right - 10
    return "".join(
        svg.text(plot.right + 8, at + 4, svg.fitted(name, room), fill=colour, font_weight="600")
        for (name, _, colour), at in zip(ends, placed, strict=True)
    )


def spread(wanted: Sequence[float], low: float, high: float) -> list[float]:
    """Places near the wanted ones, in their order, a line of text apart, within ``low`` and ``high`` if they fit."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = list(wanted)
    nearest = low
    for index in order:
        placed[index] = max(wanted[index], nearest)
        nearest = placed[index] + _LABEL_GAP
    furthest = high
    for index in reversed(order):
        placed[index] = min(placed[index], furthest)
        furthest = placed[index] - _LABEL_GAP
    return placed


def key_in_free_corner(
    plot: Plot, entries: Sequence[tuple[str, tuple[str, str]]], points: tuple[Floats, Floats]
) -> str:
    """Names with a sample of their lines, in the corner of the plot that the fewest ``points`` (pixels) are in."""
    wide = min(34 + max(svg.text_width(name) for name, _ in entries), (plot.right - plot.left) * 0.7)
    high = _LABEL_GAP * len(entries) + 8
    lefts, tops = (plot.left + 8, plot.right - wide), (plot.top + 2, plot.bottom - high)
    corners = [(x, y) for y in reversed(tops) for x in reversed(lefts)]
    left, top = min(corners, key=lambda corner: _inside(corner, wide, high, points))
    parts = []
    for row, (name, (colour, dash)) in enumerate(entries):
        y = top + 12 + row * _LABEL_GAP
        sample = {"stroke": colour, "stroke_dasharray": None if dash == "none" else dash, "stroke_width": "2"}
        parts += [
            svg.node("path", d=f"M{left:.1f} {y - 4:.1f}h22", fill="none", **sample),
            svg.text(left + 28, y, svg.fitted(name, wide - 30)),
        ]
    return "".join(parts)


def _inside(corner: tuple[float, float], wide: float, high: float, points: tuple[Floats, Floats]) -> int:
    (left, top), (xs, ys) = corner, points
    return int(((xs >= left - 6) & (xs <= left + wide) & (ys >= top - 6) & (ys <= top + high + 6)).sum())


def _rule(left: float, right: float, y: float) -> str:
    return svg.node("path", d=f"M{left:.1f} {y:.1f}H{right:.1f}")


def thinned(xs: Floats, ys: Floats) -> tuple[Floats, Floats]:
    """At most about ``_MOST_POINTS`` of the points: of each stretch its first, lowest and highest one."""
    if len(xs) <= _MOST_POINTS:
        return xs, ys
    keep = [0, len(xs) - 1]
    for stretch in np.array_split(np.arange(len(xs)), _MOST_POINTS // 3):
        keep.append(int(stretch[0]))
        known = stretch[np.isfinite(ys[stretch])]
        if known.size:
            keep += [int(known[ys[known].argmin()]), int(known[ys[known].argmax()])]
    chosen = np.unique(keep)
    return xs[chosen], ys[chosen]
