"""The whole lifecycle: every stage, then registration and the transition to Staging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops_mlflow.core.judgement import Finding
from mlops_mlflow.core.records import Metric, ModelUse, Note, Param, Tag
from mlops_mlflow.governance.registry import Version, register
from mlops_mlflow.lifecycle.execute import run_stages
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
    validated = session.done["validate"].output
    evaluated = session.done["evaluate"].output
    _summarise(session, validated, evaluated)
    version = None
    if validated.verdict == "passed":
        version = _register(session, validated, evaluated)
        session.tag({"mlops.version": version.number, "mlops.registry_stage": version.registry_stage})
    seconds = {stage: done.seconds for stage, done in session.done.items()}
    return Result(validated.verdict, evaluated.chosen, validated.findings, version, session.run_id, seconds)


def _register(session: Session, validated: Any, evaluated: Any) -> Version:
    spec = session.folder.spec
    tags = {
        "mlops.verdict": validated.verdict,
        "mlops.candidate": evaluated.chosen,
        "mlops.approvals_pending": ", ".join(finding.role for finding in validated.pending) or "none",
    }
    return register(
        session.tracker,
        spec.use_case,
        model_id=session.library.models[evaluated.model],
        run_id=session.run_id,
        tags=tags,
        description=_description(session, validated, evaluated.chosen),
        stage=not any(finding.before == "Staging" for finding in validated.pending),
    )


def _summarise(session: Session, validated: Any, evaluated: Any) -> None:
    """Put on the lifecycle's run what lifecycles are compared by: choice, parameters, test figures, verdict."""
    writer = session.writer(session.run_id)
    problem = session.done["prepare"].output.problem
    fitted = next(one for one in session.done["train"].output.fitted if one.name == evaluated.chosen)
    for name, value in {"chosen": evaluated.chosen, **fitted.params}.items():
        writer(Param(name, value))
    for name, figure in validated.metrics.items():
        if np.isfinite(figure):
            writer(Metric(name, figure, model=evaluated.model, dataset=problem.dataset("test")))
    writer(problem.input("test"))
    writer(ModelUse(evaluated.model, "output"))
    writer(Tag("mlops.verdict", validated.verdict))
    writer(Note(_note(session, validated, evaluated.chosen)))
    writer.close("FINISHED")


def _note(session: Session, validated: Any, chosen: str) -> str:
    pages = "\n".join(f"- [{stage}]({session.tracker.page(done.run_id)})" for stage, done in session.done.items())
    head = f"**{validated.verdict}**: {chosen}\n\n{_findings(validated)}"
    return f"{head}\n\nStages, each with a `card.html`:\n\n{pages}"


def _description(session: Session, validated: Any, chosen: str) -> str:
    page = session.tracker.page(session.done["validate"].run_id)
    head = f"{session.folder.spec.question}\n\n**{validated.verdict}**: {chosen}, on test rows."
    return (
        f"{head}\n\n{_findings(validated)}\n\n"
        f"The model card is `model_card.html` among the model's artifacts, and on [the run of validate]({page})."
    )


def _findings(validated: Any) -> str:
    return "\n".join(f"- {one.outcome}: {one.subject}: {one.reason}" for one in validated.findings)
