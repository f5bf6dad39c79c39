"""The card of train: who leads, how each search went, what failed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

from mlops_mlflow.cards.blocks import (
    Block,
    Card,
    Cell,
    Findings,
    Fold,
    Heading,
    KeyValues,
    Picture,
    Quantity,
    Remark,
    Table,
)
from mlops_mlflow.cards.charts import bars
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, gap, gravest_first, listed, of_metric, title, told
from mlops_mlflow.core.metrics.catalogue import CATALOGUE, better
from mlops_mlflow.core.usecase.candidates import Distribution
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.learning.search import Trial
from mlops_mlflow.stages.train.fits import Fitted
from mlops_mlflow.stages.train.run import Inputs, Output
from mlops_mlflow.stages.train.searches import place, search_blocks, written

_EDGE = 0.05  # of the range of a parameter
_ROOM = 1.2  # for searches that take a little longer than the last one
_MOST_FAILED = 20


def card(inputs: Inputs, output: Output) -> Card:
    """The page of this stage."""
    spec = inputs.problem.spec
    leader = next(one for one in output.fitted if not one.is_baseline)
    baseline = next((one for one in output.fitted if one.is_baseline), None)
    remarks = gravest_first(_remarks(inputs, output, leader, baseline))
    blocks: list[Block] = [Heading("What to know"), Findings(remarks)] if remarks else []
    blocks += [Heading("Leaderboard"), _picture(spec, output, baseline), _leaderboard(spec, output, baseline)]
    blocks += [Heading("Their parameters", 3), _parameters(output)]
    blocks += [
        block
        for one in output.fitted
        if one.search
        for block in search_blocks(spec, output.metric, one.name, one.search)
    ]
    if failed := _failed(spec, output):
        blocks.append(failed)
    warned = any(one.status in {"warning", "failed"} for one in remarks)
    led = told(output.metric, leader.mean, spec)
    beyond = _gap(spec, output.metric, leader, baseline)
    return Card(
        title("train", spec),
        f"{_folds(spec)} inside {counted(int((inputs.problem.parts == 0).sum()), 'train row')}; "
        "no validation or test row was looked at",
        "warning" if warned else "ok",
        f"{leader.name} leads with {output.metric} {led} {_where(spec)}{beyond}",
        tuple(blocks),
        ((output.metric, of_metric(output.metric, leader.mean, spec)), *_facts(output)),
        word="fitted, with warnings" if warned else "fitted",
    )


def _facts(output: Output) -> Iterator[tuple[str, Cell]]:
    trials = [trial for one in output.fitted for trial in _trials(one)]
    yield "candidates", sum(not one.is_baseline for one in output.fitted)
    yield "trials", len(trials)
    for what, count in (
        ("trials failed", sum(bool(trial.error) for trial in trials)),
        ("trials taken over", sum(trial.kept for trial in trials)),
    ):
        if count:
            yield what, count
    yield "spent on trials", Quantity(sum(trial.seconds for trial in trials if not trial.kept), "s")


def _trials(one: Fitted) -> tuple[Trial, ...]:
    return one.search.trials if one.search else ()


def _folds(spec: UseCaseSpec) -> str:
    return "one hold-out" if spec.tuning.folds == 1 else counted(spec.tuning.folds, "fold")


def _where(spec: UseCaseSpec) -> str:
    return "on one hold-out" if spec.tuning.folds == 1 else "in cross-validation"


def _gap(spec: UseCaseSpec, metric: str, leader: Fitted, baseline: Fitted | None) -> str:
    if baseline is None:
        return ""
    word = "better" if better(metric, leader.mean, baseline.mean) else "worse"
    return f", {gap(metric, leader.mean - baseline.mean, spec)} {word} than {baseline.name}"


def _leaderboard(spec: UseCaseSpec, output: Output, baseline: Fitted | None) -> Table:
    rows = tuple(
        (
            one.name,
            of_metric(output.metric, one.mean, spec),
            None if spec.tuning.folds == 1 else one.spread,
            of_metric(output.metric, one.mean - baseline.mean if baseline and not one.is_baseline else None, spec),
            len(one.search.trials) if one.search else None,
            Quantity(one.fit_seconds, "s"),
        )
        for one in output.fitted
    )
    info = CATALOGUE[output.metric]
    direction = "higher" if info.higher_is_better else "lower"
    return Table(
        ("candidate", output.metric, "± over folds", "beyond baseline", "trials", "final fit"),
        rows,
        f"{output.metric}: {info.description}; {direction} is better.",
    )


def _parameters(output: Output) -> KeyValues:
    """The best that were found, with the fixed ones."""
    return KeyValues(
        tuple(
            (one.name, ", ".join(f"{name} = {written(value)}" for name, value in one.params.items()) or "as by default")
            for one in output.fitted
            if not one.is_baseline
        )
    )


def _picture(spec: UseCaseSpec, output: Output, baseline: Fitted | None) -> Picture:
    means = [one.mean for one in output.fitted]
    drawn = bars(
        [one.name for one in output.fitted],
        means,
        low=[one.mean - one.spread for one in output.fitted],
        high=[one.mean + one.spread for one in output.fitted],
        reference=baseline.mean if baseline else None,
        reference_label="best baseline" if baseline else "",
        title=f"{output.metric} {_where(spec)}",
    )
    once = "From one hold-out, so without a spread: small distances may be chance."
    return Picture(drawn, once if spec.tuning.folds == 1 else "Mean and standard deviation over the folds.")


def _remarks(inputs: Inputs, output: Output, leader: Fitted, baseline: Fitted | None) -> Iterator[Remark]:
    spec, metric = inputs.problem.spec, output.metric
    if baseline and not better(metric, leader.mean, baseline.mean):
        yield Remark(
            "failed",
            f"No candidate beats **{baseline.name}** {_where(spec)}.",
            "Look for features that tell the outcome: the associations on the card of explore are a start.",
        )
    for name, error in output.failed.items():
        yield Remark(
            "failed",
            f"Every trial of **{name}** failed: {_reason(error, examples=spec.card.examples)}",
            f"Correct `candidates.{name}` in the use case.",
        )
    for one in output.fitted:
        if one.search and one.search.truncated:
            yield _cut(spec, one)
        if failed := sum(bool(trial.error) for trial in _trials(one)):
            yield Remark(
                "warning", f"{counted(failed, 'trial')} of **{one.name}** failed.", "Reasons are listed below."
            )
        yield from _at_the_edge(spec, one, metric)
    yield from _taken_over(output)


def _cut(spec: UseCaseSpec, one: Fitted) -> Remark:
    """That the time guard stopped a search, and how much time would do."""
    trials, guard = _trials(one), spec.tuning.timeout
    needed = spec.tuning.trials * sum(trial.seconds for trial in trials) / len(trials)
    enough = math.ceil(max(_ROOM * needed, guard.total_seconds() if guard else 0) / 60 + 1e-9)
    return Remark(
        "warning",
        f"The time guard cut the search of **{one.name}** after {len(trials)} of {spec.tuning.trials} trials.",
        f"All of them take about {figure(needed, 's')}: more may find better parameters with "
        f"`tuning.timeout: PT{enough}M`.",
    )


def _at_the_edge(spec: UseCaseSpec, one: Fitted, metric: str) -> Iterator[Remark]:
    best = one.search.best(higher_is_better=CATALOGUE[metric].higher_is_better) if one.search else None
    for name, value in (best.params if best else {}).items():
        found = spec.candidates[one.name].space[name]
        if not (side := _edge(found, value)):
            continue
        low, high = found.arguments[:2]
        wider = _wider(found, side)
        yield Remark(
            "info",
            f"The best {name} of **{one.name}** lies at the {side} edge of its range: {written(value)}, "
            f"of {figure(low)} to {figure(high)}.",
            f"Better values may lie beyond: `{name}: {wider}` under `candidates.{one.name}.space` looks there."
            if wider
            else "Widen the range, if the parameter can be anything beyond it.",
        )


def _edge(found: Distribution, value: object) -> str:
    """Which end of its range a value lies at; nothing for one in between."""
    if "uniform" not in found.kind or not isinstance(value, int | float):
        return ""
    low, high, at = (place(found, part) for part in (*found.arguments[:2], value))
    near = _EDGE * (high - low)
    return "lower" if at - low < near else "upper" if high - at < near else ""


def _wider(found: Distribution, side: str) -> str:
    """The range as it could be written; nothing where its end, 0 or 1, may be that of the parameter itself."""
    low, high, *step = found.arguments
    if (low in {0, 1} and "log" not in found.kind) if side == "lower" else high == 1:
        return ""
    if "log" in found.kind:
        ends = (low / 10, high) if side == "lower" else (low, high * 10)
    elif side == "lower":
        ends = (low / 2 if low > 0 else 2 * low - high, high)
    else:
        ends = (low, 2 * high - low)
    written_ends = [math.floor(end) for end in ends] if found.kind == "uniformint" else ends
    # Without exponents, which YAML does not always take for numbers.
    texts = [f"{Decimal(f'{part:.12g}'):f}" for part in (*written_ends, *step)]
    return f"{{{found.kind}: [{', '.join(texts)}]}}"


def _taken_over(output: Output) -> Iterator[Remark]:
    """What earlier runs had found out already, so that nobody wonders why a search took no time."""
    told = []
    for one in output.fitted:
        kept, trials = sum(trial.kept for trial in _trials(one)), len(_trials(one))
        parts = [f"{kept} of {counted(trials, 'trial')}"] if kept else []
        parts += ["the fit"] if one.ref is not None else []
        told += [f"**{one.name}** ({listed(parts)})"] if parts else []
    if told:
        yield Remark(
            "info",
            f"Taken over from earlier runs of the same work: {listed(told)}.",
            "They took no time now; the seconds shown are those of the runs that made them.",
        )


def _failed(spec: UseCaseSpec, output: Output) -> Fold | None:
    rows: list[tuple[Cell, ...]] = [
        (one.name, str(trial.number + 1), ", ".join(f"{n} = {written(v)}" for n, v in trial.params.items()), reason)
        for one in output.fitted
        if one.search
        for trial in one.search.trials
        if (reason := _reason(trial.error, examples=spec.card.examples))
    ]
    if not rows:
        return None
    table = Table(("candidate", "trial", "parameters", "reason"), tuple(rows), limit=_MOST_FAILED)
    return Fold(f"Why {counted(len(rows), 'trial')} failed", (table,), is_open=True)


def _reason(error: str, *, examples: bool) -> str:
    """Why a trial failed; an estimator's message may quote a value, so without examples only its kind is said."""
    return error[:300] if examples else error.partition(":")[0]
