"""The model card: the verdict, what it stands on, what the model is for and what it is not for.

It travels with the model version, so it has to make sense to someone who has nothing but the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from mlops_mlflow.cards.blocks import (
    Badge,
    Block,
    Card,
    Cell,
    Findings,
    Heading,
    KeyValues,
    Picture,
    Remark,
    StatusName,
    Table,
)
from mlops_mlflow.cards.charts import interval
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, of_metric, title, unit_of
from mlops_mlflow.core.judgement import Finding
from mlops_mlflow.core.metrics.catalogue import CATALOGUE, DEFAULT_METRIC
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.stages.validate.origin import data, features, method
from mlops_mlflow.stages.validate.quality import decisions, metrics, slices
from mlops_mlflow.stages.validate.run import Inputs, Output

_STATUS: dict[str, StatusName] = {"passed": "ok", "failed": "failed", "unknown": "unknown", "pending": "info"}


def card(inputs: Inputs, output: Output) -> Card:
    """The page of this stage."""
    problem, spec = inputs.problem, inputs.problem.spec
    blocks: list[Block] = [Heading("What to do next"), Findings(tuple(_next(output)))]
    blocks += [Heading("Verdict on every criterion and requirement"), _verdict(spec, output)]
    blocks += [Heading("What it is for"), _purpose(inputs)]
    blocks += [Heading("How good it is"), *metrics(inputs, output)]
    blocks += decisions(inputs, output)
    blocks += slices(inputs, output)
    blocks += [Heading("What it was made from"), *data(inputs), *features(problem)]
    blocks += [Heading("How the figures were computed"), method(inputs, output)]
    return Card(
        title("model card", spec),
        f"{inputs.chosen}, judged once on {counted(len(output.made), 'test row')} that nobody had seen",
        _STATUS[output.verdict],
        _headline(inputs, output),
        tuple(blocks),
        tuple(_facts(inputs, output)),
        word=output.verdict,
    )


def _headline(inputs: Inputs, output: Output) -> str:
    checked = [one for one in output.findings if one.outcome != "pending"]
    kept = sum(one.outcome == "passed" for one in checked)
    missed = next((one for one in checked if one.outcome == output.verdict != "passed"), None)
    about = {"failed": "misses", "unknown": "could not be judged on"}.get(output.verdict, "")
    first = f" {about} {missed.subject} and" if missed else ""
    waiting = f"; {counted(len(output.pending), 'approval')} pending" if output.pending else ""
    criteria = counted(len(checked), "criterion", "criteria")
    return f"{inputs.chosen}{first} keeps {kept} of {criteria}{waiting}"


def _facts(inputs: Inputs, output: Output) -> Iterator[tuple[str, Cell]]:
    spec = inputs.problem.spec
    for name in dict.fromkeys([inputs.choose_by, DEFAULT_METRIC[inputs.problem.outcomes.task]]):
        yield name, of_metric(name, output.metrics.get(name), spec)
    if inputs.threshold is not None:
        yield "threshold", inputs.threshold
    yield "test rows", len(output.made)
    yield "model size", of_metric("model_size_mb", inputs.model_size_mb, spec)
    yield "risk", spec.card.risk


def _next(output: Output) -> Iterator[Remark]:
    for one in output.findings:
        if one.outcome == "failed":
            yield Remark(
                "failed", f"**{one.subject}** is missed: {one.reason}.", "It is not registered before this holds."
            )
    for one in output.findings:
        if one.outcome == "unknown":
            yield Remark("unknown", f"**{one.subject}** could not be judged: {one.reason}.", "Unknown never promotes.")
    for one in output.findings:
        if one.outcome == "passed" and one.close:
            detail = "Another sample might have judged otherwise: ask for more test rows, or watch it once it serves."
            yield Remark("warning", f"**{one.subject}** holds, but its bound lies within the interval.", detail)
    if output.verdict == "passed":
        yield Remark("ok", "It may be registered and go to Staging.")
    for one in output.pending:
        yield Remark("info", f"**{one.subject}** {one.reason}.", f"Ask the role **{one.role}** for an approval.")


def _verdict(spec: UseCaseSpec, output: Output) -> Table:
    rows = tuple(_finding(spec, one) for one in output.findings)
    caption = (
        "The figure decides, the interval informs. The shaded part of a track is where the bound is met, "
        "the band the 95 % interval."
    )
    align: tuple[Literal["left", "right"], ...] = ("left", "left", "right", "right", "right", "left", "left")
    return Table(("what", "outcome", "figure", "95 % interval", "bound", "", "kind"), rows, caption, align)


def _finding(spec: UseCaseSpec, one: Finding) -> tuple[Cell, ...]:
    metric = one.subject.split(" ")[0]
    unit = unit_of(metric, spec) if metric in CATALOGUE else ""
    around = f"{figure(one.interval.low)} to {figure(one.interval.high)}" if one.interval else ""
    sign = "≥" if one.at_least else "≤"
    bound = f"{sign} {figure(one.limit, unit)}" if one.limit is not None else ""
    says = one.outcome if one.outcome != "passed" or not one.close else "passed, close"
    status: StatusName = "warning" if says == "passed, close" else _STATUS[one.outcome]
    about = f"{one.subject}{_where(one)}"
    return about, Badge(status, says), figure(one.figure, unit), around, bound, _gauge(one, unit), one.kind


def _where(one: Finding) -> str:
    """The slice that decided, where a criterion is held against several."""
    return next((f" ({part.strip()})" for part in one.reason.split(";") if part.strip().startswith("the weakest")), "")


def _gauge(one: Finding, unit: str) -> Cell:
    if one.figure is None:
        return f"by {one.role}" if one.role else "nothing to compare with" if one.outcome == "passed" else ""
    low, high = (one.interval.low, one.interval.high) if one.interval else (None, None)
    direction: Literal["at_least", "at_most"] = "at_least" if one.at_least else "at_most"
    return Picture(interval(one.figure, low, high, one.limit, direction, unit=unit or None, width=120))


def _purpose(inputs: Inputs) -> KeyValues:
    spec = inputs.problem.spec
    found: list[tuple[str, Cell]] = [
        ("Question", spec.question),
        ("Intended use", spec.card.intended_use),
        ("Not for", spec.card.not_for or "nothing is ruled out by the use case"),
        ("Risk", spec.card.risk),
        ("Known limits", " ".join(spec.card.limits) or "none are stated"),
        ("Answers for the business", spec.owners.business),
        ("Answers for the technology", spec.owners.technical),
        ("Model", f"{inputs.chosen}: `{spec.candidates[inputs.chosen].estimator}`"),
        ("Decision", _decision(inputs)),
        ("Chosen by", f"`{inputs.choose_by}` on validation rows: {CATALOGUE[inputs.choose_by].description}"),
    ]
    return KeyValues(tuple(found))


def _decision(inputs: Inputs) -> str:
    outcomes, target = inputs.problem.outcomes, inputs.problem.spec.target.column
    if outcomes.task == "regression":
        return f"a number: `{target}`"
    if outcomes.task == "multiclass":
        return f"`{target}`: the most probable of {', '.join(outcomes.classes[:10])}"
    if inputs.threshold is None:
        return f"`{target}` is {outcomes.classes[1]} from a probability of 0.5 on"
    if inputs.threshold > 1:
        return f"`{target}` is never {outcomes.classes[1]}: saying no to every row is worth most"
    return f"`{target}` is {outcomes.classes[1]} from a probability of {figure(inputs.threshold)} on"
