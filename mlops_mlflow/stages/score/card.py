"""The card of score: how many rows were scored, what was said of them, what was set aside and why."""

from __future__ import annotations

from mlops_mlflow.cards.blocks import Bar, Block, Card, Cell, Findings, Heading, KeyValues, Quantity, Remark, Table
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, title
from mlops_mlflow.stages.score.job import Inputs, Output


def card(inputs: Inputs, output: Output) -> Card:
    """The page of this stage."""
    model, spec = inputs.model, inputs.spec
    share = output.aside / output.rows if output.rows else 0.0
    too_many = share > spec.contract.quarantine_at_most
    blocks: list[Block] = []
    if output.aside:
        told = Findings((_set_aside(inputs, output, share),))
        blocks += [Heading("What was set aside"), told, _reasons(inputs, output)]
    if output.decided:
        blocks += [Heading("What was said"), _decided(output)]
    blocks += [Heading("Where it came from and went"), _places(inputs, output)]
    return Card(
        title("score", spec),
        f"version {model.version} ({model.stage}) of {model.name}",
        "warning" if too_many or not output.rows else "ok",
        _headline(inputs, output),
        tuple(blocks),
        (
            ("rows", output.rows),
            ("scored", output.scored),
            ("set aside", Quantity(share, "%")),
            *((("mean", _mean(inputs, output)),) if output.mean is not None else ()),
        ),
        word="no rows" if not output.rows else "many rows set aside" if too_many else "scored",
    )


def _headline(inputs: Inputs, output: Output) -> str:
    if not output.rows:
        return "The batch has no rows; nothing was scored"
    aside = "none set aside"
    if output.aside:
        aside = f"{figure(output.aside)} set aside ({output.reasons[0].column}: {output.reasons[0].rule})"
    scored = f"**{counted(output.scored, 'row')}** scored with version {inputs.model.version}"
    return f"{scored}: {_said(inputs, output)}; {aside}"


def _said(inputs: Inputs, output: Output) -> str:
    outcomes, spec = inputs.model.outcomes, inputs.spec
    if outcomes.task == "regression":
        return f"{spec.target.column} {figure(output.mean)} on average"
    if outcomes.task == "binary":
        positive = dict(output.decided).get(outcomes.classes[1], 0)
        return f"{figure(positive / output.scored, '%')} said to be {spec.target.column}"
    decision, count = output.decided[0]
    return f"most often {decision} ({figure(count / output.scored, '%')})"


def _mean(inputs: Inputs, output: Output) -> Cell:
    return Quantity(output.mean, "%") if inputs.model.outcomes.task == "binary" else output.mean


def _set_aside(inputs: Inputs, output: Output, share: float) -> Remark:
    most = inputs.spec.contract.quarantine_at_most
    return Remark(
        "warning",
        f"**{counted(output.aside, 'row')}** of {figure(output.rows)} ({figure(share, '%')}) "
        f"{'was' if output.aside == 1 else 'were'} not scored; up to {figure(most, '%')} are expected.",
        "All are in `quarantine.parquet` under Artifacts, each with its reason, and in the inference log as rejected. "
        "Mend them where they come from and score them as a batch of their own.",
    )


def _reasons(inputs: Inputs, output: Output) -> Table:
    examples = inputs.spec.card.examples
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.column, one.rule, one.count, *([one.example] if examples else [])) for one in output.reasons
    )
    heads = ("column", "rule that was broken", "rows", *(["for example"] if examples else []))
    return Table(heads, rows, "A row may break several rules.", limit=50)


def _decided(output: Output) -> Table:
    rows = tuple((decision, count, Bar(count / output.scored)) for decision, count in output.decided)
    return Table(("decision", "rows", "share"), rows, limit=50)


def _places(inputs: Inputs, output: Output) -> KeyValues:
    batch = inputs.batch
    told: list[tuple[str, Cell]] = [
        ("read from", batch.uri),
        ("digest", f"`{batch.digest[:12]}`"),
        ("written to", str(inputs.sink)),
        ("request id", f"`{inputs.request}`"),
    ]
    if output.first is not None and output.last is not None:
        told.append(("event times", f"{output.first:%Y-%m-%d %H:%M} to {output.last:%Y-%m-%d %H:%M} UTC"))
    return KeyValues(tuple(told))
