"""The card of extract: what the dataset is made of, and what was set aside."""

from __future__ import annotations

from mlops_mlflow.cards.blocks import (
    Block,
    Card,
    Cell,
    Code,
    Findings,
    Fold,
    Heading,
    KeyValues,
    Quantity,
    Remark,
    Table,
)
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, title
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.engines.contract import Reason
from mlops_mlflow.stages.extract.run import Inputs, Output

_SHOWN = 12  # characters of a digest that tell it from others
_LONGEST = 24  # characters of a rule in a headline


def card(inputs: Inputs, output: Output) -> Card:
    """The page of this stage."""
    spec, contract = inputs.spec, output.contract
    aside = f"{figure(contract.quarantined)} set aside ({_rule(contract.reasons[0])})" if contract.quarantined else ""
    blocks: list[Block] = []
    if contract.quarantined:
        blocks += [Heading("What was set aside"), Findings((_set_aside(inputs, output),))]
        blocks += [_reasons(inputs, output)] if len(contract.reasons) > 1 else []
    blocks += [Heading("Sources"), _sources(output), Heading("Columns"), _columns(spec, output)]
    language = "sql" if inputs.sql is not None else ""
    made_by = spec.extract or "the query"
    blocks += [
        Fold(f"How the rows were made: `{made_by}`", (Code(output.query, language),)),
        Fold("Digests in full", (_digests(output),)),
    ]
    return Card(
        title("extract", spec),
        _span(inputs),
        "warning" if contract.quarantined else "ok",
        f"{figure(output.rows)} rows × {counted(len(output.columns), 'column')} "
        f"from {counted(len(output.sources), 'source')}, {aside or 'none set aside'}",
        tuple(blocks),
        (
            ("rows", output.rows),
            ("columns", len(output.columns)),
            ("sources", len(output.sources)),
            ("set aside", Quantity(contract.share, "%")),
        ),
        word="complete" if not contract.quarantined else "rows set aside",
    )


def _span(inputs: Inputs) -> str:
    """Which rows were asked for."""
    bounds = [
        f"{word} {bound:%Y-%m-%d %H:%M}".removesuffix(" 00:00")
        for word, bound in (("since", inputs.since), ("until", inputs.until))
        if bound is not None
    ]
    return f"rows {' '.join(bounds)}" if bounds else "all rows of the sources"


def _set_aside(inputs: Inputs, output: Output) -> Remark:
    contract, most = output.contract, inputs.spec.contract.quarantine_at_most
    first = contract.reasons[0]
    such = f", such as {first.example}" if inputs.spec.card.examples else ""
    verb = "breaks" if contract.quarantined == 1 else "break"
    return Remark(
        "warning",
        f"**{counted(contract.quarantined, 'row')}** of {figure(contract.rows)} "
        f"({figure(contract.share, '%')}) {verb} the data contract; up to {figure(most, '%')} are accepted.",
        f"Look at `{first.column}` first: {counted(first.count, 'row')} against `{first.rule}`{such}. Mend the source "
        f"or the SQL, or correct `contract.columns.{first.column}` if the rows are right. All are in "
        "`quarantine.parquet` under Artifacts, each with its reason.",
    )


def _rule(reason: Reason) -> str:
    """A rule that rows broke, in a headline; a pattern may be long."""
    rule = reason.rule if len(reason.rule) <= _LONGEST else reason.rule.partition(" ")[0]
    return f"{reason.column}: {rule}"


def _reasons(inputs: Inputs, output: Output) -> Table:
    examples = inputs.spec.card.examples
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.column, one.rule, one.count, *([one.example] if examples else [])) for one in output.contract.reasons
    )
    columns = ("column", "rule that was broken", "rows", *(["for example"] if examples else []))
    return Table(columns, rows, "A row may break several rules.", limit=50)


def _sources(output: Output) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.name, one.uri, one.rows, len(one.columns), one.bounded, f"`{one.digest[:_SHOWN]}`")
        for one in output.sources
    )
    if not any(one.bounded for one in output.sources):  # then it tells nothing
        rows = tuple((*row[:4], row[5]) for row in rows)
        return Table(("source", "read from", "rows", "columns", "digest"), rows)
    return Table(("source", "read from", "rows", "columns", "only since and until", "digest"), rows)


def _columns(spec: UseCaseSpec, output: Output) -> Table:
    roles, checked = _roles(spec), spec.contract.columns
    rows = tuple((name, kind.lower(), roles.get(name, ""), name in checked) for name, kind in output.columns.items())
    return Table(("column", "type", "role", "under contract"), rows)


def _roles(spec: UseCaseSpec) -> dict[str, str]:
    """What a column is for, beside being a possible feature."""
    roles = dict.fromkeys(spec.features.exclude, "kept from the model")
    if spec.split.group:
        roles[spec.split.group] = "group"
    if spec.event_time:
        roles[spec.event_time.column] = f"event time ({spec.event_time.zone})"
    if spec.entity_key:
        roles[spec.entity_key] = "key"
    return roles | {spec.target.column: "target"}


def _digests(output: Output) -> KeyValues:
    found: list[tuple[str, Cell]] = [("dataset", f"`{output.digest}`")]
    return KeyValues((*found, *((one.name, f"`{one.digest}`") for one in output.sources)))
