"""The card of extract: what the dataset is made of, and what was set aside."""

from __future__ import annotations

from collections.abc import Iterator

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
from mlops_mlflow.stages.extract.run import Inputs, Output

_SHOWN = 12  # characters of a digest that tell it from others


def card(inputs: Inputs, output: Output) -> Card:
    """The page of this stage."""
    spec, contract = inputs.spec, output.contract
    aside = f"{figure(contract.quarantined)} set aside" if contract.quarantined else "none set aside"
    blocks: list[Block] = []
    if contract.quarantined:
        blocks += [Heading("What was set aside"), Findings(tuple(_set_aside(inputs, output))), _reasons(inputs, output)]
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
        f"from {counted(len(output.sources), 'source')}, {aside}",
        tuple(blocks),
        (
            ("rows", output.rows),
            ("columns", len(output.columns)),
            ("sources", len(output.sources)),
            ("set aside", Quantity(contract.share, "%")),
            ("dataset digest", f"`{output.digest[:_SHOWN]}`"),
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


def _set_aside(inputs: Inputs, output: Output) -> Iterator[Remark]:
    contract, most = output.contract, inputs.spec.contract.quarantine_at_most
    yield Remark(
        "warning",
        f"**{counted(contract.quarantined, 'row')}** of {figure(contract.rows)} "
        f"({figure(contract.share, '%')}) break the data contract; up to {figure(most, '%')} are accepted.",
        "They are in `quarantine.parquet` under Artifacts, each with its reason. Mend the source or the SQL, or "
        "correct the contract if the rows are right.",
    )


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
