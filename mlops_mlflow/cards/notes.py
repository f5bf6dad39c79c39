"""A card without its looks: a short note in Markdown, and JSON for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import fields
from numbers import Integral
from typing import Any

from mlops_mlflow.cards.blocks import (
    Badge,
    Bar,
    Block,
    Card,
    Cell,
    Columns,
    Findings,
    Fold,
    Link,
    Picture,
    Quantity,
    Remark,
    Status,
    Table,
)
from mlops_mlflow.cards.markup import clean, markdown, unmarked
from mlops_mlflow.cards.numbers import NOTHING, figure

_MOST_REMARKS, _MOST_FACTS, _SENTENCE = 20, 16, 400
_SAFE_INTEGER = 2**53  # what every reader of JSON can hold


def to_markdown(card: Card) -> str:
    """Headline, remarks and facts, short enough for a run's note.

    Of a note MLflow's page shows some five lines until somebody asks for more: what to know or do comes before facts.
    """
    status = Status(card.status)
    word = markdown(card.word or status.word, 60)
    lines = [f"**{status.sign} {word}: {markdown(unmarked(card.headline), _SENTENCE)}**", ""]
    about = " · ".join(markdown(part, _SENTENCE) for part in (card.title, card.subtitle) if part.strip())
    remarks = list(_remarks(card.blocks))
    lines += [_remark(remark) for remark in remarks[:_MOST_REMARKS]]
    if len(remarks) > _MOST_REMARKS:
        lines.append(f"- … and {len(remarks) - _MOST_REMARKS} more")
    lines += [""] if remarks else []
    if card.facts:
        facts = [(markdown(label, 100), markdown(words(value), 100)) for label, value in card.facts[:_MOST_FACTS]]
        lines += [f"| {' | '.join(label for label, _ in facts)} |", "| --- " * len(facts) + "|"]
        lines += [f"| {' | '.join(value for _, value in facts)} |", ""]
    lines += [about] if about else []
    return "\n".join(lines).rstrip() + "\n"


def to_json(card: Card) -> str:
    """Everything that the card says, as JSON: fields in a fixed order, numbers as numbers, pictures in words."""
    return json.dumps(_plain(card), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def words(value: Cell) -> str:  # noqa: PLR0911  # one return for each kind of cell
    """A cell as plain text."""
    match value:
        case Status():
            return f"{value.sign} {value.word}"
        case Badge():
            return f"{Status(value.status).sign} {value.word}"
        case Quantity() | Bar():
            return figure(value.value, value.unit)
        case Link():
            return value.text
        case Picture():
            return value.caption or value.svg.description
        case bool():
            return "yes" if value else "no"
        case str():
            return value if value.strip() else NOTHING
        case _:
            return figure(value)


def _remarks(blocks: Iterable[Block | tuple[Block, ...]]) -> Iterable[Remark]:
    for block in blocks:
        if isinstance(block, tuple):
            yield from _remarks(block)
        elif isinstance(block, Columns | Fold):
            yield from _remarks(block.blocks)
        elif isinstance(block, Findings):
            yield from block.items


def _remark(remark: Remark) -> str:
    detail = f" {markdown(remark.detail, _SENTENCE)}" if remark.detail else ""
    return f"- {Status(remark.status).sign} {markdown(remark.sentence, _SENTENCE)}{detail}"


def _plain(value: Any) -> Any:  # noqa: PLR0911  # one return for each kind of value
    """Any part of a card as what JSON knows."""
    if isinstance(value, Picture):
        return {"type": "picture", "caption": clean(value.caption), **_described(value)}
    if isinstance(value, Table):
        kept = {"columns": _plain(value.columns), "rows": _plain(value.rows[: value.limit])}
        left_out = max(0, len(value.rows) - value.limit)
        return {"type": "table", "caption": clean(value.caption), **kept, "rows_left_out": left_out}
    if hasattr(value, "__dataclass_fields__"):
        kind = {} if isinstance(value, Card) else {"type": _snake(type(value).__name__)}
        return kind | {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Integral):
        return int(value) if abs(int(value)) <= _SAFE_INTEGER else figure(int(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return clean(value)


def _described(picture: Picture) -> dict[str, str]:
    return {name: clean(getattr(picture.svg, name, "")) for name in ("name", "description")}


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
