"""One row through the pipeline: where it came from, what the model saw and said, why, and what that was worth.

Everything is read from the runs that made the model, the use case as it was then included; nothing is run or written.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlops_mlflow.core.errors import UseCaseError
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.profiles import TableProfile
from mlops_mlflow.core.splits import PARTS
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.parse import parse_use_case
from mlops_mlflow.engines.tables import read_rows
from mlops_mlflow.lifecycle.folder import FILE, load_folder
from mlops_mlflow.lifecycle.row.model import ShownModel, choose_model
from mlops_mlflow.lifecycle.row.search import FoundRow, find_row
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.tracker import Tracker, open_tracker

if TYPE_CHECKING:
    import pandas as pd

    from mlops_mlflow.learning.contributions import Contributions
    from mlops_mlflow.learning.target import Outcomes


@dataclass(frozen=True)
class RowStory:
    """One row, from the sources to what its prediction was worth.

    Attributes:
        spec: The use case as it was when the model was made.
        key: What was asked for.
        model: Which model.
        sources: Name and address of each source.
        place: Where the row is.
        part: ``train``, ``validation`` or ``test``.
        row: What the model took; one row.
        derived: Columns that ``derive`` made of it; one row.
        among: The same columns of the background rows.
        reference: Profile of the train rows.
        made: Outcome and prediction of the row.
        outcomes: Labels of the target.
        threshold: At which the model says yes; None where there is none.
        why: The contribution of each column.
    """

    spec: UseCaseSpec
    key: str
    model: ShownModel
    sources: tuple[tuple[str, str], ...]
    place: FoundRow
    part: str
    row: pd.DataFrame
    derived: pd.DataFrame
    among: pd.DataFrame
    reference: TableProfile
    made: Predictions
    outcomes: Outcomes
    threshold: float | None
    why: Contributions


def follow_row(
    use_case: str | Path, key: str, *, version: int | None = None, run_id: str | None = None, number: int = 1
) -> RowStory:
    """Follow one row through the stages that made a model, and explain what the model said of it.

    Args:
        use_case: Its folder; only its name and its word on examples are taken from there.
        key: Value of the entity key; the row's number in the dataset, from 0, where the use case has no key.
        version: Registered version of the model; by default that of the newest finished lifecycle.
        run_id: Run of a lifecycle, instead.
        number: Which of several rows with this key, from 1.

    Raises:
        UseCaseError: Values of single rows may not be shown, or there is no such use case.
        TrackingError: There is no such run, or what it stood on is gone.
        RegistryError: There is no such version.
        DataError: There is no such row, or it was set aside.
    """
    folder = load_folder(use_case)
    _allowed(folder.spec, str(folder.path / FILE))
    tracker = open_tracker(folder.spec.use_case, create=False)
    model = choose_model(tracker, folder.spec.use_case, version, run_id)
    with translated("make a temporary folder", uri=tracker.shown_uri):
        scratch = tempfile.TemporaryDirectory(prefix="mlops-")
    with scratch as name:
        return _Follower(tracker, model, Path(name)).follow(key, number)


def _allowed(spec: UseCaseSpec, where: str) -> None:
    if not spec.card.examples:
        raise UseCaseError(
            f"{where} says `card: {{examples: false}}`: values of single rows may not be shown",
            expected="a use case that allows examples",
            hint="ask its owner; with `examples: true`, run the use case again and then this command",
        )


@dataclass(frozen=True)
class _Follower:
    """Reads what the runs of one lifecycle left."""

    tracker: Tracker
    model: ShownModel
    scratch: Path

    def follow(self, key: str, number: int) -> RowStory:
        from mlops_mlflow.learning.features import derive
        from mlops_mlflow.learning.package import build_package
        from mlops_mlflow.learning.target import recognise

        spec, modules = self._use_case()
        path = self._file("extract", "dataset.parquet")
        place = self._find(path, spec, key, number)
        outcome = read_rows(path, [spec.target.column], None)[spec.target.column]
        outcomes = recognise(outcome, spec.target)
        parts = read_rows(self._file("prepare", "parts.parquet"), ["part"], None)["part"].to_numpy()
        package = build_package(spec.use_case, modules, spec.features.module, self.scratch)
        columns = self._json("prepare", "features.json")["columns"]
        row, background = _with_background(path, columns, place.number, parts, seed=spec.seed)
        derived, among = (derive(table, package) for table in (row, background))
        added = [name for name in derived if name not in columns]
        made, threshold, why = self._predicted(spec, outcomes, outcome.iloc[place.number], row, background)
        return RowStory(
            spec,
            key,
            self.model,
            self._sources(spec),
            place,
            PARTS[parts[place.number]],
            row,
            derived[added],
            among[added],
            TableProfile.from_dict(self._json("prepare", "reference_profile.json")),
            made,
            outcomes,
            threshold,
            why,
        )

    def _use_case(self) -> tuple[UseCaseSpec, dict[str, str]]:
        """The use case and its Python files as they were."""
        where = f"the use case of the run {self.model.runs['design']}"
        spec = parse_use_case(self._text("design", f"use_case/{FILE}"), file=where)
        _allowed(spec, where)
        modules = [name for name in self._listed("design", "use_case") if name.endswith(".py")]
        return spec, {Path(name).name: self._text("design", name) for name in modules}

    def _find(self, path: Path, spec: UseCaseSpec, key: str, number: int) -> FoundRow:
        """The row in the dataset; of one that was set aside, the rule that it broke."""
        quarantine = None
        if "quarantine.parquet" in self._listed("extract"):
            quarantine = self._file("extract", "quarantine.parquet")
        return find_row(path, quarantine, spec, key, number)

    def _predicted(
        self, spec: UseCaseSpec, outcomes: Outcomes, actual: Any, row: pd.DataFrame, background: pd.DataFrame
    ) -> tuple[Predictions, float | None, Contributions]:
        from mlops_mlflow.learning.contributions import contributions
        from mlops_mlflow.learning.predict import predictions, predictor
        from mlops_mlflow.tracking.models import load_model

        with translated(f"load the model {self.model.candidate}", uri=self.tracker.shown_uri):
            estimator, _ = load_model(f"models:/{self.model.model_id}", self.scratch / "model")
        predict = predictor(estimator, outcomes)
        made = predictions(predict, row, np.array([actual], dtype=object), outcomes, spec.value)

        def figure(table: pd.DataFrame) -> NDArray[np.float64]:
            """What is explained: the number, the probability of yes, or that of the predicted class."""
            decided, scores = predict(table)
            if scores is None:
                return np.asarray(decided, dtype=float)
            return np.asarray(scores[:, explained_class(made)], dtype=float)

        why = contributions(figure, row, background, seed=spec.seed)
        return made, getattr(estimator, "threshold", None), why

    def _sources(self, spec: UseCaseSpec) -> tuple[tuple[str, str], ...]:
        """Name and address of each source, as extract wrote them down: without a password."""
        with translated("read the run of extract", uri=self.tracker.shown_uri):
            inputs = self.tracker.client.get_run(self.model.runs["extract"]).inputs.dataset_inputs
        read = {one.dataset.name: json.loads(one.dataset.source).get("uri", "") for one in inputs}
        return tuple((name, read.get(f"{spec.use_case}.{name}", "")) for name in spec.sources)

    def _listed(self, stage: str, folder: str | None = None) -> list[str]:
        with translated(f"list the artifacts of {stage}", uri=self.tracker.shown_uri):
            return [one.path for one in self.tracker.client.list_artifacts(self.model.runs[stage], folder)]

    def _file(self, stage: str, path: str) -> Path:
        target = self.scratch / stage
        with translated(f"read {path}, which {stage} left", uri=self.tracker.shown_uri):
            target.mkdir(exist_ok=True)
            return Path(self.tracker.client.download_artifacts(self.model.runs[stage], path, str(target)))

    def _json(self, stage: str, path: str) -> Any:
        return json.loads(self._text(stage, path))

    def _text(self, stage: str, path: str) -> str:
        return self._file(stage, path).read_text(encoding="utf-8")


def explained_class(made: Predictions) -> int:
    """Number of the class whose probability is explained: yes, or of several classes the predicted one."""
    return 1 if made.task == "binary" else int(made.decided[0])


def _with_background(
    path: Path, columns: list[str], number: int, parts: NDArray[Any], *, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The row, and a sample of the train rows, read at once so that their types agree."""
    from mlops_mlflow.learning.contributions import background_size

    train = np.flatnonzero(parts == PARTS.index("train"))
    size = min(len(train), background_size(len(columns)))
    chosen = np.sort(np.random.default_rng(seed).choice(train, size, replace=False))
    table = read_rows(path, columns, np.r_[number, chosen])
    return table.iloc[:1], table.iloc[1:].reset_index(drop=True)
