"""The whole lifecycle: every stage, then registration and the transition to Staging."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops_mlflow.core.judgement import Finding
from mlops_mlflow.core.plain import from_plain
from mlops_mlflow.core.records import Dataset, Metric, ModelUse, Note, Param, Tag
from mlops_mlflow.governance.registry import Version, register
from mlops_mlflow.lifecycle.execute import run_stages
from mlops_mlflow.lifecycle.notes import StagePage, lifecycle_note, verdict_note
from mlops_mlflow.lifecycle.plan import MAIN
from mlops_mlflow.lifecycle.session import Session


@dataclass(frozen=True)
class Result:
    """How a lifecycle ended.

    Attributes:
        verdict: ``passed``, ``failed`` or ``unknown``.
        chosen: The candidate.
        findings: What the verdict stands on.
        version: What was registered; None unless the verdict is ``passed``.
        run_id: The lifecycle's run.
        seconds: Of each stage.
    """

    verdict: str
    chosen: str
    findings: tuple[Finding, ...]
    version: Version | None
    run_id: str
    seconds: dict[str, float]


def run_main(session: Session) -> Result:
    """Run what is missing, register what passed.

    Raises:
        MlopsError: A stage could not do its work, or the registry refused.
    """
    run_stages(session, MAIN)
    outcome = _outcome(session)
    _summarise(session, outcome)
    version = None
    if outcome.verdict == "passed":
        version = _register(session, outcome)
        session.tag({"mlops.version": version.number, "mlops.registry_stage": version.registry_stage})
    seconds = {stage: done.seconds for stage, done in session.done.items()}
    return Result(outcome.verdict, outcome.chosen, outcome.findings, version, session.run_id, seconds)


@dataclass(frozen=True)
class _Outcome:
    """What the stages found, whether they ran now or earlier."""

    verdict: str
    chosen: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    findings: tuple[Finding, ...]
    dataset: Dataset
    model: str

    @property
    def pending(self) -> tuple[Finding, ...]:
        """Approvals that people still have to give."""
        return tuple(finding for finding in self.findings if finding.outcome == "pending")


def _outcome(session: Session) -> _Outcome:
    trained, evaluated, validated = (session.done[stage].facts for stage in ("train", "evaluate", "validate"))
    chosen = evaluated["chosen"]
    return _Outcome(
        validated["verdict"],
        chosen,
        next(one["params"] for one in trained["fitted"] if one["name"] == chosen),
        validated["metrics"],
        from_plain(tuple[Finding, ...], validated["findings"]),
        from_plain(Dataset, validated["dataset"]),
        evaluated["model"],
    )


def _register(session: Session, outcome: _Outcome) -> Version:
    spec = session.folder.spec
    tags = {
        "mlops.verdict": outcome.verdict,
        "mlops.candidate": outcome.chosen,
        "mlops.validate_run": session.done["validate"].run_id,
        "mlops.approvals_pending": ", ".join(finding.role for finding in outcome.pending) or "none",
    }
    return register(
        session.tracker,
        spec.use_case,
        result=session.done["evaluate"].identity,
        model_id=session.library.models[outcome.model],
        run_id=session.run_id,
        tags=tags,
        description=_description(session, outcome),
        stage=not any(finding.before == "Staging" for finding in outcome.pending),
    )


def _summarise(session: Session, outcome: _Outcome) -> None:
    """Put on the lifecycle's run what lifecycles are compared by: choice, parameters, test figures, verdict."""
    writer = session.writer(session.run_id)
    for name, value in {"chosen": outcome.chosen, **outcome.params}.items():
        writer(Param(name, value))
    writer(outcome.dataset)
    for name, figure in outcome.metrics.items():
        if np.isfinite(figure):
            writer(Metric(name, figure, model=outcome.model, dataset=outcome.dataset.name))
    writer(ModelUse(outcome.model, "output"))
    writer(Tag("mlops.verdict", outcome.verdict))
    writer(Note(_note(session, outcome)))
    writer.close("FINISHED")


def _note(session: Session, outcome: _Outcome) -> str:
    pages = [
        StagePage(stage, session.tracker.page(done.run_id), done.headline, done.reused)
        for stage, done in session.done.items()
    ]
    use_case = session.folder.spec.use_case
    return lifecycle_note(use_case, outcome.verdict, outcome.chosen, outcome.findings, pages)


def _description(session: Session, outcome: _Outcome) -> str:
    page = session.tracker.page(session.done["validate"].run_id)
    return (
        f"{session.folder.spec.question}\n\n"
        f"{verdict_note(outcome.verdict, outcome.chosen, outcome.findings)}\n\n"
        f"The model card is `model_card.html` among the model's artifacts, and on [the run of validate]({page})."
    )
