"""Cells, badges and tables as HTML."""

from __future__ import annotations

import math
import re
from numbers import Real
from typing import TypeGuard

from mlops_mlflow.cards.blocks import Badge, Bar, Cell, Link, Picture, Quantity, Status, Table
from mlops_mlflow.cards.markup import clean, escape, inline
from mlops_mlflow.cards.numbers import NOTHING, aligned, as_float, figure
from mlops_mlflow.cards.svg import Svg

_LONGEST_CELL = 500
_MOST_COLUMNS = 100
_FOLLOWED = re.compile(r"(https?://|mailto:)[^\s]+", re.IGNORECASE)

# One shape for each status, so that it is told without its colour.
_SIGNS = {
    Status.OK: '<circle cx="8" cy="8" r="7.5"/><path d="M4.5 8.3l2.4 2.4l4.6-5"/>',
    Status.WARNING: '<path d="M8 .8L15.6 14.6H.4z" stroke-linejoin="round"/><path d="M8 5.8v4.2M8 12.2v.2"/>',
    Status.FAILED: '<path d="M5 .5h6l4.5 4.5v6l-4.5 4.5h-6L.5 11V5z"/><path d="M5.2 5.2l5.6 5.6m0-5.6l-5.6 5.6"/>',
    Status.UNKNOWN: '<circle cx="8" cy="8" r="7.5"/><path d="M5.8 6.2a2.2 2.2 0 1 1 2.9 2q-.7.3-.7 1.2M8 11.7v.2"/>',
    Status.INFO: '<rect x=".5" y=".5" width="15" height="15" rx="3"/><path d="M8 7.2v4.6M8 4.4v.2"/>',
}


def sign(status: Status) -> str:
    """The status's shape; the word has to stand beside it."""
    return f'<svg class="sign" viewBox="0 0 16 16" aria-hidden="true">{_SIGNS[status]}</svg>'


def badge(status: Status, word: str) -> str:
    """The status's shape and a word."""
    return f'<span class="badge {status}">{sign(status)}<span>{escape(word, 60)}</span></span>'


def cell(value: Cell) -> str:  # noqa: PLR0911  # one return for each kind of cell
    """The content of a cell."""
    match value:
        case Status():
            return badge(value, value.word)
        case Badge():
            return badge(Status(value.status), value.word)
        case Quantity():
            return escape(figure(value.value, value.unit), _LONGEST_CELL)
        case Bar():
            return _bar(value)
        case Link():
            return _link(value)
        case Picture():
            return value.svg if isinstance(value.svg, Svg) else escape(value.svg, _LONGEST_CELL)
        case bool():
            return "yes" if value else "no"
        case None | Real():
            return figure(value)
        case _:
            return inline(value, _LONGEST_CELL) if str(value).strip() else NOTHING


def table(block: Table) -> str:
    """A table that scrolls sideways within itself where the page is narrow."""
    columns, rows = block.columns[:_MOST_COLUMNS], block.rows[: block.limit]
    classes = [_side(block, index, rows) for index in range(len(columns))]
    heads = "".join(f'<th scope="col"{c}>{inline(h, 200)}</th>' for h, c in zip(columns, classes, strict=True))
    drawn = [_column([row[index] if index < len(row) else None for row in rows]) for index in range(len(columns))]
    lines = []
    for row in range(len(rows)):
        name, *others = (f"{side}>{column[row]}" for side, column in zip(classes, drawn, strict=True))
        lines.append(f'<tr><th scope="row"{name}</th>{"".join(f"<td{other}</td>" for other in others)}</tr>\n')
    caption = f"<caption>{inline(block.caption, 500)}</caption>" if block.caption else ""
    label = escape(block.caption or "Table", 200)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table>{caption}\n'
        f"<thead><tr>{heads}</tr></thead>\n<tbody>\n{''.join(lines)}</tbody></table></div>\n{_left_out(block)}"
    )


def _left_out(block: Table) -> str:
    rows, columns = len(block.rows) - block.limit, len(block.columns) - _MOST_COLUMNS
    said = [f"{figure(count)} more {what}" for count, what in ((rows, "rows"), (columns, "columns")) if count > 0]
    return f'<p class="more">… and {" and ".join(said)}</p>\n' if said else ""


def _side(block: Table, index: int, rows: tuple[tuple[Cell, ...], ...]) -> str:
    """The class of a column: numbers are on the right."""
    if index < len(block.align):
        return ' class="number"' if block.align[index] == "right" else ""
    values = [row[index] for row in rows if index < len(row) and row[index] is not None]
    return ' class="number"' if values and all(_is_number(v) or isinstance(v, Quantity) for v in values) else ""


def _column(values: list[Cell]) -> list[str]:
    """The cells of one column, its numbers written alike."""
    numbers = [value.value if _is_plain_bar(value) else value if _is_number(value) else None for value in values]
    written = aligned(numbers)  # type: ignore[arg-type]  # numbers and None are left
    return [_written(value, text) for value, text in zip(values, written, strict=True)]


def _written(value: Cell, text: str) -> str:
    """A cell, with ``text`` for the number that it is."""
    if _is_plain_bar(value):
        return _bar(value, text)
    return text if _is_number(value) else cell(value)


def _is_plain_bar(value: object) -> TypeGuard[Bar]:
    return isinstance(value, Bar) and value.unit is None


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _bar(bar: Bar, text: str = "") -> str:
    if bar.value is None or not math.isfinite(value := as_float(bar.value)):
        return figure(bar.value)
    share = min(max(value / bar.most, 0.0), 1.0) if bar.most > 0 else 0.0
    length = f'<i style="width:{share * 100:.1f}%"></i>' if share > 0 else ""
    shown = f'<span class="figure">{escape(text or figure(bar.value, bar.unit), _LONGEST_CELL)}</span>'
    return f'<span class="bar">{shown}<span class="track">{length}</span></span>'


def _link(link: Link) -> str:
    url = clean(link.url.strip())
    if not _FOLLOWED.fullmatch(url) or len(url) > 2000:
        return escape(link.text, _LONGEST_CELL)
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(link.text, _LONGEST_CELL)}</a>'
