"""How good the chosen model was on test rows, as windows of production will be held against."""

from __future__ import annotations

from mlops_mlflow.core.monitoring.reference import ReferencePerformance, reference_performance
from mlops_mlflow.engines.tables import read_rows
from mlops_mlflow.learning.problem import Problem, Rows, watched_columns, watched_metrics, watched_slices
from mlops_mlflow.stages.validate.criteria import Measured


def reference(problem: Problem, measured: Measured, rows: Rows, block: str) -> ReferencePerformance:
    """Figures of the chosen model with their errors, whole and by the slices that are watched.

    Args:
        problem: The learning problem.
        measured: The predictions of the test rows, and the blocks that these are of.
        rows: The test rows.
        block: What the blocks are.
    """
    spec, columns = problem.spec, watched_columns(problem.spec)
    # Read apart from the columns that describe a row: another slice to watch must not make another model.
    about = read_rows(problem.path, list(columns), rows.numbers) if columns else rows.about
    return reference_performance(
        measured.chosen,
        measured.blocks,
        block,
        metrics=problem.metrics,
        slices=watched_slices(spec, about),
        slice_metrics=watched_metrics(spec, problem.outcomes.task),
        seed=spec.seed,
    )
