"""The card of prepare: how rows were divided, and how columns become features."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pandas as pd

from mlops_mlflow.cards.blocks import Block, Card, Cell, Findings, Fold, Heading, Picture, Quantity, Remark, Table
from mlops_mlflow.cards.charts import Band, Span, bars, line, timeline
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, listed, sides, title
from mlops_mlflow.core.splits import PARTS
from mlops_mlflow.engines.tables import read_rows
from mlops_mlflow.learning.problem import Problem
from mlops_mlflow.stages.prepare.run import Inputs, Output

_PURPOSES = (
    "Train rows are for fitting, and trials are judged by cross-validation within them; validation rows for choosing "
    "the candidate and the threshold; test rows for the verdict, once."
)
_MOVES = (
    "Outcomes are not alike in all parts: expect figures to differ between them, and look at what changed before you "
    "trust a threshold that was set on one of them."
)
_STATUSES = {"train": "info", "validation": "warning", "test": "ok"}
_BECOMES = {
    "numeric": "itself, scaled; a missing value becomes the mean, with a mark",
    "boolean": "0 or 1, scaled; a missing value becomes the mean, with a mark",
    "categorical": "a column for each of its commonest values (trees: one number); missing is a value",
    "wide": "the mean outcome of its value, cross-fitted",
    "datetime": "hour, weekday and season on circles, and days since 2000",
    "event time": "hour and weekday on circles; never how late it is",
    "text": "weights of its commonest words (TF-IDF)",
}
_KINDS = {"wide": "categorical, many values"}
_DAYS, _WEEKS = 60, 800  # spans, in days, up to which days and weeks are told apart
_MOVED = 0.2  # of the train rows' rate, or of their standard deviation
_CHANCE = 3.0  # standard errors of the test rows


def card(inputs: Inputs, output: Output) -> Card:
    """The page of this stage."""
    problem, spec = output.problem, inputs.spec
    frame = _told(problem)
    counts = [int((problem.parts == number).sum()) for number in range(len(PARTS))]
    features = problem.features
    remarks = tuple(_remarks(problem, frame))
    moved = next((one.sentence for one in remarks if one.status == "warning"), "")
    then = moved.replace("`", "").rstrip(".") if moved else f"{counted(len(features.kinds), 'column')} for the model"
    blocks: list[Block] = [Heading("The parts"), *_pictures(problem, frame, counts), _parts(problem, frame)]
    blocks += [Heading("What to know"), Findings(remarks)]
    blocks += [Heading("Features"), *_features(problem), *_left_out(problem)]
    said = " and ".join(
        [
            ", ".join(f"{figure(n)} {part}" for n, part in zip(counts[:2], PARTS, strict=False)),
            f"{figure(counts[2])} test rows",
        ]
    )
    return Card(
        title("prepare", spec),
        f"dataset {problem.digest[:12]}, divided {_manner(problem)}",
        "warning" if moved else "ok",
        f"{said} {_manner(problem)}; {then}",
        tuple(blocks),
        (
            *((part, count) for part, count in zip(PARTS, counts, strict=True)),
            ("columns used", len(features.kinds)),
            ("columns left out", len(_apart(problem))),
        ),
        word="outcomes move" if moved else "divided",
    )


def _told(problem: Problem) -> pd.DataFrame:
    """Part, outcome and, where there is one, day of every row."""
    spec = problem.spec
    time = spec.event_time.column if spec.event_time else None
    frame = read_rows(problem.path, [spec.target.column, *([time] if time else [])], None)
    outcome = frame[spec.target.column]
    told = pd.DataFrame({"part": problem.parts, "outcome": outcome})
    if time:
        told["time"] = pd.to_datetime(frame[time])
    return told


def _manner(problem: Problem) -> str:
    split = problem.spec.split
    manners = {"time": "by time", "random": "at random", "stratified": "at random within each outcome"}
    return manners.get(split.by, f"by {split.group}")


def _parts(problem: Problem, frame: pd.DataFrame) -> Table:
    labels = problem.outcomes.labels
    wanted = labels[1:] if problem.outcomes.task == "binary" else labels[:6]
    heads = (
        ["mean", "standard deviation"] if not labels else [f"{problem.spec.target.column} is {one}" for one in wanted]
    )
    rows = []
    for number, part in enumerate(PARTS):
        inside = frame[frame["part"] == number]
        figures: list[Cell] = [part, len(inside), Quantity(len(inside) / len(frame), "%")]
        if labels:
            figures += [Quantity(float((inside["outcome"] == one).mean()), "%") for one in wanted]
        else:
            figures += [float(inside["outcome"].mean()), float(inside["outcome"].std())]
        if "time" in inside:
            figures += [f"{inside['time'].min():%Y-%m-%d}", f"{inside['time'].max():%Y-%m-%d}"]
        rows.append(tuple(figures))
    columns = ("part", "rows", "share", *heads, *(["from", "to"] if "time" in frame else []))
    return Table(columns, tuple(rows), _PURPOSES, sides(columns, {"part"}))


def _pictures(problem: Problem, frame: pd.DataFrame, counts: list[int]) -> list[Block]:
    if problem.plan.by != "time" or "time" not in frame:
        drawn = bars(list(PARTS), [count / len(frame) for count in counts], unit="%", title="Shares of the rows")
        return [Picture(drawn, "Share of the rows in each part.")]
    held = {part: frame.loc[frame["part"] == number, "time"] for number, part in enumerate(PARTS)}
    spans = [
        Span(part, times.min(), times.max(), _STATUSES[part], counted(len(times), "row"))
        for part, times in held.items()
    ]
    shown: list[Block] = [Picture(timeline(spans, title="The parts in time", width=860))]
    starts, rates, label, unit = _course(problem, frame)
    bands = [Band(_day(times.min()), _day(times.max()), part, "x", _STATUSES[part]) for part, times in held.items()]
    course = line(
        {label: (starts, rates)}, x_kind="date", bands=bands, title="Outcome over time", y_label=label, width=860
    )
    return [*shown, Picture(course, f"Per {unit}. A model is fitted on the first part and judged on the last.")]


def _day(moment: pd.Timestamp) -> date:
    return moment.date()


def _course(problem: Problem, frame: pd.DataFrame) -> tuple[list[date], list[float], str, str]:
    """Start and mean outcome of each day, week or month; what that is, and the unit."""
    task, column = problem.outcomes.task, problem.spec.target.column
    if task == "regression":
        outcome, label = frame["outcome"].astype(float), f"mean {column}"
    else:
        watched = problem.outcomes.labels[-1]
        outcome, label = (frame["outcome"] == watched).astype(float), f"share where {column} is {watched}"
    span = (frame["time"].max() - frame["time"].min()).days
    unit = "day" if span <= _DAYS else "week" if span <= _WEEKS else "month"
    means = outcome.groupby(frame["time"].dt.to_period(unit[0].upper()).dt.start_time).mean()
    return [start.date() for start in means.index], means.tolist(), label, unit


def _remarks(problem: Problem, frame: pd.DataFrame) -> Iterator[Remark]:
    yield from _moved(problem, frame)
    yield Remark(
        "ok",
        "Nothing is fitted on validation or test rows.",
        "Scaling, encoding and filling of gaps are learned inside the model, on train rows only, and again in each "
        "fold of the cross-validation.",
    )
    if problem.plan.by == "time":
        yield Remark("ok", "Rows of one time stay together, and no part is older than the one before it.")
    elif problem.spec.split.group:
        yield Remark("ok", f"Rows of one `{problem.spec.split.group}` stay together.")
    else:
        content = listed([f"`{one}`" for one in problem.plan.columns]) if problem.plan.columns else "all its columns"
        yield Remark("ok", f"A row's part follows from {content} and the seed, in whatever order rows come.")


def _moved(problem: Problem, frame: pd.DataFrame) -> Iterator[Remark]:
    """Whether outcomes in test differ from those in train, by much and by more than chance would."""
    column, outcomes = problem.spec.target.column, problem.outcomes
    train, test = (frame.loc[frame["part"] == number, "outcome"] for number in (0, 2))
    if outcomes.task == "regression":
        before, after, spread = float(train.mean()), float(test.mean()), float(train.std())
        said = f"The mean of `{column}` is {figure(before)} in train and {figure(after)} in test."
        moved = abs(after - before) > _MOVED * spread
    else:
        watched = outcomes.labels[1:] if outcomes.task == "binary" else outcomes.labels
        rates = {one: (float((train == one).mean()), float((test == one).mean())) for one in watched}
        name, (before, after) = max(rates.items(), key=lambda item: abs(item[1][1] - item[1][0]))
        said = f"`{column}` is {name} in {figure(before, '%')} of train and in {figure(after, '%')} of test."
        spread = (before * (1 - before)) ** 0.5
        moved = abs(after - before) > _MOVED * before
    if moved and abs(after - before) > _CHANCE * spread / len(test) ** 0.5:
        yield Remark("warning", said, _MOVES)


def _features(problem: Problem) -> list[Block]:
    plan, spec = problem.features, problem.spec
    own = problem.package.features is not None and hasattr(problem.package.features, "preprocessor")
    ways: dict[str, list[str]] = {}
    for name, kind in plan.kinds.items():
        way = "event time" if name == plan.event_time else "wide" if name in plan.wide else kind
        ways.setdefault(way, []).append(name)
    made = f"`preprocessor` of {spec.features.module} makes it" if own else ""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (_KINDS.get(way, way), len(names), listed(names, 15), made or _BECOMES[way]) for way, names in ways.items()
    )
    derived = [name for name in plan.kinds if name not in plan.columns]
    gone = [name for name in plan.columns if name not in plan.kinds]
    told = f"`derive` of {spec.features.module} adds {listed(derived, 15)}." if derived else ""
    told += f" It takes away {listed(gone, 15)}." if gone else ""
    every = tuple(
        (name, way, "dataset" if name in plan.columns else "`derive`") for way, names in ways.items() for name in names
    )
    return [
        Table(("kind", "columns", "which", "what the model sees"), rows, told.strip()),
        Fold("Every column that the model sees", (Table(("column", "kind", "from"), every),)),
    ]


def _left_out(problem: Problem) -> list[Block]:
    apart = _apart(problem)
    if not apart:
        return []
    return [Heading("Kept from the model"), Table(("column", "why"), tuple(apart.items()))]


def _apart(problem: Problem) -> dict[str, str]:
    """Columns of the dataset that the model does not take, and why."""
    spec = problem.spec
    why = dict.fromkeys(spec.features.exclude, "excluded by the use case (`features.exclude`)")
    if spec.split.group:
        why[spec.split.group] = "the group that rows were divided by"
    if spec.entity_key:
        why[spec.entity_key] = "the key: it tells rows apart"
    why[spec.target.column] = "the target"
    return {name: why.get(name, "not a feature") for name in problem.columns if name not in problem.features.columns}
