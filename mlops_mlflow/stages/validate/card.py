"""The model card: the verdict, what it stands on, what the model is for and what it is not for.

It travels with the model version, so it has to make sense to someone who has nothing but the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from mlops_mlflow.cards.wording import counted, gap, listed, of_metric, purpose, title, unit_of
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
    blocks: list[Block] = [Heading("What to do next"), Findings(tuple(_next(inputs, output)))]
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
    missed = [_missed(inputs, one) for one in checked if one.outcome == output.verdict != "passed"]
    about = {"failed": "misses", "unknown": "could not be judged on"}.get(output.verdict, "")
    # More than one would not be read: the rest is below.
    others = f", and {len(missed) - 1} more" if len(missed) > 1 else ""
    first = f" {about} {missed[0]}{others}; it" if missed else ""
    waiting = f"; {counted(len(output.pending), 'approval')} pending" if output.pending else ""
    bounds = counted(len(checked), "bound")
    return f"{inputs.chosen}{first} keeps {kept} of {bounds}{waiting}"


def _missed(inputs: Inputs, one: Finding) -> str:
    """What is missed, and by how much."""
    far = _far(inputs.problem.spec, one) if one.outcome == "failed" else ""
    return f"{one.subject} by {far}" if far else one.subject


def _far(spec: UseCaseSpec, one: Finding) -> str:
    """How far a figure is from its bound; nothing where there is no figure, or no distance."""
    if one.figure is None or one.limit is None or one.figure == one.limit:
        return ""
    return gap(_metric(one), one.figure - one.limit, spec)


def _metric(one: Finding) -> str:
    return one.subject.split(" ")[0]


def _facts(inputs: Inputs, output: Output) -> Iterator[tuple[str, Cell]]:
    spec = inputs.problem.spec
    for name in dict.fromkeys([inputs.choose_by, DEFAULT_METRIC[inputs.problem.outcomes.task]]):
        yield name, of_metric(name, output.metrics.get(name), spec)
    if inputs.threshold is not None:
        yield "threshold", inputs.threshold
    yield "test rows", len(output.made)
    yield "model size", of_metric("model_size_mb", inputs.model_size_mb, spec)
    yield "risk", spec.card.risk


def _next(inputs: Inputs, output: Output) -> Iterator[Remark]:
    spec, failed = inputs.problem.spec, [one for one in output.findings if one.outcome == "failed"]
    for one in failed:
        if far := _far(spec, one):
            sign, unit = "at least" if one.at_least else "at most", unit_of(_metric(one), spec)
            said = f"{figure(one.figure, unit)}, and has to be {sign} {figure(one.limit, unit)}{_where(one)}"
            yield Remark(
                "failed", f"**{one.subject}** misses its bound by **{far}**: it is {said}.", _weak(output, one)
            )
        else:
            yield Remark("failed", f"**{one.subject}** is missed: {one.reason}.")
    if failed:
        yield Remark("info", "Nothing is registered before all of this holds.", _advice(spec, failed))
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


def _weak(output: Output, one: Finding) -> str:
    """In which slices a bound is missed that holds a figure of the model alone."""
    metric, limit = _metric(one), one.limit
    inside = [part for part in output.slices if part.metric == metric]
    if " in each " in one.subject:
        inside = [part for part in inside if part.column == one.subject.rpartition(" in each ")[2]]
    if " against " in one.subject or " better than " in one.subject or limit is None or not inside:
        return ""
    short = [part for part in inside if (part.figure < limit if one.at_least else part.figure > limit)]
    if len(short) in {0, len(inside)}:
        return f"It is {'kept' if not short else 'missed'} in every slice that was looked at."
    short.sort(key=lambda part: part.figure, reverse=not one.at_least)
    named = [f"{part.column} = {part.value} ({figure(part.figure)})" for part in short]
    return f"It is missed in {len(short)} of {len(inside)} slices: {listed(named)}."


def _advice(spec: UseCaseSpec, failed: Sequence[Finding]) -> str:
    """What could be done about bounds that are missed, and with whom they can be talked over."""
    technical = {name for name, info in CATALOGUE.items() if info.kind == "technical"}
    ways = []
    if any(_metric(one) not in technical for one in failed):
        ways.append("better features or more rows; the card of evaluate shows what it leans on and where it is weak")
    if any(_metric(one) in technical for one in failed):
        ways.append("a smaller or faster candidate, or fewer columns")
    people = {spec.owners.business if one.kind == "criterion" else spec.owners.technical for one in failed}
    return f"Try {'; and '.join(ways)}. Or agree on another bound with {listed(sorted(people))}."


def _verdict(spec: UseCaseSpec, output: Output) -> Table:
    rows = tuple(_finding(spec, one) for one in output.findings)
    caption = (
        "The figure decides, the interval informs. The shaded part of a track is where the bound is met, "
        "the band the 95 % interval."
    )
    align: tuple[Literal["left", "right"], ...] = ("left", "left", "right", "right", "left")
    return Table(("what", "outcome", "figure (95 % interval)", "bound", ""), rows, caption, align)


def _finding(spec: UseCaseSpec, one: Finding) -> tuple[Cell, ...]:
    unit = unit_of(_metric(one), spec)
    sign = "≥" if one.at_least else "≤"
    bound = f"{sign} {figure(one.limit, unit)}" if one.limit is not None else ""
    says = one.outcome if one.outcome != "passed" or not one.close else "passed, close"
    status: StatusName = "warning" if says == "passed, close" else _STATUS[one.outcome]
    kind = "" if one.kind == "criterion" else f" ({one.kind})"
    return f"{one.subject}{_where(one)}{kind}", Badge(status, says), _around(one, unit), bound, _gauge(one, unit)


def _around(one: Finding, unit: str) -> str:
    """The figure with its interval."""
    if one.interval is None:
        return figure(one.figure, unit)
    low, high = (figure(float(f"{end:.3g}")) for end in (one.interval.low, one.interval.high))
    return f"{figure(one.figure, unit)} ({low} to {high})"


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
        *purpose(spec),
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
