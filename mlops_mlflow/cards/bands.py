"""Ranges and limits that mean something, behind the lines of a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mlops_mlflow.cards import svg
from mlops_mlflow.cards.plot import Plot
from mlops_mlflow.cards.scales import Floats, drawable

Convert = Callable[[Iterable[Any]], Floats]


@dataclass(frozen=True)
class Band:
    """A range of one axis that means something; a limit where ``low`` equals ``high``.

    Attributes:
        low: Where it begins; None is the end of the axis.
        high: Where it ends; None is the end of the axis.
        label: What it means, two or three words.
        axis: The axis that it is a range of.
        status: Its colour, one of a card's statuses.
    """

    low: Any
    high: Any
    label: str = ""
    axis: Literal["x", "y"] = "y"
    status: str = "warning"


def areas(frame: Plot, bands: Sequence[Band], convert: Convert) -> list[str]:
    """The bands as areas, or dashed lines where they are limits; ``convert`` makes numbers of what x is given in."""
    parts = []
    for band in bands:
        if (pixels := _pixels(frame, band, convert)) is None:
            continue
        (start, end), colour = pixels, svg.STATUS_COLOURS.get(band.status, svg.MUTED)
        if end - start < 0.5:
            d = f"M{start:.1f} {frame.top:.1f}V{frame.bottom:.1f}"
            if band.axis == "y":
                d = f"M{frame.left:.1f} {start:.1f}H{frame.right:.1f}"
            parts.append(svg.node("path", d=d, stroke=colour, stroke_width="1.2", stroke_dasharray="5 3", fill="none"))
        elif band.axis == "x":
            box = {"x": start, "width": end - start, "y": frame.top, "height": frame.bottom - frame.top}
            parts.append(svg.node("rect", **box, fill=colour, fill_opacity="0.1"))
        else:
            box = {"x": frame.left, "width": frame.right - frame.left, "y": start, "height": end - start}
            parts.append(svg.node("rect", **box, fill=colour, fill_opacity="0.1"))
    return parts


def labels(frame: Plot, bands: Sequence[Band], convert: Convert) -> str:
    """What the bands mean, to be drawn above everything else."""
    parts = []
    for band in bands:
        if not band.label or (pixels := _pixels(frame, band, convert)) is None:
            continue
        label = svg.fitted(band.label, (frame.right - frame.left) / 2)
        x, y = (pixels[0] + 4, frame.top + 12) if band.axis == "x" else (frame.left + 4, pixels[0] - 4)
        if band.axis == "y" and y < frame.top + 10:
            y = pixels[0] + 13
        if band.axis == "x" and pixels[1] - pixels[0] < 0.5:
            y = frame.bottom - 8  # a limit is often where a curve has its peak
        halo = {"stroke": svg.PAPER, "stroke_width": "3", "paint_order": "stroke"}
        parts.append(svg.text(x, y, label, fill=svg.STATUS_COLOURS.get(band.status, svg.MUTED), **halo))
    return "".join(parts)


def _pixels(frame: Plot, band: Band, convert: Convert) -> tuple[float, float] | None:
    """Where a band begins and ends in pixels, within the frame; None where it is outside."""
    axis = frame.x_axis if band.axis == "x" else frame.y_axis
    given = (convert if band.axis == "x" else drawable)([band.low, band.high])
    low = axis.low if band.low is None else float(given[0])
    high = axis.high if band.high is None else float(given[1])
    if not (low <= axis.high and high >= axis.low):
        return None
    low, high = max(low, axis.low), min(high, axis.high)
    return (frame.x_at(low), frame.x_at(high)) if band.axis == "x" else (frame.y_at(high), frame.y_at(low))
