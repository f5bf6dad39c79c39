"""A small use case with a version in Production, whose weeks are scored and monitored in this process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
import use_cases
from lifecycles import client, put_into_production, store_of
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from processes import mlops

from mlops_mlflow.engines.inference_log import LogWriter, Origin
from mlops_mlflow.lifecycle.display import Silent
from mlops_mlflow.lifecycle.folder import load_folder
from mlops_mlflow.lifecycle.operate import monitor as operate
from mlops_mlflow.lifecycle.operate.score import Asked, score

WEEKS = ("2024-W08", "2024-W09", "2024-W10", "2024-W11", "2024-W12")
"""Those that are scored: from 2024-02-19, a Monday; there is one ticket an hour."""
FIRST, BAD = pd.Timestamp("2024-02-19"), pd.Timestamp("2024-03-11")
"""The first hour that is scored, and the first whose tickets turn out the other way round."""
MONITORING = {
    "window": "P7D",
    "minimum_rows": 50,
    "alarm": [{"metric": "roc_auc", "falls_by": 0.1, "below": "reference"}],
}


class Said(Silent):
    """A display that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        """Keep a line."""
        self.lines.append(text)


def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tickets of 100 days, and customers; words are of two kinds, and from ``BAD`` on outcomes are reversed."""
    tickets, customers = use_cases.ticket_tables(2400)
    tickets["words"] = tickets["words"].str.replace(r" number \d+", "", regex=True)
    tickets["escalated"] = tickets["escalated"].where(tickets["opened"] < BAD, 1 - tickets["escalated"])
    return tickets, customers


def tickets(parent: Path, **changes: Any) -> Path:
    """The use case, with sections about monitoring."""
    known, _ = tables()
    sections = {
        "data": {"since": "2024-01-01", "until": "2024-02-19"},
        "labels": {"source": "tickets", "delay": "P3D"},
        "monitoring": MONITORING,
        "success": [{"metric": "roc_auc", "at_least": 0.7}],
    }
    folder = use_cases.tickets(parent, **sections | changes)
    known.to_csv(folder / "data" / "tickets.csv", index=False)
    return folder


def to_score(begin: pd.Timestamp, end: pd.Timestamp) -> pd.DataFrame:
    """What is known of tickets when they are opened."""
    known, customers = tables()
    joined = known.merge(customers, on="customer_id").sort_values("opened")
    inside = (joined["opened"] >= begin) & (joined["opened"] < end)
    return joined.loc[inside, ["ticket_id", "opened", "due", "channel", "words", "plan", "age"]].reset_index(drop=True)


@dataclass(frozen=True)
class Watched:
    """A working directory with a use case, a store and an inference log."""

    work: Path
    folder: Path

    @property
    def uri(self) -> str:
        """Of the store."""
        return store_of(self.work)

    @property
    def log(self) -> Path:
        """Of the use case."""
        return self.work / "inference_log" / "tickets"

    def copied(self, work: Path) -> Watched:
        """The same once more; artifacts of runs stay where they are."""
        work.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.work / "mlflow.db", work / "mlflow.db")
        shutil.copytree(self.folder, work / "tickets", ignore=shutil.ignore_patterns("__pycache__"))
        if self.log.exists():
            shutil.copytree(self.log, work / "inference_log" / "tickets")
        return Watched(work, work / "tickets")

    def settings(self) -> dict[str, str]:
        """Environment of commands."""
        return {"MLFLOW_TRACKING_URI": self.uri, "MLOPS_INFERENCE_LOG": str(self.work / "inference_log")}

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This process works there, as ``mlops`` would."""
        before, there = dict(os.environ), Path.cwd()
        os.environ.update(self.settings())
        os.chdir(self.work)
        mlflow.set_tracking_uri(self.uri)
        try:
            yield
        finally:
            mlflow.set_tracking_uri(None)
            os.chdir(there)
            for name in os.environ.keys() - before.keys():
                del os.environ[name]
            os.environ.update(before)

    def score(self, begin: pd.Timestamp = FIRST, end: pd.Timestamp | None = None, **changes: Any) -> None:
        """Score tickets opened in a stretch of time; a week when no end is told.

        Args:
            begin: Its first moment.
            end: The first that does not belong to it.
            changes: Columns with other values.
        """
        rows = to_score(begin, end or begin + pd.Timedelta(days=7)).assign(**changes)
        with self.entered():
            batch = self.work / "batch.parquet"
            rows.to_parquet(batch)
            asked = Asked(str(batch), str(self.work / "scored.parquet"), at=datetime(2024, 2, 1, tzinfo=UTC))
            score(load_folder(self.folder), asked, display=Silent())

    def log_rows(self, rows: pd.DataFrame, scores: np.ndarray[Any, Any] | None = None) -> None:
        """Log rows as another writer might, with whatever columns and types they have; scores are evenly spread."""
        inputs = rows.drop(columns="ticket_id")
        positive = np.linspace(0, 1, len(rows)) if scores is None else scores
        kinds = dict(zip(inputs.columns, pa.Table.from_pandas(inputs, preserve_index=False).schema.types, strict=True))
        times = rows["opened"].dt.tz_localize("Europe/Berlin").dt.tz_convert(None)
        origin = Origin("tickets", "1", "primary", datetime(2024, 3, 1, tzinfo=UTC))
        with LogWriter(self.log, "another", origin, inputs=kinds, classes=("0", "1")) as log:
            log.write(
                np.arange(len(rows)),
                inputs,
                keys=rows["ticket_id"],
                event_times=times.to_numpy("datetime64[us]"),
                predictions=np.where(positive > 0.5, "1", "0"),
                probabilities=np.column_stack([1 - positive, positive]),
            )

    def monitor(self, until: str, *, said: Said | None = None, **asked: Any) -> operate.Monitored:
        """Look at what is due."""
        with self.entered():
            return operate.monitor(
                load_folder(self.folder), operate.Asked(until=until, **asked), display=said or Silent()
            )

    def change(self, **changes: Any) -> None:
        """Rewrite parts of ``usecase.yaml``; None takes a section out."""
        import yaml

        file = self.folder / "usecase.yaml"
        document = yaml.safe_load(file.read_text()) | changes
        kept = {name: value for name, value in document.items() if value is not None}
        file.write_text(yaml.safe_dump(kept, sort_keys=False))

    def relabel(self, change: Any) -> None:
        """Rewrite the tickets, outcomes among them: a function of their table."""
        file = self.folder / "data" / "tickets.csv"
        change(pd.read_csv(file)).to_csv(file, index=False)

    @property
    def version(self) -> ModelVersion:
        """The one that is watched."""
        return client(self.uri).get_model_version("tickets", "1")

    def runs(self, kind: str) -> list[Run]:
        """Runs of a kind, the oldest first."""
        of = client(self.uri)
        found = of.get_experiment_by_name("tickets")
        assert found is not None
        order = ["attributes.start_time ASC"]
        return list(
            of.search_runs([found.experiment_id], f"tags.`mlops.kind` = '{kind}'", order_by=order, max_results=1000)
        )

    @property
    def parent(self) -> Run:
        """The run that carries figures over time."""
        (run,) = self.runs("monitor")
        return run

    @property
    def looks(self) -> list[Run]:
        """Runs of windows that finished."""
        return [run for run in self.runs("window") if run.info.status == "FINISHED"]

    def look(self, label: str) -> Run:
        """The newest at a window."""
        return next(run for run in reversed(self.looks) if run.data.params["window"] == label)

    def points(self, metric: str) -> list[tuple[int, int, float]]:
        """Step, time (ms) and value of a metric of the parent."""
        history = client(self.uri).get_metric_history(self.parent.info.run_id, metric)
        return sorted((point.step, point.timestamp, point.value) for point in history)

    def health(self, label: str) -> dict[tuple[str, str], str]:
        """Health of what the newest look at a window is about, by kind and subject; the worst of several."""
        order = ["ok", "insufficient data", "warning", "alarm"]
        found: dict[tuple[str, str], str] = {}
        for one in self.signals(label).itertuples():
            key = (str(one.kind), str(one.subject))
            found[key] = max(str(one.health), found.get(key, "ok"), key=order.index)
        return found

    def signals(self, label: str) -> pd.DataFrame:
        """All that was found in a window."""
        return pd.read_csv(self.file(label, "signals.csv"))

    def file(self, label: str, name: str) -> str:
        """An artifact of a window."""
        with self.entered():
            to = self.work / "downloads" / label
            to.mkdir(parents=True, exist_ok=True)
            return str(client(self.uri).download_artifacts(self.look(label).info.run_id, name, str(to)))


def in_production(parent: Path, migrated_store: Path, **changes: Any) -> Watched:
    """A version in Production that has not scored anything."""
    watched = Watched(parent, tickets(parent, **changes))
    shutil.copyfile(migrated_store, parent / "mlflow.db")
    mlops("run", watched.folder, cwd=parent)
    put_into_production(watched.uri, "tickets", "1")
    return watched
