"""The card of explore: what is odd, what each column holds, how the target and the rows move over time."""

from __future__ import annotations

from datetime import date

from mlops_mlflow.cards.blocks import (
    Block,
    Card,
    Cell,
    Code,
    Columns,
    Findings,
    Fold,
    Heading,
    Picture,
    Quantity,
    Remark,
    Status,
    Text,
)
from mlops_mlflow.cards.charts import bars, histogram, line
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, title, yaml_line
from mlops_mlflow.core.profiles import ColumnProfile, TargetProfile, Unit
from mlops_mlflow.stages.explore.columns import columns_table
from mlops_mlflow.stages.explore.distributions import evened
from mlops_mlflow.stages.explore.observations import Observation
from mlops_mlflow.stages.explore.run import Inputs, Output

_PICTURED = 6
_MOST_CATEGORIES = 12
_MOST_CLASSES = 5
_DAYS, _WEEKS = 60, 800  # spans, in days, up to which days and weeks are told apart


def card(inputs: Inputs, output: Output) -> Card:
    """The page of this stage."""
    spec, seen = inputs.spec, output.profile
    status = max((Status(one.level) for one in output.observations), key=_gravity, default=Status.OK)
    status = Status.OK if status is Status.INFO else status
    blocks: list[Block] = [Heading("What to look at"), _observations(output)]
    blocks += [Heading(f"The target: `{spec.target.column}`"), *_target(output)]
    blocks += [Heading("Columns"), columns_table(inputs, output)]
    if telling := _telling(inputs, output):
        blocks += [Heading("The columns that tell most"), Columns(tuple(telling))]
    blocks += _coverage(output)
    blocks.append(_proposal(inputs, output))
    facts: list[tuple[str, Cell]] = [("rows", seen.rows), ("columns", len(seen.columns)), *_target_facts(output)]
    cells = sum(one.rows for one in seen.columns)
    facts.append(("missing cells", Quantity(sum(one.missing for one in seen.columns) / cells if cells else None, "%")))
    return Card(
        title("explore", spec),
        f"{output.outcomes.task} target {spec.target.column} · {_span(output)}",
        status,
        _headline(output),
        tuple(blocks),
        tuple(facts),
        word={Status.FAILED: "settle this first", Status.WARNING: "look at this", Status.OK: "nothing alarming"}[
            status
        ],
    )


def _gravity(status: Status) -> int:
    return [Status.OK, Status.INFO, Status.WARNING, Status.FAILED].index(status)


def _headline(output: Output) -> str:
    grave = sum(one.level == "failed" for one in output.observations)
    warned = sum(one.level == "warning" for one in output.observations)
    found = [counted(grave, "finding to settle first", "findings to settle first")] if grave else []
    found += [counted(warned, "warning")] if warned else []
    strongest = max(output.associations.items(), key=lambda pair: pair[1], default=None)
    tells = f"; {strongest[0]} alone tells most ({strongest[1]:.2f} of 1)" if strongest else ""
    return f"{counted(output.profile.rows, 'row')}: {' and '.join(found) or 'nothing alarming'}{tells}"


def _span(output: Output) -> str:
    time = output.profile.time
    return f"{time.days[0][0]} to {time.days[-1][0]}" if time and time.days else "without an event time"


def _observations(output: Output) -> Block:
    if not output.observations:
        return Findings((Remark("ok", "Nothing odd was found in any column."),))
    return Findings(tuple(Remark(one.level, one.sentence, _advice(one)) for one in output.observations))


def _advice(one: Observation) -> str:
    """What to do, with the line that does it."""
    return f"{one.advice} The line: `{yaml_line('forbidden', one.forbid)}`." if one.forbid else one.advice


def _target_facts(output: Output) -> list[tuple[str, Cell]]:
    target, outcomes = output.profile.target, output.outcomes
    if target is None or not target.balance:
        return []
    if outcomes.task == "regression":
        return [("mean of target", target.balance[0])]
    balance = dict(zip(target.classes, target.balance, strict=False))
    if outcomes.task == "binary":
        name = _written(target, outcomes.classes[1])
        return [(f"{target.column} is {name}", Quantity(balance.get(name), "%"))]
    return [("classes", len(target.classes)), ("rarest class", Quantity(min(balance.values()), "%"))]


def _target(output: Output) -> list[Block]:
    """How outcomes are distributed, and how that moves."""
    target, outcomes = output.profile.target, output.outcomes
    if target is None:
        return []
    if outcomes.task == "regression":
        column = output.profile.column(target.column)
        spread = evened(column, whole=False) if column else None
        drawn = (
            histogram(*spread, width=400, title="Distribution of the target", x_label=target.column) if spread else None
        )
    else:
        drawn = bars(
            [f"{target.column} = {name}" for name in target.classes],
            target.balance,
            unit="%",
            title="Balance of outcomes",
            width=400,
        )
    shown: list[Block] = [Picture(drawn, "All rows.")] if drawn else []
    if target.days:
        shown.append(_over_time(target, output))
    return [Columns(tuple(shown))]


