"""The card of a window: what changed, how sure that is, what it costs, what happens next."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mlops_mlflow.cards.blocks import (
    Badge,
    Block,
    Card,
    Cell,
    Columns,
    Findings,
    Fold,
    Heading,
    KeyValues,
    Picture,
    Quantity,
    Remark,
    Status,
    Table,
)
from mlops_mlflow.cards.charts import histogram
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, listed, of_metric, title, told
from mlops_mlflow.core.monitoring.health import Health, Signal
from mlops_mlflow.core.profiles import ColumnProfile
from mlops_mlflow.stages.monitor.job import Inputs, Labels, Output

STATUS: dict[Health, Status] = {
    "ok": Status.OK,
    "warning": Status.WARNING,
    "alarm": Status.FAILED,
    "insufficient data": Status.UNKNOWN,
}
_DRAWN = 4
_LOUD = ("alarm", "warning")


def card(inputs: Inputs, output: Output) -> Card:
    """The page of this stage."""
    spec, window, reference = inputs.spec, inputs.window, inputs.reference
    blocks: list[Block] = [Findings(tuple(_remarks(inputs, output)))]
    if output.labels is not None:
        blocks += [Heading("What labels say"), *_performance(inputs, output.labels, output.of("performance"))]
    blocks += [Heading("What moved"), *_drift(inputs, output)]
    blocks += [Fold("The feed", (_signals(output.of("feed")),)), Fold("The window", (_window(inputs, output),))]
    return Card(
        title("monitor", spec),
        f"{window.label} · version {reference.version} of {reference.model}",
        STATUS[output.health],
        headline(output, closed=inputs.closed),
        tuple(blocks),
        tuple(_facts(inputs, output)),
        word=output.health,
    )


def headline(output: Output, *, closed: bool) -> str:
    """What a person should know of the window, one sentence."""
    if not output.scored and not output.rejected:
        return "No row was scored in this window"
    loud = [one for one in output.signals if one.health == "alarm"] or [
        one for one in output.signals if one.health == "warning"
    ]
    if not loud:
        waits = "" if closed else "; labels are not complete yet"
        return f"{counted(output.scored, 'row')}, nothing out of the ordinary{waits}"
    order = {"performance": 0, "feed": 1, "score": 2, "drift": 3, "change": 4}
    first = min(loud, key=lambda one: order[one.kind])
    others = len(loud) - 1
    more = f", and {counted(others, 'other finding')}" if others else ""
    return f"**{_subject(first)}**: {first.reason}{more}"


def _subject(one: Signal) -> str:
    words = {"feed": "feed, ", "drift": "drift of ", "change": "change of ", "score": "drift of ", "performance": ""}
    return f"{words[one.kind]}{one.subject}"


def _remarks(inputs: Inputs, output: Output) -> list[Remark]:
    """What follows from it, and what could not be read."""
    delay = inputs.spec.labels.delay if inputs.spec.labels else None
    found: list[Remark] = []
    if output.blocks_retraining:
        found.append(
            Remark(
                "failed",
                "**The feed is broken**: mend it first. No model is to be retrained on this window.",
                f"Look at {listed([one.subject for one in output.of('feed') if one.health == 'alarm'])}.",
            )
        )
    elif any(one.health == "alarm" for one in output.of("performance")):
        found.append(Remark("failed", "**The loss is real**, not chance: think of retraining or of rolling back.", ""))
    elif any(one.health == "warning" for one in output.of("performance")):
        found.append(
            Remark(
                "warning",
                "**Worse than allowed**, and chance may do that in a window like this: the next ones will tell.",
            )
        )
    elif any(one.health in _LOUD for one in output.of("drift", "score")):
        found.append(
            Remark(
                "warning",
                "Input or output has moved. That explains, and harms nothing by itself: labels decide.",
                "" if output.labels is not None else "They are not complete yet.",
            )
        )
    found += [Remark("info", words)] if (words := _worth(inputs, output)) else []
    if output.labels is None:
        why = "The use case has no `labels`, so nothing says how good the predictions were."
        if delay is not None and inputs.closed:
            why = "No row was scored, so there is nothing to judge."
        elif delay is not None:
            why = f"Labels are complete on {inputs.window.end + delay:%Y-%m-%d %H:%M} UTC; this window is judged then."
        found.append(Remark("info", why))
    found += [Remark("info", output.drill_down)] if output.drill_down else []
    found += [Remark("warning", one, "") for one in inputs.skipped]
    return found


def _worth(inputs: Inputs, output: Output) -> str:
    """What the window was worth, beside what as many test rows were; empty where outcomes have no price."""
    known = inputs.reference.performance
    before = known.figures.get("value_per_row") if known else None
    now = output.labels.figures.get("value_per_row") if output.labels else None
    if now is None or now.figure is None:
        return ""
    own = told("value_per_row", now.figure, inputs.spec)
    sentence = f"Predictions were worth {own} per row"
    if before is None or before.figure is None:
        return f"{sentence}."
    difference = now.figure - before.figure
    word = "more" if difference >= 0 else "less"
    total = told("value_per_row", abs(difference) * now.rows, inputs.spec)
    there = told("value_per_row", before.figure, inputs.spec)
    return f"{sentence}, on test rows {there}: {total} {word} over the window's {counted(now.rows, 'labelled row')}."


def _facts(inputs: Inputs, output: Output) -> list[tuple[str, Cell]]:
    found: list[tuple[str, Cell]] = [("rows", output.scored), ("set aside", output.rejected)]
    if output.labels is not None:
        found.append(("with a label", Quantity(output.labels.coverage, "%")))
        settings = inputs.spec.monitoring
        for name in dict.fromkeys(one.metric for one in (settings.alarm if settings else ())):
            found.append((name, of_metric(name, output.labels.figures[name].figure, inputs.spec)))
    return found


def _performance(inputs: Inputs, labels: Labels, signals: Sequence[Signal]) -> list[Block]:
    known = inputs.reference.performance
    rows: list[tuple[Cell, ...]] = []
    for name, one in labels.figures.items():
        before = known.figures.get(name) if known else None
        rows.append(
            (
                name,
                of_metric(name, one.figure, inputs.spec),
                of_metric(name, before.figure if before else None, inputs.spec),
                of_metric(name, one.error, inputs.spec),
            )
        )
    heads = ("metric", "this window", "test rows", "standard error")
    blocks: list[Block] = [_signals(signals)] if signals else []
    blocks.append(Fold("All metrics", (Table(heads, tuple(rows)),)))
    if labels.slices:
        cells = tuple(
            (
                one.column,
                one.value,
                next(iter(one.figures.values())).rows,
                *(of_metric(name, found.figure, inputs.spec) for name, found in one.figures.items()),
            )
            for one in labels.slices
        )
        names = tuple(labels.slices[0].figures)
        blocks.append(Fold("Slices", (Table(("column", "value", "rows", *names), cells),)))
    remarks = {
        f"{counted(labels.unknown, 'outcome')} of no scored row": labels.unknown,
        f"{counted(labels.repeated, 'key')} with several outcomes, of which the last counts": labels.repeated,
        f"{counted(labels.strange, 'row')} left out, with an outcome that the model does not know": labels.strange,
    }
    blocks += [Findings((Remark("info", f"{words}."),)) for words, count in remarks.items() if count]
    return blocks


def _signals(signals: Sequence[Signal]) -> Table:
    rows = tuple((one.subject, Badge(STATUS[one.health], one.health), one.reason) for one in signals)
    return Table(("about", "health", "why"), rows, align=("left", "left", "left"))


def _drift(inputs: Inputs, output: Output) -> list[Block]:
    signals = [one for one in output.signals if one.kind in ("drift", "score")]
    loud = [one for one in signals if one.health in _LOUD]
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            one.subject,
            Badge(STATUS[one.health], one.health),
            one.statistic,
            one.limit,
            inputs.reference.importances.get(one.subject),
            "" if one.statistic is not None else one.reason,
        )
        for one in signals
    )
    heads = ("column", "health", "distance", "limit", "importance", "")
    caption = (
        "Jensen-Shannon distance to the rows that the version learned from, 0 to 1; the limit is what chance reaches "
        "in so many rows. Columns that matter most to the model come first."
    )
    pictures = [_picture(inputs, output, one) for one in (loud or signals)[:_DRAWN] if one.statistic is not None]
    drawn: list[Block] = [Columns(tuple(pictures[place : place + 2])) for place in range(0, len(pictures), 2)]
    return [*drawn, Table(heads, rows, caption, align=("left", "left", "right", "right", "right", "left"))]


def _picture(inputs: Inputs, output: Output, one: Signal) -> Block:
    before, now = inputs.reference.profile.column(one.subject), output.profile.column(one.subject)
    if before is None or now is None:
        return KeyValues(((one.subject, "not there"),))
    if before.histogram is not None and now.histogram is not None:
        drawn = histogram(
            (-math.inf, *before.histogram.edges, math.inf),
            now.histogram.counts,
            before.histogram.counts,
            names=("this window", "reference"),
            title=one.subject,
            x_label=one.subject,
            width=400,
        )
        return Picture(drawn)
    return _levels(before, now, named=inputs.spec.card.examples)


def _levels(before: ColumnProfile, now: ColumnProfile, *, named: bool) -> Table:
    held = dict(now.categories)
    totals = max(1, before.rows - before.missing), max(1, now.rows - now.missing)
    rows = tuple(
        (
            name if named else f"no. {place}",
            Quantity(held.get(name, 0) / totals[1], "%"),
            Quantity(count / totals[0], "%"),
        )
        for place, (name, count) in enumerate(before.categories[:8], start=1)
    )
    return Table((before.name, "this window", "reference"), rows)


def _window(inputs: Inputs, output: Output) -> KeyValues:
    window = inputs.window
    return KeyValues(
        (
            ("begin", f"{window.begin:%Y-%m-%d %H:%M} UTC"),
            ("end", f"{window.end:%Y-%m-%d %H:%M} UTC, which belongs to the next"),
            ("rows scored", output.scored),
            ("rows set aside", output.rejected),
            ("logged twice", inputs.duplicates),
            ("health of the feed", figure(sum(one.health == "alarm" for one in output.of("feed"))) + " alarms"),
        )
    )
