"""What monitoring has seen of a version: one parent run that carries figures over time, one child for each look.

A look at a window that was there before `supersedes` it. MLflow appends, so nothing is changed: of the children of a
window the newest finished one counts, and the parent gets its point when the window is closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from mlops_mlflow.cards.blocks import Card
from mlops_mlflow.cards.page import to_html, to_markdown
from mlops_mlflow.core.monitoring.due import Look
from mlops_mlflow.core.monitoring.health import Health
from mlops_mlflow.core.monitoring.windows import Window
from mlops_mlflow.core.profiles import TableProfile
from mlops_mlflow.governance.shelf import Version
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.process import ALIVE, PROCESS, signs
from mlops_mlflow.tracking.tracker import KIND, STAGE, USE_CASE, Tracker

MONITOR, WINDOW = "monitor", "window"
"""Kinds of run: the parent of a version, and a look at a window."""
VERSION, NUMBER, CLOSED, HEALTH, SUPERSEDES = (
    "mlops.version",
    "mlops.window_number",
    "mlops.closed",
    "mlops.health",
    "mlops.supersedes",
)
HEADLINE = "mlops.headline"
WINDOWS = "mlops.windows"
"""What the windows of a parent are."""
TOLD = "mlops.told_health"
"""Health that people were last told of."""
PROFILE = "profile.json"


@dataclass
class Watch:
    """A version that is watched.

    Attributes:
        tracker: Where its runs are.
        version: Which.
        run_id: The parent run.
        told: Health that people were last told of; empty before the first time.
        shown: Whether all that it has seen is shown; not where it was killed or failed on the way.
        looks: The newest at each window, by number.
        figures: Of each of them.
    """

    tracker: Tracker
    version: Version
    run_id: str
    told: str = ""
    shown: bool = False
    looks: dict[int, Look] = field(default_factory=dict)
    figures: dict[int, Mapping[str, float]] = field(default_factory=dict)

    def point(self, window: Window, figures: Mapping[str, float]) -> None:
        """Log a closed window's figures on the parent: at its number, at the time of its end.

        The same figures again are the same points, which MLflow keeps once.
        """
        from mlflow.entities import Metric

        at = int(window.end.timestamp() * 1000)
        points = [Metric(name, value, at, window.number) for name, value in figures.items()]
        with translated("log the figures of a window", uri=self.tracker.shown_uri):
            self.tracker.client.log_batch(self.run_id, metrics=points)

    def add(self, look: Look, figures: Mapping[str, float]) -> None:
        """Know a look that has finished."""
        self.looks[look.window.number] = look
        self.figures[look.window.number] = figures

    def profile(self, number: int, folder: Path) -> TableProfile | None:
        """Profile of a window that was looked at; None where there is none or its file is gone."""
        import json

        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        look = self.looks.get(number)
        if look is None:
            return None
        uri = self.tracker.uri
        try:
            file = download_artifacts(run_id=look.run_id, artifact_path=PROFILE, dst_path=str(folder), tracking_uri=uri)
            return TableProfile.from_dict(json.loads(Path(file).read_text(encoding="utf-8")))
        except (MlflowException, OSError, ValueError, KeyError):
            return None

    def show(self, card: Card, tags: Mapping[str, str]) -> None:
        """Put the overview, and tags, on the parent run."""
        from mlops_mlflow.tracking.writer import NOTE

        with translated("show what monitoring has seen", uri=self.tracker.shown_uri):
            self.tracker.client.log_text(self.run_id, to_html(card), "card.html")
        self.tag({**tags, NOTE: f"{to_markdown(card)}\n\nThe whole page is `card.html` under Artifacts."})

    def tag(self, tags: Mapping[str, str]) -> None:
        """Tag the parent run."""
        from mlflow.entities import RunTag

        with translated("tag the run of monitoring", uri=self.tracker.shown_uri):
            self.tracker.client.log_batch(self.run_id, tags=[RunTag(*pair) for pair in tags.items()])


def open_watch(tracker: Tracker, use_case: str, version: Version, windows: str) -> Watch:
    """The watch over a version, with all that it has seen; begun now where there is none.

    Args:
        tracker: The use case's experiment.
        use_case: Its name.
        version: Which.
        windows: What its windows are; a watch with others, whose numbers mean something else, is another one.

    Raises:
        TrackingError: The server refuses.
    """
    own = {KIND: MONITOR, VERSION: version.number, WINDOWS: windows}
    mine = " and ".join(f"tags.`{name}` = '{value}'" for name, value in own.items())
    with translated("look for earlier monitoring", uri=tracker.shown_uri):
        runs = tracker.client.search_runs([tracker.experiment_id], mine, order_by=["attributes.start_time ASC"])
    if not runs:
        tags = {STAGE: MONITOR, USE_CASE: use_case, **own, **signs()}
        return Watch(tracker, version, tracker.create_run(f"monitor version {version.number}", tags))
    parent = runs[0]
    shown = parent.info.status == "FINISHED"
    watch = Watch(tracker, version, parent.info.run_id, parent.data.tags.get(TOLD, ""), shown)
    for run in _children(watch):
        watch.add(_look(run), run.data.metrics)
    return watch


@contextmanager
def working(watch: Watch) -> Iterator[None]:
    """Show the parent as running meanwhile."""
    from mlflow.entities import RunTag

    tracker = watch.tracker
    with translated("go on with monitoring", uri=tracker.shown_uri):
        tracker.reopen_run(watch.run_id)
        now = [RunTag(name, value) for name, value in signs().items() if name in (PROCESS, ALIVE)]
        tracker.client.log_batch(watch.run_id, tags=now)
    try:
        yield
    except KeyboardInterrupt:
        tracker.end_run(watch.run_id, "KILLED")
        raise
    except BaseException:
        tracker.end_run(watch.run_id, "FAILED")
        raise
    tracker.end_run(watch.run_id, "FINISHED")


def _children(watch: Watch) -> Iterator[Any]:
    """Finished looks, the oldest first."""
    from mlflow.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID

    tracker, token = watch.tracker, None
    mine = f"tags.`{MLFLOW_PARENT_RUN_ID}` = '{watch.run_id}' and attributes.status = 'FINISHED'"
    while True:
        with translated("read earlier monitoring", uri=tracker.shown_uri):
            page = tracker.client.search_runs(
                [tracker.experiment_id], mine, order_by=["attributes.start_time ASC"], page_token=token
            )
        yield from (run for run in page if run.data.tags.get(KIND) == WINDOW)
        token = page.token
        if not token:
            return


def _look(run: Any) -> Look:
    told, tags, metrics = run.data.params, run.data.tags, run.data.metrics
    begin, end = (datetime.fromisoformat(told[name]).astimezone(UTC) for name in ("begin", "end"))
    return Look(
        Window(int(tags[NUMBER]), told["window"], begin, end),
        run.info.run_id,
        tags[CLOSED] == "yes",
        int(metrics.get("rows", 0) + metrics.get("rows_rejected", 0)),
        cast("Health", tags[HEALTH]),
        tags.get(HEADLINE, ""),
    )
