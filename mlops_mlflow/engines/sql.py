"""What is done to SQL as text: quoting names and literals, and finding the bounds that it asks for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

EARLIEST = datetime(1000, 1, 1)
LATEST = datetime(9999, 12, 31)

# What stands inside a text, a name or a comment, and a cast's `::`, is none of our business.
_LEXEME = re.compile(
    r"""(?P<opaque>[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*' | "(?:[^"]|"")*" | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
        | --[^\n]* | /\*.*?\*/ | :{2,})
      | :(?P<bound>since|until)\b
      | (?P<colon>:)
      | (?P<end>;(?=(?:\s|;|--[^\n]*|/\*.*?\*/)*\Z))""",
    re.VERBOSE | re.DOTALL,
)

# What gives another value in another query: DuckDB's functions that count from the clock, chance or the session, the
# standard's keywords for time, and samples.
_CHANGING = re.compile(
    r"\b(now|today|random|setseed|u?uuid(v4|v7)?|gen_random_uuid|get_current_\w+|ago"
    r"|current_(date|time|timestamp|localtime|localtimestamp|query|query_id|transaction_id|connection_id)"
    r"|local_?time\w*|transaction_timestamp|txid_current|nextval|currval|tablesample|using\s+sample)\b|\b(age|user|session_user)(?=\s*\()",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Bounds:
    """Which rows are wanted: from ``since`` on, and before ``until``; None is without limit.

    Times without a zone are meant as the columns that they are compared with are.
    """

    since: datetime | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        return self.since is not None or self.until is not None

    def __str__(self) -> str:
        return f"since {self.since or 'the beginning'} until {self.until or 'the end'}"

    def values(self, names: Iterable[str]) -> dict[str, datetime]:
        """What is bound for these names; an open bound becomes a time that every database has and no data reaches."""
        known = {"since": self.since or EARLIEST, "until": self.until or LATEST}
        return {name: known[name] for name in names}


def quoted(name: str) -> str:
    """The name as SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str | Path) -> str:
    """The text as SQL writes it."""
    return "'" + str(text).replace("'", "''") + "'"


def texts(values: Iterable[str | Path]) -> str:
    """A list of texts as DuckDB writes it."""
    return "[" + ", ".join(literal(value) for value in values) + "]"


def changing(sql: str) -> str:
    """The first word of an SQL by which the same rows give another result at another time; empty without one.

    A column of such a name counts, too: better read once too often.
    """

    def bare(lexeme: re.Match[str]) -> str:
        called = lexeme.string[lexeme.end() :].lstrip().startswith("(")
        if lexeme[0].startswith('"') and called:
            return lexeme[0].strip('"')
        return " " if lexeme["opaque"] else lexeme[0]

    found = _CHANGING.search(_LEXEME.sub(bare, sql))
    return found[0] if found else ""


def for_duckdb(sql: str) -> tuple[str, tuple[str, ...]]:
    """``:since`` as DuckDB's ``$since``, and no semicolon at the end; each line stays where it is.

    Returns:
        The SQL and the names of the bounds that it uses.
    """
    return _rewritten(sql, bound=lambda name: f"${name}", colon=":")


def for_sqlalchemy(sql: str) -> tuple[str, tuple[str, ...]]:
    """SQL for ``sqlalchemy.text``: every colon but those of the bounds is escaped, as in the text ``'at :noon'``.

    Returns:
        The SQL and the names of the bounds that it uses.
    """
    return _rewritten(sql, bound=lambda name: f":{name}", colon=r"\:")


def _rewritten(sql: str, *, bound: Callable[[str], str], colon: str) -> tuple[str, tuple[str, ...]]:
    used: set[str] = set()

    def put(found: re.Match[str]) -> str:
        if found["bound"]:
            used.add(found["bound"])
            return bound(found["bound"])
        if found["opaque"]:
            return found["opaque"].replace(":", colon)
        return colon if found["colon"] else ""

    return _LEXEME.sub(put, sql), tuple(sorted(used))
