"""Markdown for the pages of MLflow's UI."""

from __future__ import annotations

from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.stages.design.run import describe
from mlops_mlflow.tracking.tracker import Tracker


def experiment_note(spec: UseCaseSpec, tracker: Tracker) -> str:
    """What the experiment's page says: the question, what to look at, where."""
    runs = f"/#/experiments/{tracker.experiment_id}/runs?workflowType=machine_learning"
    model = f"/#/models/{spec.use_case}?workflowType=machine_learning"
    bounds = "\n".join(f"- {describe(one)}" for one in spec.success)
    return (
        f"### {spec.question}\n\n"
        f"Owners: {spec.owners.business} (business), {spec.owners.technical} (technical).\n\n"
        f"**Success**\n\n{bounds}\n\n"
        f"**What to look at**\n\n"
        f"- [Runs]({runs}): each lifecycle is a run, its stages are nested in it; every stage has a `card.html` "
        f"under Artifacts.\n"
        f"- Compare candidates: tick the nested runs of `evaluate` and press Compare; trials are nested in `train`.\n"
        f"- [Versions]({model}): only what passed `validate` is registered.\n"
    )
