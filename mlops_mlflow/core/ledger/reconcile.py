"""What a registry shows of a model and its ledger cannot explain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from mlops_mlflow.core.ledger.history import History
from mlops_mlflow.core.policy.transitions import ALIASES
from mlops_mlflow.core.policy.words import moment

STAGE_TAG = "mlops.registry_stage"
What = Literal["registry stage", "no record", "several versions", "alias", "tag", "gone", "back"]


class Shown(Protocol):
    """A version as a registry shows it."""

    @property
    def registry_stage(self) -> str:
        """None, Staging, Production or Archived."""

    @property
    def tags(self) -> Mapping[str, str]:
        """As in the registry."""


@dataclass(frozen=True)
class Unexplained:
    """One thing that is otherwise than the ledger says.

    Attributes:
        model: Name of the registered model.
        version: Its number; empty where it is about several, or about none.
        what: Kind of thing.
        expected: What the ledger says, and since when.
        found: What the registry shows.
        todo: How to take it over, or to put it back.
    """

    model: str
    version: str
    what: What
    expected: str
    found: str
    todo: str


def unexplained(
    model: str, versions: Mapping[str, Shown], aliases: Mapping[str, str], history: History
) -> tuple[Unexplained, ...]:
    """Hold what a registry shows against the ledger.

    Args:
        model: Name of the registered model.
        versions: By number; deleted ones are not among them.
        aliases: Number of a version, by alias.
        history: What the ledger says of the model.

    Returns:
        Registry stages first, then what follows from them.
    """
    found: list[Unexplained] = []
    for number, one in versions.items():
        found += _of_version(model, number, one, history)
    found += _several(model, versions)
    found += _aliases(model, aliases, history)
    for number, one in versions.items():
        found += _tag(model, number, one, history)
    found += _gone(model, versions, history)
    return tuple(found)


def _of_version(model: str, number: str, one: Shown, history: History) -> Iterator[Unexplained]:
    expected, shown = history.stage_of(number), one.registry_stage
    if number in history.deleted:
        todo = "find out who brought it back, and delete it again"
        yield Unexplained(model, number, "back", "deleted", f"it is there, in {shown}", todo)
    elif expected == shown:
        return
    elif number not in history.registrations and history.last_move(number) is None:
        yield Unexplained(model, number, "no record", "a record of it", f"{shown}, and none", _todo(model, one, "None"))
    else:
        yield Unexplained(model, number, "registry stage", _since(history, number), shown, _todo(model, one, expected))


def _since(history: History, number: str) -> str:
    last = history.last_move(number)
    if last is None:
        return "None, where it was registered"
    return f"{last.to}, by {last.actor.name} on {moment(last.time)} (R{last.sequence})"


def _todo(model: str, one: Shown, expected: str) -> str:
    back = f"put it back to {expected}"
    if one.registry_stage not in ALIASES:
        return back
    return f'{back}, or, if it is meant: `mlops adopt {model} --reason "..."`'


def _several(model: str, versions: Mapping[str, Shown]) -> Iterator[Unexplained]:
    for stage in ALIASES:
        numbers = [number for number, one in versions.items() if one.registry_stage == stage]
        if len(numbers) > 1:
            there = f"{len(numbers)} in {stage}: versions {', '.join(numbers)}"
            todo = "archive all but the one that the ledger names"
            yield Unexplained(model, "", "several versions", f"one version in {stage}", there, todo)


def _aliases(model: str, aliases: Mapping[str, str], history: History) -> Iterator[Unexplained]:
    for stage, alias in ALIASES.items():
        known = history.versions_in(stage)
        expected, shown = (known[-1] if known else ""), aliases.get(alias, "")
        if expected == shown:
            continue
        told = f"version {expected}, which is in {stage}" if expected else f"no version: none is in {stage}"
        todo = f"set it to version {expected}" if expected else "delete it"
        there = f"{alias} names {f'version {shown}' if shown else 'no version'}"
        yield Unexplained(model, shown or expected, "alias", f"{alias} names {told}", there, todo)


def _tag(model: str, number: str, one: Shown, history: History) -> Iterator[Unexplained]:
    told, expected = one.tags.get(STAGE_TAG), history.stage_of(number)
    if told not in (None, expected):
        todo = f"set the tag to {expected}"
        yield Unexplained(model, number, "tag", f"{STAGE_TAG} = {expected}", f"{STAGE_TAG} = {told}", todo)


def _gone(model: str, versions: Mapping[str, Shown], history: History) -> Iterator[Unexplained]:
    known = dict.fromkeys([*history.registrations, *(move.version for move in history.moves)])
    for number in known:
        if number not in versions and number not in history.deleted:
            todo = "find out who deleted it; a backup of the database still has it"
            yield Unexplained(model, number, "gone", _since(history, number), "no such version", todo)
