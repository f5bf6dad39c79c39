"""The same lifecycle from a notebook: one call per stage, plain tables back."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_mlflow.lifecycle.display import Display
from mlops_mlflow.lifecycle.execute import run_stages
from mlops_mlflow.lifecycle.folder import load_folder
from mlops_mlflow.lifecycle.main import Result, run_main
from mlops_mlflow.lifecycle.plan import MAIN
from mlops_mlflow.lifecycle.session import Options, Session, open_session

if TYPE_CHECKING:
    import pandas as pd


class UseCase:
    """A use case whose stages are called one by one; each call gives the same runs as ``mlops run`` and a table.

    A stage that needs others runs them first; what has run in this object is not run again. Use it as a context
    manager, or call ``close`` at the end, which deletes temporary files.

    Args:
        path: Its folder, or ``usecase.yaml``.
        tracking_uri: An MLflow server or database; MLflow's own setting when left out.
        options: Other bounds of the data, and Evidently's summary.
        display: Shown while stages run; nothing when left out.

    Raises:
        UseCaseError: The use case is not consistent.
        TrackingError: The tracking server cannot be reached.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        tracking_uri: str | None = None,
        options: Options | None = None,
        display: Display | None = None,
    ) -> None:
        self._session: Session = open_session(
            load_folder(path), target=MAIN, tracking_uri=tracking_uri, options=options, display=display
        )
        self._result: Result | None = None

    def __enter__(self) -> UseCase:
        """The use case itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Delete temporary files."""
        self.close()

    def close(self) -> None:
        """Delete temporary files; runs stay."""
        self._session.close()

    @property
    def run_id(self) -> str:
        """The lifecycle's run."""
        return self._session.run_id

    def design(self) -> pd.DataFrame:
        """Check the use case; one row per criterion and requirement, with who answers for it."""
        return self._stage("design")

    def extract(self) -> pd.DataFrame:
        """Read and join the sources; the first 1,000 rows of the dataset."""
        return self._stage("extract")

    def explore(self) -> pd.DataFrame:
        """Profile the dataset; one row per column."""
        return self._stage("explore")

    def prepare(self) -> pd.DataFrame:
        """Divide the rows; one row per part."""
        return self._stage("prepare")

    def train(self) -> pd.DataFrame:
        """Tune and fit the candidates; one row per candidate, best first."""
        return self._stage("train")

    def evaluate(self) -> pd.DataFrame:
        """Compare the candidates on validation rows; one row per candidate, best first."""
        return self._stage("evaluate")

    def validate(self) -> pd.DataFrame:
        """Judge the chosen candidate on test rows; one row per criterion and requirement."""
        return self._stage("validate")

    def run(self) -> Result:
        """Everything that has not run yet, then registration and the transition to Staging if the verdict is passed.

        Called again it gives the same result: a version is registered once.
        """
        if self._result is None:
            with self._session.working():
                self._result = run_main(self._session)
        return self._result

    def _stage(self, stage: str) -> pd.DataFrame:
        if stage not in self._session.done:
            with self._session.working():
                run_stages(self._session, stage)
        module = importlib.import_module(f"mlops_mlflow.stages.{stage}")
        table: pd.DataFrame = module.table(self._session.output(stage))
        return table
