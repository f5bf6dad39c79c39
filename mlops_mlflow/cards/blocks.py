"""The vocabulary of a card: plain frozen values that say what is shown, never how.

Every text is plain text; ``**bold**`` and `` `code` `` are marked up in headlines, paragraphs, remarks and cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from mlops_mlflow.cards.svg import Svg

StatusName = Literal["ok", "warning", "failed", "unknown", "info"]


class Status(StrEnum):
    """How something stands; as a cell of a table it is shown as a sign and a word."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"
    INFO = "info"

    @property
    def word(self) -> str:
        """The word that is shown for it, where the author gives no other."""
        return "OK" if self is Status.OK else self.value.capitalize()

    @property
    def sign(self) -> str:
        """The character that stands for it in plain text."""
        return {"ok": "✓", "warning": "⚠", "failed": "✗", "unknown": "?", "info": "ℹ"}[self]


@dataclass(frozen=True)
class Badge:
    """A status under a word of its own: ``Badge("ok", "passed")``."""

    status: Status | StatusName
    word: str


@dataclass(frozen=True)
class Quantity:
    """A number with its unit, as in :func:`~mlops_mlflow.cards.numbers.figure`: ``Quantity(0.123, "%")``."""

    value: float | int | None
    unit: str


@dataclass(frozen=True)
class Bar:
    """A number as a share of ``most``, shown as a bar beside the figure; a share of 1 is shown in percent."""

    value: float | None
    most: float = 1.0
    unit: str | None = "%"


@dataclass(frozen=True)
class Link:
    """A reference out of the card; only http, https and mailto are followed."""

    text: str
    url: str


@dataclass(frozen=True)
class Picture:
    """A drawing made by :mod:`mlops_mlflow.cards.charts`, as a block with a caption or as a cell."""

    svg: Svg
    caption: str = ""


Cell = str | int | float | None | Status | Badge | Quantity | Bar | Link | Picture


@dataclass(frozen=True)
class Heading:
    """A title within the card."""

    text: str
    level: Literal[2, 3] = 2


@dataclass(frozen=True)
class Text:
    """Plain prose; an empty line begins a new paragraph."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows under named columns; the first column names its row.

    Attributes:
        columns: Heads.
        rows: Cells of each row, as many as columns.
        caption: What the table shows.
        align: ``left`` or ``right`` for each column; by default numbers are on the right.
        limit: Rows shown; how many are left out is said.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    align: tuple[Literal["left", "right"], ...] = ()
    limit: int = 200


@dataclass(frozen=True)
class Remark:
    """One thing found: how it stands, a sentence, and what explains it."""

    status: Status | StatusName
    sentence: str
    detail: str = ""


@dataclass(frozen=True)
class Findings:
    """Remarks, in the order of their weight."""

    items: tuple[Remark, ...]


@dataclass(frozen=True)
class KeyValues:
    """Names and what they stand for."""

    items: tuple[tuple[str, Cell], ...]


@dataclass(frozen=True)
class Code:
    """Text shown as it is: SQL, YAML, a log."""

    text: str
    language: str = ""


@dataclass(frozen=True)
class Columns:
    """Blocks side by side, one below the other where the page is narrow; a tuple of blocks shares one column."""

    blocks: tuple[Block | tuple[Block, ...], ...]


@dataclass(frozen=True)
class Fold:
    """Blocks behind a title, for those who want to know more."""

    title: str
    blocks: tuple[Block, ...]
    is_open: bool = False


Block = Heading | Text | Table | Findings | KeyValues | Columns | Fold | Code | Picture


@dataclass(frozen=True)
class Card:
    """One page about one run: the answer first, then what supports it, then what to do next.

    Attributes:
        title: What the page is about: the stage and the use case.
        subtitle: Which run, when, on what.
        status: How it stands.
        headline: The answer, one sentence.
        blocks: What supports it.
        facts: A handful of key figures.
        word: The word shown for the status, such as "passed"; by default the status's own.
    """

    title: str
    subtitle: str
    status: Status | StatusName
    headline: str
    blocks: tuple[Block, ...] = ()
    facts: tuple[tuple[str, Cell], ...] = ()
    word: str = ""
