"""A card on the terminal: the answer, what to know or do, and what it stands on; the page has the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from mlops_mlflow.cards.blocks import Block, Card, Code, Columns, Findings, Heading, KeyValues, Status, Table, Text
from mlops_mlflow.cards.markup import clean, unmarked
from mlops_mlflow.cards.notes import words

# Without the two signs that some terminals draw as emoji.
_SIGNS = {Status.OK: "✓", Status.WARNING: "!", Status.FAILED: "✗", Status.UNKNOWN: "?", Status.INFO: "·"}
_MOST_ROWS, _WIDEST = 12, 48
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def to_terminal(card: Card) -> str:
    """As much of a card as fits on a screen or two; without what it keeps behind titles, and pictures."""
    lines = [_line(card.title), _line(card.subtitle), "", f"{card.word or Status(card.status).word}: {card.headline}"]
    lines += ["", *(f"{_line(name):<14} {_line(words(value))}" for name, value in card.facts)] if card.facts else []
    lines += ["", *_blocks(card.blocks)]
    # So that a search in the output finds "0.2 EUR"; and no more than one empty line at once.
    told = "\n".join(_line(line) for line in lines).replace("\N{NO-BREAK SPACE}", " ")
    return re.sub(r"\n{3,}", "\n\n", told).rstrip()


def _line(text: str) -> str:
    """One line: what a name holds must not move the cursor."""
    return _CONTROL.sub(" ", clean(unmarked(text)))


def _blocks(blocks: Iterable[Block | tuple[Block, ...]]) -> Iterator[str]:
    title = ""
    for block in blocks:
        if isinstance(block, Heading):
            title = block.text
            continue
        lines = list(_block(block))
        if lines and title:
            yield from ("", title.upper())
            title = ""
        yield from lines


def _block(block: Block | tuple[Block, ...]) -> Iterator[str]:
    match block:
        case tuple():
            yield from _blocks(block)
        case Columns():
            yield from _blocks(block.blocks)
        case Findings():
            for one in block.items:
                yield f"  {_SIGNS[Status(one.status)]} {one.sentence}"
                yield from [f"      {one.detail}"] if one.detail else []
        case Table():
            yield from _table(block)
        case KeyValues():
            yield from (f"  {name:<26} {words(value)}" for name, value in block.items)
        case Code():
            yield from (f"  {line}" for line in block.text.splitlines())
        case Text():
            yield from (f"  {line}" for line in block.text.splitlines())
        case _:
            return  # what stands behind a title, and pictures, are for the page


def _table(block: Table) -> Iterator[str]:
    shown = [[_cut(words(cell)) for cell in row] for row in block.rows[: min(_MOST_ROWS, block.limit)]]
    # A column that shows only pictures says nothing here.
    kept = [place for place, name in enumerate(block.columns) if name or place == 0]
    rows: list[Sequence[str]] = [[_cut(name) for name in block.columns], *shown]
    if block.caption:
        yield f"  {_line(block.caption)}"
    widths = {place: max(len(row[place]) for row in rows) for place in kept}
    for row in rows:
        yield "  " + "  ".join(row[place].ljust(widths[place]) for place in kept).rstrip()
    if len(block.rows) > len(shown):
        yield f"  … and {len(block.rows) - len(shown)} more"


def _cut(text: str) -> str:
    line = _line(text)
    return line if len(line) <= _WIDEST else f"{line[: _WIDEST - 1]}…"
