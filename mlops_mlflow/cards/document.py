"""A whole card as one Markdown document, for repositories, wikis and pull requests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlops_mlflow.cards.blocks import (
    Block,
    Card,
    Cell,
    Code,
    Columns,
    Findings,
    Fold,
    Heading,
    KeyValues,
    Link,
    Picture,
    Status,
    Table,
    Text,
)
from mlops_mlflow.cards.markup import clean, markdown, unmarked
from mlops_mlflow.cards.notes import words

_FOLLOWED = ("http://", "https://", "mailto:")


def to_document(card: Card) -> str:
    """Everything that a card says, pictures in words."""
    status = Status(card.status)
    word = markdown(card.word or status.word)
    answer = f"**{status.sign} {word}: {markdown(unmarked(card.headline))}**"
    parts = [f"# {markdown(card.title)}", markdown(card.subtitle), answer]
    parts += ["\n".join(f"- {markdown(name)}: {_cell(value)}" for name, value in card.facts)] if card.facts else []
    return "\n\n".join([*parts, *_blocks(card.blocks, 2)]) + "\n"


def _blocks(blocks: Iterable[Block | tuple[Block, ...]], level: int) -> Iterator[str]:
    for block in blocks:
        yield from _block(block, level)


def _block(block: Block | tuple[Block, ...], level: int) -> Iterator[str]:
    match block:
        case tuple():
            yield from _blocks(block, level)
        case Columns():
            yield from _blocks(block.blocks, level)
        case Fold():
            yield f"{'#' * (level + 1)} {markdown(block.title)}"
            yield from _blocks(block.blocks, level + 1)
        case Heading():
            yield f"{'#' * (level + block.level - 2)} {markdown(block.text)}"
        case Table():
            yield _table(block)
        case Findings():
            yield "\n".join(
                f"- {Status(one.status).sign} {markdown(f'{one.sentence} {one.detail}'.strip())}" for one in block.items
            )
        case KeyValues():
            yield "\n".join(f"- {markdown(name)}: {_cell(value)}" for name, value in block.items)
        case Code():
            yield _fenced(block)
        case Picture():
            yield f"*{markdown(words(block))}*"
        case Text():
            yield markdown(block.text)


def _table(block: Table) -> str:
    kept = [place for place, name in enumerate(block.columns) if name or place == 0]
    heads = [markdown(block.columns[place]) or " " for place in kept]
    lines = [heads, ["---"] * len(kept), *([_cell(row[place]) for place in kept] for row in block.rows)]
    caption = [markdown(block.caption), ""] if block.caption else []
    return "\n".join([*caption, *(f"| {' | '.join(line)} |" for line in lines)])


def _cell(value: Cell) -> str:
    if isinstance(value, Link) and value.url.startswith(_FOLLOWED) and not set(value.url) & set(" ()<>\n"):
        return f"[{markdown(value.text)}]({value.url})"
    return markdown(words(value)).replace("|", "\\|").replace("\\\\|", "\\|")


def _fenced(block: Code) -> str:
    """Behind more backticks than the text holds in a row."""
    text = clean(block.text)
    fence = "```"
    while fence in text:
        fence += "`"
    language = block.language if block.language.isalnum() else ""
    return f"{fence}{language}\n{text}\n{fence}"
