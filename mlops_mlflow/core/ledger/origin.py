"""From which commit a version came, and who committed since the champion's: shown to approvers, never judged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_mlflow.core.plain import from_plain, to_plain
from mlops_mlflow.core.policy.words import counted

ORIGIN = "git"
"""Where the facts of a registration keep it. Facts are no part of the evidence, so no approval lapses by it."""
UNCOMMITTED = "with changes that were not committed"
_DIGITS, _LONGEST, _SHOWN = 12, 60, 12
# Control characters, which would move a terminal's cursor, and the marks that make later text run backwards.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")


@dataclass(frozen=True)
class Since:
    """Who committed between the champion's commit and that of a version.

    Attributes:
        version: The champion, when the version was registered.
        commit: It came from; empty where none was recorded.
        people: Name and number of commits of each, most first; None where the history between the two is not known.
    """

    version: str
    commit: str
    people: tuple[tuple[str, int], ...] | None

    @property
    def names(self) -> str:
        """Everybody with the number of their commits, in a line."""
        told = [f"{_shown(name)} ({count})" for name, count in (self.people or ())[:_SHOWN]]
        more = len(self.people or ()) - len(told)
        return ", ".join(told) + (f" and {more} more" if more else "")

    @property
    def sentence(self) -> str:
        """The same as a sentence without a full stop."""
        since = f"since the champion (version {self.version})"
        if self.people is None and not self.commit:
            return f"Who committed {since} is not known: no commit was recorded of it"
        if self.people is None:
            lost = f"the history since commit {self.commit[:_DIGITS]} was not all there when this one was registered"
            return f"Who committed {since} is not known: {lost}"
        if not self.people:
            return f"Nobody committed {since}"
        return f"{counted(len(self.people), 'person', 'people')} committed {since}: {self.names}"


@dataclass(frozen=True)
class Origin:
    """The working copy that a version was registered from.

    Attributes:
        commit: Checked out there.
        dirty: Whether the use case's folder had changes that were not committed.
        since: Who committed since the champion's; None where there was no champion.
    """

    commit: str
    dirty: bool
    since: Since | None = None

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Origin | None:
        """What a registration says of it; None where it says nothing that can be read."""
        try:
            return from_plain(cls, facts[ORIGIN])
        except (KeyError, ValueError):
            return None

    def to_facts(self) -> dict[str, Any]:
        """For the facts of a registration."""
        return {ORIGIN: to_plain(self)}

    @property
    def label(self) -> str:
        """The commit, and whether it is the whole truth."""
        return f"{_shown(self.commit[:_DIGITS])}{f', {UNCOMMITTED}' if self.dirty else ''}"


def _shown(name: str) -> str:
    """One short line: names are whatever people told git."""
    line = _UNSAFE.sub(" ", name).strip() or "somebody without a name"
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
