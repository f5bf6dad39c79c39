"""The card of train: who leads, how each search went, what failed."""

from __future__ import annotations

from collections.abc import Iterator

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
from mlops_mlflow.cards.wording import counted, gap, listed, of_metric, title, told
from mlops_mlflow.core.metrics.catalogue import CATALOGUE, better
from mlops_mlflow.core.usecase.candidates import Distribution
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.stages.train.run import Fitted, Inputs, Output
from mlops_mlflow.stages.train.searches import place, search_blocks, written

_EDGE = 0.05  # of the range of a parameter
_MOST_FAILED = 20


def card(inputs: Inputs, output: Output) -> Card:
    """The page of this stage."""
    spec = inputs.problem.spec
    leader = next(one for one in output.fitted if not one.is_baseline)
    baseline = next((one for one in output.fitted if one.is_baseline), None)
    remarks = tuple(_remarks(inputs, output, leader, baseline))
    blocks: list[Block] = [Heading("Leaderboard"), _leaderboard(spec, output, baseline), _picture(output, baseline)]
    blocks += [Heading("Their parameters", 3), _parameters(output)]
    blocks += [Heading("What to know"), Findings(remarks)] if remarks else []
    blocks += [
        block
        for one in output.fitted
        if one.search
        for block in search_blocks(spec, output.metric, one.name, one.search)
    ]
    if failed := _failed(spec, output):
        blocks.append(failed)
    trials = [trial for one in output.fitted if one.search for trial in one.search.trials]
    warned = any(one.status in {"warning", "failed"} for one in remarks)
    led = told(output.metric, leader.mean, spec)
    beyond = _gap(spec, output.metric, leader, baseline)
    return Card(
        title("train", spec),
        f"{counted(spec.tuning.folds, 'fold')} inside {counted(int((inputs.problem.parts == 0).sum()), 'train row')}; "
        "no validation or test row was looked at",
        "warning" if warned else "ok",
        f"{leader.name} leads with {output.metric} {led} in cross-validation{beyond}",
        tuple(blocks),
        (
            (output.metric, of_metric(output.metric, leader.mean, spec)),
            ("candidates fitted", sum(not one.is_baseline for one in output.fitted)),
            ("trials", len(trials)),
            ("trials failed", sum(bool(trial.error) for trial in trials)),
            ("spent on trials", Quantity(sum(trial.seconds for trial in trials), "s")),
        ),
        word="fitted, with warnings" if warned else "fitted",
    )


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
            one.spread,
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


def _picture(output: Output, baseline: Fitted | None) -> Picture:
    means = [one.mean for one in output.fitted]
    drawn = bars(
        [one.name for one in output.fitted],
        means,
        low=[one.mean - one.spread for one in output.fitted],
        high=[one.mean + one.spread for one in output.fitted],
        reference=baseline.mean if baseline else None,
        reference_label="best baseline" if baseline else "",
        title=f"Cross-validated {output.metric}",
    )
    return Picture(drawn, "Mean and standard deviation over the folds.")


def _remarks(inputs: Inputs, output: Output, leader: Fitted, baseline: Fitted | None) -> Iterator[Remark]:
    spec, metric = inputs.problem.spec, output.metric
    if baseline and not better(metric, leader.mean, baseline.mean):
        yield Remark(
            "failed",
            f"No candidate beats **{baseline.name}** in cross-validation.",
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
            yield Remark(
                "warning",
                f"The time guard cut the search of **{one.name}** after {len(one.search.trials)} "
                f"of {spec.tuning.trials} trials.",
                "More time may find better parameters: raise `tuning.timeout`.",
            )
        failed = sum(bool(trial.error) for trial in one.search.trials) if one.search else 0
        if failed:
            yield Remark(
                "warning", f"{counted(failed, 'trial')} of **{one.name}** failed.", "Reasons are listed below."
            )
        if one.search and (names := _at_the_edge(spec, one, metric)):
            yield Remark(
                "info",
                f"The best {listed(names)} of **{one.name}** lies at the edge of its range.",
                "Widen the range: better values may lie beyond it.",
            )


def _at_the_edge(spec: UseCaseSpec, one: Fitted, metric: str) -> list[str]:
    best = one.search.best(higher_is_better=CATALOGUE[metric].higher_is_better) if one.search else None
    space = spec.candidates[one.name].space
    return [name for name, value in (best.params if best else {}).items() if _is_edge(space[name], value)]


def _is_edge(found: Distribution, value: object) -> bool:
    if "uniform" not in found.kind or not isinstance(value, int | float):
        return False
    low, high, at = (place(found, part) for part in (*found.arguments[:2], value))
    return min(at - low, high - at) < _EDGE * (high - low)


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
