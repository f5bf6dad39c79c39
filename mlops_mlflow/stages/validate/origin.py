"""Sections of the model card about where the model and its figures come from: data, features, method."""

from __future__ import annotations

import pandas as pd

from mlops_mlflow.cards.blocks import Block, Cell, Fold, KeyValues, Quantity, Table
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, listed, sides
from mlops_mlflow.core.bootstrap import DRAWS
from mlops_mlflow.core.splits import PARTS
from mlops_mlflow.engines.tables import read_rows
from mlops_mlflow.learning.problem import Problem
from mlops_mlflow.stages.validate.run import Inputs, Output

_USES = (
    "Train rows: fitted, and parameters chosen by cross-validation. Validation rows: candidate and threshold chosen. "
    "Test rows: this verdict, once."
)
_MANNERS = {"time": "by time", "random": "at random", "stratified": "at random within each outcome"}


def data(inputs: Inputs) -> list[Block]:
    """The dataset and its parts: rows and dates."""
    problem, spec = inputs.problem, inputs.problem.spec
    time = spec.event_time.column if spec.event_time else None
    times = pd.to_datetime(read_rows(problem.path, [time], None)[time]) if time else None
    rows = []
    for number, part in enumerate(PARTS):
        inside = problem.parts == number
        row: list[Cell] = [part, int(inside.sum()), Quantity(float(inside.mean()), "%")]
        if times is not None:
            row += [f"{times[inside].min():%Y-%m-%d}", f"{times[inside].max():%Y-%m-%d}"]
        rows.append(tuple(row))
    columns = ("part", "rows", "share", *(["from", "to"] if time else []))
    manner = _MANNERS.get(spec.split.by, f"by {spec.split.group}")
    sources = KeyValues(
        (
            ("Dataset", f"{counted(len(problem.parts), 'row')}, digest `{problem.digest}`"),
            ("Sources", ", ".join(spec.sources)),
            ("Divided", manner),
            ("Target", f"`{spec.target.column}` ({problem.outcomes.task})"),
        )
    )
    return [sources, Table(columns, tuple(rows), _USES, sides(columns, {"part"}))]


def features(problem: Problem) -> list[Block]:
    """What the model takes, by kind."""
    plan = problem.features
    kinds: dict[str, list[str]] = {}
    for name, kind in plan.kinds.items():
        kinds.setdefault("event time" if name == plan.event_time else kind, []).append(name)
    rows: tuple[tuple[Cell, ...], ...] = tuple((kind, len(names), listed(names, 15)) for kind, names in kinds.items())
    derived = [name for name in plan.kinds if name not in plan.columns]
    caption = (
        f"What the model sees; {listed(derived, 15)} follow from other columns." if derived else "What the model sees."
    )
    every = Table(("column", "kind"), tuple((name, kind) for kind, names in kinds.items() for name in names))
    return [Table(("kind", "columns", "which"), rows, caption), Fold("Every column that the model sees", (every,))]


def method(inputs: Inputs, output: Output) -> KeyValues:
    """How figures and intervals came about."""
    spec = inputs.problem.spec
    held = max((one.blocks for one in output.intervals.values()), default=0)
    drawn = (
        f"bootstrap: {DRAWS} draws of {counted(held, output.block)}, with replacement, 2.5th to 97.5th percentile; "
        "a comparison sees the same draws for both models"
        if held
        else f"none: fewer than 8 blocks ({output.block}s), which is too few to resample"
    )
    why = "" if output.block == "row" else f" Rows of one {output.block} are alike, so whole {output.block}s are drawn."
    return KeyValues(
        (
            ("Model", "the saved model, loaded again before it was judged"),
            ("Figures", f"on {counted(len(output.made), 'test row')}, each row counted once"),
            ("Intervals", f"{drawn}.{why}"),
            ("Bounds", "the figure decides; an interval that contains the bound is marked as close"),
            ("Baseline", f"{inputs.baseline}, the best of those that know next to nothing"),
            ("Latency", "single rows on one thread, where a requirement asks for it"),
            ("Seed", figure(spec.seed)),
        )
    )