def _over_time(target: TargetProfile, output: Output) -> Picture:
    unit = _unit([day for day, _ in target.days])
    points = target.over_time(unit)
    starts = [start for start, _ in points]
    if not target.classes:
        drawn = {f"mean {target.column}": [shares[0] for _, shares in points]}
    else:
        positive = [_written(target, name) for name in output.outcomes.classes[1:]]
        wanted = positive if output.outcomes.task == "binary" else target.classes[:_MOST_CLASSES]
        places = [target.classes.index(name) for name in wanted if name in target.classes]
        drawn = {target.classes[place]: [shares[place] for _, shares in points] for place in places}
    label = "mean" if not target.classes else "share of rows"
    one = next(iter(drawn), "")
    picture = line(
        {name: (starts, values) for name, values in drawn.items()},
        x_kind="date",
        title="Target over time",
        y_label=f"{label} where {target.column} is {one}" if len(drawn) == 1 and target.classes else label,
        width=400,
    )
    return Picture(picture, f"Per {unit}: where this moves, a model of the past has to be watched.")


def _written(target: TargetProfile, name: str) -> str:
    """An outcome as the profile writes it: DuckDB's booleans are ``true`` and ``false``."""
    return name if name in target.classes else name.lower()


def _unit(days: list[str]) -> Unit:
    span = (date.fromisoformat(days[-1]) - date.fromisoformat(days[0])).days
    return "day" if span <= _DAYS else "week" if span <= _WEEKS else "month"


def _telling(inputs: Inputs, output: Output) -> list[Block | tuple[Block, ...]]:
    ranked = sorted(output.associations.items(), key=lambda pair: -pair[1])
    columns = [one for name, _ in ranked if (one := output.profile.column(name))]
    pictured = [one for one in columns if one.categories or (one.histogram and one.kind == "numeric")][:_PICTURED]
    return [_distribution(one, output.associations[one.name], inputs) for one in pictured]


def _distribution(one: ColumnProfile, strength: float, inputs: Inputs) -> tuple[Block, ...]:
    told = f"Strength {figure(round(strength, 3))}; {figure(one.missing / one.rows, '%')} missing."
    if one.categories:
        shown = one.categories[:_MOST_CATEGORIES]
        hidden = sum(count for _, count in one.categories[_MOST_CATEGORIES:]) + one.other
        names = (
            [name for name, _ in shown] if inputs.spec.card.examples else [f"no. {n + 1}" for n in range(len(shown))]
        )
        shares = [count / one.rows for _, count in shown]
        if hidden:
            names, shares = [*names, "all others"], [*shares, hidden / one.rows]
        return Heading(one.name, 3), Picture(bars(names, shares, unit="%", width=400, title=one.name), told)
    spread = evened(one, whole=inputs.spec.card.examples)
    if spread is None:
        return Heading(one.name, 3), Text("No values.")
    drawn = histogram(*spread, width=400, height=180, title=one.name)
    covered = sum(spread[1]) / max(one.rows - one.missing, 1)
    cut = f" The picture covers {figure(covered, '%')} of the values." if covered < 0.999 else ""
    return Heading(one.name, 3), Picture(drawn, told + cut)


def _coverage(output: Output) -> list[Block]:
    time = output.profile.time
    if time is None or not time.days:
        return []
    unit: Unit = "day" if len(time.days) <= _WEEKS else "month"
    points = time.per(unit)
    held = {start: float(rows) for start, rows in points} | dict.fromkeys(time.gaps(unit), 0.0)
    starts = sorted(held)
    drawn = line(
        {"rows": (starts, [held[start] for start in starts])},
        x_kind="date",
        title="Rows over time",
        y_label=f"rows per {unit}",
        width=860,
        height=200,
    )
    return [Heading("Rows over time"), Picture(drawn, f"By `{time.column}`, days as in UTC.")]


def _proposal(inputs: Inputs, output: Output) -> Fold:
    says = Text(
        "It holds of every row seen, with room for what is new. Put the rules that you can vouch for under `contract` "
        "in the use case: rows that break them will be set aside and counted."
    )
    if not inputs.spec.card.examples:
        return Fold("Proposed data contract", (says, Text("The text is in `proposed_contract.yaml` under Artifacts.")))
    return Fold("Proposed data contract", (says, Code(output.proposal, "yaml")))
