"""A card as a page: HTML that needs nothing else, Markdown for a run's note, JSON for programs."""

from __future__ import annotations

from functools import cache
from importlib import resources

from mlops_mlflow.cards import cells
from mlops_mlflow.cards.blocks import (
    Block,
    Card,
    Code,
    Columns,
    Findings,
    Fold,
    Heading,
    KeyValues,
    Picture,
    Status,
    Table,
    Text,
)
from mlops_mlflow.cards.markup import clean, escape, inline, unmarked
from mlops_mlflow.cards.notes import to_json, to_markdown
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.svg import Svg

__all__ = ["LARGEST_PAGE", "to_html", "to_json", "to_markdown"]

LARGEST_PAGE = 1_000_000  # bytes; whatever block does not fit is named instead of shown
_FRAME = 60_000  # bytes kept for the style sheet, the header and the notes about what did not fit
_NOTES = 10_000  # of these, for the notes
_TITLE, _SENTENCE, _PROSE, _CODE = 200, 1_000, 20_000, 100_000
_MOST_FACTS, _MOST_ITEMS = 16, 200

# The page may use its own styles and nothing else: no script, no picture, font or form from anywhere.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def to_html(card: Card) -> str:
    """The card as one HTML document of at most about a megabyte, without scripts and outside resources."""
    status = Status(card.status)
    page = _Page(LARGEST_PAGE - _FRAME)
    body = "".join(page.block(block) for block in card.blocks)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(unmarked(card.title, _TITLE))}: {escape(unmarked(card.headline, _TITLE))}</title>\n"
        f"<style>\n{_style()}</style>\n</head>\n<body>\n<main>\n"
        f'<header class="{status}">\n<p class="about"><b>{escape(card.title, _TITLE)}</b>'
        f"<span>{escape(card.subtitle, _SENTENCE)}</span></p>\n"
        f"{cells.badge(status, card.word or status.word)}\n<h1>{inline(card.headline, _SENTENCE)}</h1>\n</header>\n"
        f"{_facts(card)}{body}</main>\n</body>\n</html>\n"
    )


@cache
def _style() -> str:
    return resources.files("mlops_mlflow.cards").joinpath("card.css").read_text(encoding="utf-8")


def _facts(card: Card) -> str:
    shown = "".join(
        f"<div><dt>{escape(label, _TITLE)}</dt><dd>{cells.cell(value)}</dd></div>\n"
        for label, value in card.facts[:_MOST_FACTS]
    )
    return f'<dl class="facts">\n{shown}</dl>\n{_more(len(card.facts) - _MOST_FACTS)}' if shown else ""


def _more(count: int) -> str:
    return f'<p class="more">… and {figure(count)} more</p>\n' if count > 0 else ""


class _Page:
    """Draws blocks as long as there is room.

    Args:
        room: Bytes that the blocks may take.
    """

    def __init__(self, room: int) -> None:
        self.room = room

    def block(self, block: Block) -> str:
        if isinstance(block, Columns):
            shares = [share if isinstance(share, tuple) else (share,) for share in block.blocks]
            drawn = "".join(f"<div>{''.join(map(self.block, share))}</div>" for share in shares)
            return f'<div class="columns">{drawn}</div>\n'
        if isinstance(block, Fold):
            inside = "".join(map(self.block, block.blocks))
            is_open = " open" if block.is_open else ""
            return f"<details{is_open}><summary>{inline(block.title, _TITLE)}</summary>\n{inside}</details>\n"
        return self._fitting(block, _leaf(block))

    def _fitting(self, block: Block, drawn: str) -> str:
        size = len(drawn.encode())
        if size > self.room:
            kind = type(block).__name__.lower()
            drawn = f'<p class="more">A {kind} of {figure(size, "bytes")} is left out to keep this page small.</p>\n'
            size = len(drawn.encode())
            if size > self.room + _NOTES:
                return ""  # said often enough
        self.room -= size
        return drawn


def _leaf(block: Heading | Text | Table | Findings | KeyValues | Code | Picture) -> str:  # noqa: PLR0911  # one for each kind
    match block:
        case Heading():
            return f"<h{block.level}>{inline(block.text, _TITLE)}</h{block.level}>\n"
        case Text():
            paragraphs = (part for part in clean(block.text, _PROSE).split("\n\n") if part.strip())
            return "".join(f"<p>{inline(part.strip())}</p>\n" for part in paragraphs)
        case Table():
            return cells.table(block)
        case Findings():
            return _findings(block)
        case KeyValues():
            return _key_values(block)
        case Code():
            name = f"<figcaption>{escape(block.language, _TITLE)}</figcaption>" if block.language else ""
            shown = f'<pre tabindex="0"><code>{escape(block.text, _CODE)}</code></pre>'
            return f'<figure class="code">{name}{shown}</figure>\n'
        case Picture():
            return _picture(block)


def _findings(block: Findings) -> str:
    items = []
    for remark in block.items[:_MOST_ITEMS]:
        status = Status(remark.status)
        detail = f'<p class="detail">{inline(remark.detail, _SENTENCE)}</p>' if remark.detail else ""
        said = f'<p><span class="hidden">{status.word}: </span>{inline(remark.sentence, _SENTENCE)}</p>'
        items.append(f'<li class="{status}">{cells.sign(status)}<div>{said}{detail}</div></li>\n')
    return f'<ul class="findings">\n{"".join(items)}</ul>\n{_more(len(block.items) - _MOST_ITEMS)}' if items else ""


def _key_values(block: KeyValues) -> str:
    shown = "".join(
        f"<dt>{escape(name, _TITLE)}</dt><dd>{cells.cell(value)}</dd>\n" for name, value in block.items[:_MOST_ITEMS]
    )
    return f'<dl class="keys">\n{shown}</dl>\n{_more(len(block.items) - _MOST_ITEMS)}' if shown else ""


def _picture(block: Picture) -> str:
    caption = f"<figcaption>{inline(block.caption, _SENTENCE)}</figcaption>" if block.caption else ""
    # Only this package's own drawings are markup; anything else is text.
    drawn = block.svg if isinstance(block.svg, Svg) else escape(block.svg, _SENTENCE)
    return f"<figure>{drawn}{caption}</figure>\n"
