"""Streams with labels, watched: whether every real loss alarms, and whether nothing does where time tells nothing.

What is real is asked of draws alone, another way than by the formula of monitoring: the loss is beyond what is allowed
in 95 % of the draws of the days of the window and of the reference; and it is so, too, where as many days of the
reference stand for those of the window, which are too few to tell how days differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Figure
from benchmarks.streams import Stream, of_rows, of_times, streams
from benchmarks.timing import fresh, say
from mlops_mlflow.core.metrics.measure import Predictions, measure
from mlops_mlflow.core.monitoring.drift import drift_signals
from mlops_mlflow.core.monitoring.feed import feed_signals
from mlops_mlflow.core.monitoring.health import Health, outranked, overall
from mlops_mlflow.core.monitoring.outputs import DECISION, SCORE, outputs_profile
from mlops_mlflow.core.monitoring.performance import LEVEL, Labelled, judge_performance
from mlops_mlflow.core.monitoring.reference import reference_performance
from mlops_mlflow.core.profiles import TableProfile
from mlops_mlflow.core.usecase.data import Contract

DRAWS, SHUFFLES = 1_000, 3
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Seen:
    """A window: what is true of it, and what monitoring says.

    Attributes:
        stream: Which.
        begin: First day or year.
        real: Whether its loss is.
        likely: Whether its loss is beyond what is allowed in 95 % of the draws of its own days, few as they are.
        loss: What labels say: health of the alarm.
        feed: Worst health of the feed.
        health: Of the window.
    """

    stream: str
    begin: int
    real: bool
    likely: bool
    loss: Health
    feed: Health
    health: Health


def measured() -> list[Figure]:
    """All streams as they were, and with their time shuffled."""
    told, rows, days = list[Seen](), list[Seen](), list[Seen]()
    for stream in streams():
        say(f"{stream.name}: as it was, and {SHUFFLES} times shuffled")
        told += watched(stream)
        for seed in range(SHUFFLES):
            rows += watched(stream.shuffled(of_rows, seed))
            days += watched(stream.shuffled(of_times, seed)) if stream.by_time else []
    return figures(told, rows, days)


def figures(told: Sequence[Seen], rows: Sequence[Seen], days: Sequence[Seen]) -> list[Figure]:
    """Of windows as they were, of those with rows at any time, and of those with days in any order."""
    real, likely = [one for one in told if one.real], [one for one in told if one.likely]
    alarms = [one for one in told if one.loss == "alarm"]
    return [
        Figure("stream_windows", len(told), "windows of three streams with labels"),
        Figure("real_losses", len(real), "of these with a real loss"),
        Figure("real_losses_alarmed_share", _share(_loss(real)), "real losses that alarm", "", "1"),
        Figure("alarms_beyond_real", sum(not one.real for one in alarms), "alarms of other windows"),
        Figure(
            "likely_losses_alarmed_share", _share(_loss(likely)), "losses by draws of the window's own days that alarm"
        ),
        Figure(
            "feed_alarms", sum(one.feed == "alarm" for one in told), "feed alarms, where nothing is broken", "", "0"
        ),
        Figure("shuffled_alarm_share", _share(_alarm(rows)), "rows at any time: windows that alarm", "", "0"),
        Figure("shuffled_loud_share", _share(_loud(rows)), "the same: that warn or alarm", "", "≤ 0.05"),
        Figure(
            "shuffled_days_alarm_share", _share(_alarm(days)), "days in any order: windows that alarm", "", "≤ 0.05"
        ),
        Figure("shuffled_days_likely_share", _share(one.likely for one in days), "the same, by draws of own days"),
    ]


def _share(found: Iterable[bool]) -> float:
    there = list(found)
    return sum(there) / len(there) if there else float("nan")


def _loss(seen: Iterable[Seen]) -> Iterator[bool]:
    return (one.loss == "alarm" for one in seen)


def _alarm(seen: Iterable[Seen]) -> Iterator[bool]:
    return (one.health == "alarm" for one in seen)


def _loud(seen: Iterable[Seen]) -> Iterator[bool]:
    return (one.health in ("warning", "alarm") for one in seen)


def watched(stream: Stream) -> Iterator[Seen]:
    """Every window of a stream, with labels, as the stage ``monitor`` judges it."""
    made, folder = stream.predicted(), fresh(f"alarms/{stream.name}-windows")
    metric, seen, truth = stream.alarm.metric, _Rows(stream, made, folder), _Truth(stream, made)
    reference = reference_performance(
        made.take(stream.reference),
        stream.blocks(stream.reference),
        "day",
        metrics=[metric],
        slices=(),
        slice_metrics=(),
        seed=0,
    )
    learned, outputs = seen.profile(stream.train, None), outputs_profile(made.take(stream.reference))
    arrives = TableProfile(learned.rows, tuple(one for one in learned.columns if one.name in stream.rows))
    known = TableProfile(learned.rows, (*arrives.columns, *outputs.columns))
    names, before, usual = list(stream.rows.columns), None, list[int]()
    for begin, places in stream.windows():
        window = seen.profile(places, known)
        labelled = Labelled(made.take(places), stream.blocks(places), (), len(places))
        feed = feed_signals(known, window, columns=names, contract=Contract(), minimum_rows=1, usual_rows=usual)
        drift = drift_signals(
            known,
            window,
            importances=dict.fromkeys(names, 1.0),
            outputs=[one.name for one in outputs.columns],
            minimum_rows=1,
            previous=before,
        )
        judged = judge_performance(
            [stream.alarm], labelled, reference, metrics=[metric], slice_metrics=(), minimum_rows=1, seed=0
        )
        signals = outranked([*feed, *drift, *judged.signals])
        real, likely = truth.of(places)
        yield Seen(stream.name, begin, real, likely, judged.signals[0].health, overall(feed), overall(signals))
        before, usual = window, [*usual, len(places)]


@dataclass(frozen=True)
class _Rows:
    stream: Stream
    made: Predictions
    folder: Path

    def profile(self, places: Ints, reference: TableProfile | None) -> TableProfile:
        """By way of a file, as windows of production are profiled; with what the model said."""
        from mlops_mlflow.engines.profile import profile

        path, made = self.folder / "window.parquet", self.made.take(places)
        outputs = {SCORE: made.decided if made.scores is None else made.scores[:, 1]}
        outputs |= {DECISION: np.array(made.classes)[made.decided.astype(int)]} if made.classes else {}
        rows = self.stream.rows.iloc[places].reset_index(drop=True)
        texts = rows.select_dtypes(include="category").columns
        rows.astype(dict.fromkeys(texts, object)).assign(**outputs).to_parquet(path)
        return profile(path, target=None, event_time=None, reference=reference)


class _Truth:
    """What draws of blocks say of losses."""

    def __init__(self, stream: Stream, made: Predictions) -> None:
        self.alarm, self.stream, self.made = stream.alarm, stream, made
        self.random, self.reference = np.random.default_rng(0), stream.reference
        self.figure = measure(self.alarm.metric, made.take(self.reference))
        self.referred = self._figures(self.reference, len(np.unique(stream.blocks(self.reference))))
        self.beside: dict[int, NDArray[np.float64]] = {}

    def of(self, places: Ints) -> tuple[bool, bool]:
        """Whether the loss of a window is real, and whether it seems so by the window's own blocks alone."""
        alarm, count = self.alarm, len(np.unique(self.stream.blocks(places)))
        bound = float(np.nanquantile(alarm.sign * (self._figures(places, count) - self.referred), 1 - LEVEL))
        loss = alarm.sign * (measure(alarm.metric, self.made.take(places)) - self.figure)
        likely = bound > alarm.limit
        return likely and loss - self._by_chance(count) > alarm.limit, likely

    def _by_chance(self, count: int) -> float:
        """How far so many blocks of the reference may be from the reference, where nothing is worse."""
        if count not in self.beside:
            self.beside[count] = self.alarm.sign * (self._figures(self.reference, count) - self.referred)
        return float(np.nanquantile(self.beside[count], LEVEL))

    def _figures(self, places: Ints, count: int) -> NDArray[np.float64]:
        """Of so many of their blocks, drawn with replacement."""
        made, blocks = self.made.take(places), np.unique(self.stream.blocks(places), return_inverse=True)[1]
        there = int(blocks.max()) + 1
        drawn = (self.random.integers(0, there, count) for _ in range(DRAWS))
        weights = (np.bincount(one, minlength=there).astype(float)[blocks] for one in drawn)
        return np.array([measure(self.alarm.metric, made, one) for one in weights])
