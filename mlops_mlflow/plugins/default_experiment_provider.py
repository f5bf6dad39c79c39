"""Runs that ``mlflow run`` begins for a use case go to the use case's experiment, unless told otherwise.

MLflow asks this provider only where no experiment was given by option, environment or code.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

DEFAULT_USE_CASE = "projects/flight_delays"


class UseCaseExperiment:
    """Gives ``mlflow run URI [-P use_case=...]`` the experiment named after the use case.

    It has the methods of MLflow's ``DefaultExperimentProvider`` and does not inherit from it: MLflow asks for no more,
    and importing it here would import MLflow, which loads this module, which would not be complete yet.
    """

    def in_context(self) -> bool:
        """Whether this process is ``mlflow run`` of a local project with a use case."""
        return _use_case(sys.argv) is not None

    def get_experiment_id(self) -> str:
        """Id of the use case's experiment, created if need be."""
        import mlflow
        import yaml

        from mlops_mlflow.tracking.tracker import ensure_experiment

        file = _use_case(sys.argv)
        if file is None:
            raise LookupError("this process runs no use case")
        name = yaml.safe_load(file.read_text(encoding="utf-8"))["use_case"]
        return ensure_experiment(mlflow.MlflowClient(), name)


def _use_case(argv: list[str]) -> Path | None:
    """The ``usecase.yaml`` that the command line of ``mlflow run`` leads to, if it does."""
    if len(argv) < 3 or Path(argv[0]).name not in {"mlflow", "mlflow.exe"} or argv[1] != "run":
        return None
    given = [found[1] for word in argv if (found := re.fullmatch(r"(?:-P|--param-list=)?use_case=(.*)", word))]
    for project in (Path(word) for word in argv[2:]):
        if (project / "MLproject").is_file():
            for folder in given or [".", DEFAULT_USE_CASE]:
                if (project / folder / "usecase.yaml").is_file():
                    return project / folder / "usecase.yaml"
    return None
