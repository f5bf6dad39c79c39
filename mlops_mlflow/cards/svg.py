"""The few things every picture is made of: elements, text that fits, and the colours of the page's theme."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable
from typing import Self

from mlops_mlflow.cards.markup import clean, escape

# Each colour is the page's, with a fallback for a picture that is looked at alone.
MUTED = "var(--muted,#5a6472)"
GRID = "var(--line,#e2e6eb)"
PAPER = "var(--paper,#fff)"
ACCENT = "var(--accent,#1d5fbf)"
STATUS_COLOURS = {
    "ok": "var(--ok,#0a7868)",
    "warning": "var(--warning,#946200)",
    "failed": "var(--failed,#b3361b)",
    "unknown": MUTED,
    "info": ACCENT,
}
# Series differ in lightness and dash too, so that they differ without colour.
SERIES = (
    (ACCENT, "none"),
    ("var(--series-2,#c2570c)", "7 3"),
    ("var(--series-3,#0a7868)", "2 3"),
    ("var(--series-4,#7d4a9e)", "9 3 2 3"),
    ("var(--series-5,#5a6472)", "4 2"),
)
OTHER_SERIES = (MUTED, "1 3")
TEXT_SIZE = 12
LINE_HEIGHT = 15
FULL_WIDTH = 560
MOST_LABELS = 8

_WIDTH_OF_CHARACTER = TEXT_SIZE * 0.6
_LONGEST_TEXT = 400


class Svg(str):
    """A picture: SVG markup made by this package, with what it shows in words.

    Attributes:
        name: What the picture is.
        description: What it shows, for those who do not see it and for the card's other forms.
    """

    name: str
    description: str

    def __new__(cls, markup: str, name: str = "", description: str = "") -> Self:
        """Mark ``markup`` as safe to put into a page: it must come from :func:`document`."""
        made = super().__new__(cls, markup)
        made.name, made.description = name, description
        return made


def node(name: str, *children: str, **attributes: object) -> str:
    """One element; ``children`` are markup already, attributes are escaped, and None leaves one out.

    Underscores in names become hyphens: ``stroke_width`` is ``stroke-width``.
    """
    written = "".join(
        f' {key.strip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{written}>{''.join(children)}</{name}>" if children else f"<{name}{written}/>"


def text(x: float, y: float, content: str, **attributes: object) -> str:
    """Text with its baseline at ``(x, y)``."""
    return node("text", escape(content), x=x, y=y, **attributes)


def tip(content: str) -> str:
    """What a browser shows while the pointer rests on the element around it."""
    return node("title", escape(content, _LONGEST_TEXT))


def document(width: float, height: float, parts: Iterable[str], *, title: str, description: str) -> Svg:
    """A whole picture of ``width`` by ``height`` pixels at most; it shrinks with the page."""
    title, description = clean(title, _LONGEST_TEXT) or "Picture", clean(description, _LONGEST_TEXT)
    drawn = node(
        "svg",
        tip(title),
        node("desc", escape(description)),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        aria_label=f"{title}. {description}",
        viewBox=f"0 0 {_attribute(width)} {_attribute(height)}",
        width=width,
        height=height,
        font_family="inherit",
        font_size=TEXT_SIZE,
        fill="currentColor",
    )
    return Svg(drawn, title, description)


def nothing_to_draw(width: float, title: str) -> Svg:
    """What stands where a picture would, when there is no data for one."""
    height = 56
    parts = [
        node("rect", x=0.5, y=0.5, width=width - 1, height=height - 1, rx=4, fill="none", stroke=GRID),
        text(width / 2, height / 2 + 4, "no data to draw", text_anchor="middle", fill=MUTED),
    ]
    return document(width, height, parts, title=title, description="There is no data to draw.")


def text_width(content: str) -> float:
    """About how wide ``content`` is, in pixels; fonts differ, so leave some room."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in content)
    broad = sum(character.isupper() or character in "mw%@" for character in content)
    return (len(content) + 0.8 * wide + 0.2 * broad) * _WIDTH_OF_CHARACTER


def fitted(content: str, width: float) -> str:
    """``content`` on one line, cut with "…" where it is wider than ``width`` pixels."""
    line = " ".join(clean(content, _LONGEST_TEXT).split())
    if text_width(line) <= width:
        return line
    while line and text_width(line) > width - _WIDTH_OF_CHARACTER:
        line = line[:-1]
    return line.rstrip() + "…"


def _attribute(value: object) -> str:
    if isinstance(value, float):
        if not math.isfinite(value):
            msg = f"a coordinate of a picture must be finite, got {value}"
            raise ValueError(msg)
        return f"{value:.1f}".removesuffix(".0")
    return escape(value)
