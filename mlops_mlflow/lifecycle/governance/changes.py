"""What changed since the champion: data, features, parameters, settings, dependencies, code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from mlops_mlflow.cards.blocks import Block, Code, Findings, Fold, Remark, Table
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import listed, sides
from mlops_mlflow.core.ledger.origin import UNCOMMITTED
from mlops_mlflow.core.splits import EVERY
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.lifecycle.compare.answer import telling
from mlops_mlflow.lifecycle.compare.changes import ABSENT, Changed
from mlops_mlflow.lifecycle.governance.facts import Facts, Known

_MOST_SETTINGS = 6
_PIN = re.compile(r"^([A-Za-z0-9._-]+)\s*==\s*(.+)$")


@dataclass(frozen=True)
class Since:
    """What is not as it was with the champion.

    Attributes:
        changed: What it is now, and what it was; the weightiest first.
        settings: The same of the use case's settings.
        texts: Differences of SQL and Python files, line by line, by name.
        code: Libraries and code of the stages, as their runs tell.
        same: What is as it was.
        untold: What is not known of one of them.
    """

    changed: tuple[Changed, ...]
    settings: tuple[Changed, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    code: tuple[Changed, ...] = ()
    same: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()


def since(known: Known) -> Since:
    """Hold a version against the champion; there has to be one."""
    now, before = known.facts, known.champion
    if before is None:
        return Since(())
    found: dict[str, list[Changed] | None] = {
        "data window": _told("data window", _window(now), _window(before)),
        "rows": _told("rows", _rows(now), _rows(before)),
        "features": _features(now, before),
        "estimator": _told("estimator", _estimator(now), _estimator(before)),
        "parameters": _parameters(known),
        "dependencies": _dependencies(now, before),
        "commit": _commit(now, before),
    }
    inner = known.comparison.changes if known.comparison else None
    return Since(
        tuple(one for each in found.values() for one in each or ()),
        tuple(one for one in telling(inner.settings) if one.what != "dataset") if inner else (),
        inner.texts if inner else {},
        inner.code if inner else (),
        tuple(name for name, each in found.items() if each == []),
        tuple(name for name, each in found.items() if each is None),
    )


def _told(what: str, now: str, before: str) -> list[Changed] | None:
    """One line; none where it is the same, None where it is not known."""
    if not now or not before:
        return None
    return [] if now == before else [Changed(what, (now, before))]


def _commit(now: Facts, before: Facts) -> list[Changed] | None:
    if now.origin is None or before.origin is None:
        return None
    # What was not committed need not be the same on both sides.
    same = now.origin.commit == before.origin.commit and not (now.origin.dirty or before.origin.dirty)
    return [] if same else [Changed("commit", (now.origin.label, before.origin.label))]


def window(facts: Facts) -> str:
    """From when to when the data is, and where training ends and the test begins."""
    return _window(facts)


def _window(facts: Facts) -> str:
    spec = facts.spec
    if spec is None:
        return ""
    ends = [_day(end) for end in (spec.data.since, spec.data.until)]
    told = f"{ends[0] or 'the beginning'} to {ends[1] or 'the end'}" if any(ends) else "all that the sources hold"
    cut = facts.plan.cuts.get(EVERY) if facts.plan and facts.plan.by == "time" else None
    if cut is None:
        return told
    trained, tested = (datetime.fromtimestamp(at / 1e9, UTC).strftime("%Y-%m-%d") for at in cut)
    return f"{told}; learned until {trained}, tested from {tested}"


def _day(end: object) -> str:
    return "" if end is None else str(end).removesuffix(" 00:00:00")


def _rows(facts: Facts) -> str:
    return "" if facts.rows is None else f"{figure(facts.rows)} ({facts.data[:8]})"


def _estimator(facts: Facts) -> str:
    spec: UseCaseSpec | None = facts.spec
    if spec is None or facts.candidate not in spec.candidates:
        return ""
    return f"{facts.candidate}: {str(spec.candidates[facts.candidate].estimator).rpartition('.')[2]}"


def _features(now: Facts, before: Facts) -> list[Changed] | None:
    if not now.features or not before.features:
        return None
    new = [name for name in now.features if name not in before.features]
    old = [name for name in before.features if name not in now.features]
    kinds = [name for name, kind in now.features.items() if before.features.get(name, kind) != kind]
    if not (new or old or kinds):
        return []
    count = Changed("features", (_count(now, new, "new"), _count(before, old, "gone since")))
    others = [Changed(f"feature {name}", (now.features[name], before.features[name])) for name in kinds]
    return [count, *others]


def _count(facts: Facts, names: list[str], word: str) -> str:
    return f"{len(facts.features)}{f'; {word}: {listed(names, 8)}' if names else ''}"


def _parameters(known: Known) -> list[Changed] | None:
    if known.comparison is None:
        return None
    return [one for one in telling(known.comparison.changes.parameters) if one.what != "estimator"]


def _dependencies(now: Facts, before: Facts) -> list[Changed] | None:
    if not now.dependencies or not before.dependencies:
        return None
    new, old = _pins(now.dependencies), _pins(before.dependencies)
    names = sorted(name for name in {*new, *old} if new.get(name) != old.get(name))
    return [Changed(name, (new.get(name, ABSENT), old.get(name, ABSENT))) for name in names]


def _pins(lines: Iterable[str]) -> dict[str, str]:
    """Version of each distribution; of a line that pins none, the line itself."""
    return {(pin[1] if (pin := _PIN.match(line)) else line): (pin[2] if pin else "any") for line in lines}


def blocks(known: Known) -> list[Block]:
    """What an approver reads of it."""
    committed = tuple(_committed(known.facts))
    if known.champion is None:
        alone = Remark("info", "Nothing is in Production: there is no champion that it would replace.")
        return [Findings((alone, *committed))]
    found = since(known)
    columns = ("", known.facts.label, f"champion, {known.champion.label}")
    drawn: list[Block] = []
    if found.changed:
        rows = tuple((one.what, *one.values) for one in found.changed)
        drawn.append(Table(columns, rows, "", sides(columns, columns)))
    remarks = (*committed, *_remarks(found, known))
    drawn += [Findings(remarks)] if remarks else []
    if found.settings:
        own = _table(columns, found.settings)
        title = f"Settings of the use case that changed: {listed([one.what for one in found.settings], 3)}"
        drawn.append(Fold(title, (own,), is_open=len(found.settings) <= _MOST_SETTINGS))
    for name, text in found.texts.items():
        drawn.append(Fold(f"`{name}` changed", (Code(text, "diff"),)))
    if found.code:
        drawn.append(Fold("Code and libraries of the stages changed", (_table(columns, found.code),)))
    return drawn


def _committed(facts: Facts) -> Iterator[Remark]:
    """Who had a hand in it, whatever they may approve: names that git knows are no names of users."""
    origin = facts.origin
    if origin is None:
        return
    if origin.dirty:
        told = f"It was made from commit `{origin.commit[:12]}` {UNCOMMITTED}; who made these is not known."
        yield Remark("warning", told)
    if origin.since is not None:
        yield Remark("info" if origin.since.people is not None else "unknown", f"{origin.since.sentence}.")


def _table(columns: tuple[str, ...], found: Iterable[Changed]) -> Table:
    return Table(columns, tuple((f"`{one.what}`", *one.values) for one in found), "", sides(columns, columns))


def _remarks(found: Since, known: Known) -> Iterator[Remark]:
    if known.untold:
        yield Remark("unknown", f"It cannot be compared row by row with the champion: {known.untold}.")
    if found.untold and found.untold != ("commit",):
        names = listed([name for name in found.untold if name != "commit"], 8)
        yield Remark("unknown", f"Whether it changed is not known: {names}.")
    if found.same:
        nothing = not (found.changed or found.settings or found.texts or found.code or found.untold)
        yield Remark("info", f"{'Nothing changed: the' if nothing else 'The'} same {listed(found.same, 8)}.")
