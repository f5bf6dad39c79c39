"""The whole lifecycle: every stage, then registration and the transition to Staging."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlops_mlflow.core.judgement import Finding
from mlops_mlflow.core.ledger.history import Request
from mlops_mlflow.core.plain import from_plain
from mlops_mlflow.core.policy.document import Policy
from mlops_mlflow.core.policy.rules import rules_for
from mlops_mlflow.core.records import Dataset, Metric, ModelUse, Note, Param, Tag
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.governance.desk.arrivals import Arrival, Entered
from mlops_mlflow.governance.desk.desk import Desk
from mlops_mlflow.governance.evidence import DESIGN_RUN, VALIDATE_RUN, digest_of_champions
from mlops_mlflow.governance.registration import Find, register
from mlops_mlflow.governance.shelf import Version
from mlops_mlflow.lifecycle.execute import run_stages
from mlops_mlflow.lifecycle.governance.publishing import public_desk
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
        request: For Staging, where that waits for people.
        needs: Who has to approve before Production, as the policy and the use case say.
        run_id: The lifecycle's run.
        seconds: Of each stage.
    """

    verdict: str
    chosen: str
    findings: tuple[Finding, ...]
    version: Version | None
    request: Request | None
    needs: tuple[str, ...]
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
    version = request = None
    needs = tuple[str, ...]()
    if outcome.verdict == "passed":
        desk = public_desk(
            session.tracker, tell=session.display.say, environment=dict(session.environment), cards=False
        )
        entered = _register(session, outcome, desk)
        version, request = entered.version, entered.request
        needs = _needs(session.folder.spec, desk.policy)
        session.tag({"mlops.version": version.number, "mlops.registry_stage": version.registry_stage})
    seconds = {stage: done.seconds for stage, done in session.done.items()}
    return Result(outcome.verdict, outcome.chosen, outcome.findings, version, request, needs, session.run_id, seconds)


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


def _register(session: Session, outcome: _Outcome, desk: Desk) -> Entered:
    spec = session.folder.spec
    tags = {
        "mlops.verdict": outcome.verdict,
        "mlops.candidate": outcome.chosen,
        VALIDATE_RUN: session.done["validate"].run_id,
        DESIGN_RUN: session.done["design"].run_id,
    }
    found = Find(
        session.done["evaluate"].identity,
        session.library.models[outcome.model],
        session.run_id,
        tags,
        _description(session, outcome),
    )
    own = spec.model_dump(mode="json", include={"governance", "requirements"})
    champion = [session.champion.source] if session.champion else []
    arrival = Arrival(
        {**own, "technical_owner": spec.owners.technical},
        digest_of_champions(champion),
        {stage: session.done[stage].run_id for stage in ("design", "validate")},
        session.working_copy,
    )
    return register(session.tracker, desk, spec.use_case, found, arrival)


def _needs(spec: UseCaseSpec, policy: Policy) -> tuple[str, ...]:
    """Who has to approve before Production."""
    rules = rules_for(policy, "Production", spec.governance, spec.requirements)
    some = rules.stage.approvers - sum(rules.stage.approvals.values())
    return (*rules.roles, *(["somebody else than the author"] if some > 0 else []))


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
