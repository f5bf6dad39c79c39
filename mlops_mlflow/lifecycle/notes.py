"""Markdown for the pages of MLflow's UI."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mlops_mlflow.cards.markup import markdown
from mlops_mlflow.core.judgement import Finding
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.stages.design.run import promises
from mlops_mlflow.tracking.tracker import Tracker


def experiment_note(spec: UseCaseSpec, tracker: Tracker) -> str:
    """What the experiment's page says: the question, what to look at, where."""
    runs = f"/#/experiments/{tracker.experiment_id}/runs?workflowType=machine_learning"
    model = f"/#/models/{spec.use_case}?workflowType=machine_learning"
    bounds = "\n".join(f"- {markdown(one.what)} ({one.checked_by})" for one in promises(spec))
    return (
        f"### {markdown(spec.question)}\n\n"
        f"Owners: {spec.owners.business} (business), {spec.owners.technical} (technical).\n\n"
        f"**What a model is held to**\n\n{bounds}\n\n"
        f"**Where to look**\n\n"
        f"- [Runs]({runs}): each lifecycle is a run. Its page says the verdict, and leads to the run of every stage, "
        f"new or reused, with its `card.html` under Artifacts.\n"
        f"- [Versions]({model}): only what passed `validate` is registered.\n"
        f"- Candidates side by side: tick the runs in `evaluate` and press Compare, or `mlops compare {spec.use_case}`."
        f"\n"
    )


@dataclass(frozen=True)
class StagePage:
    """What a lifecycle's page says of one stage.

    Attributes:
        stage: Its name.
        address: Of its run.
        headline: What its card says first.
        reused: Whether an earlier lifecycle ran it.
    """

    stage: str
    address: str
    headline: str
    reused: bool


_SIGNS = {"passed": "✓", "failed": "✗", "unknown": "?", "pending": "…"}


def verdict_note(verdict: str, chosen: str, findings: Sequence[Finding]) -> str:
    """The verdict first, then what it stands on, the gravest first."""
    order = ["failed", "unknown", "pending", "passed"]
    ranked = sorted(findings, key=lambda one: order.index(one.outcome))
    lines = "\n".join(
        f"- {_SIGNS[one.outcome]} {one.outcome}: **{markdown(one.subject, 200)}**: {markdown(one.reason, 400)}"
        for one in ranked
    )
    return f"**{_SIGNS[verdict]} {verdict}: {markdown(chosen, 200)}**, judged on test rows\n\n{lines}"


def run_note(verdict: str, use_case: str, pages: Sequence[StagePage]) -> str:
    """What to do now, and the stages: which ran, which were reused, what each found."""
    rows = "\n".join(
        f"| [{one.stage}]({one.address}) | {'reused' if one.reused else 'ran'} | {markdown(one.headline, 400)} |"
        for one in pages
    )
    told = "\n".join(f"- {line}" for line in _next(verdict, use_case, pages))
    return (
        f"**What to do next**\n\n{told}\n\n"
        f"**Stages, each with a `card.html` under Artifacts**; what is reused is the run of an earlier lifecycle.\n\n"
        f"| stage | | what it found |\n| --- | --- | --- |\n{rows}"
    )


def _next(verdict: str, use_case: str, pages: Sequence[StagePage]) -> Iterator[str]:
    judged = next((f"[the card of validate]({one.address})" for one in pages if one.stage == "validate"), "validate")
    if verdict == "passed":
        yield f"Read the model card: {judged}."
        yield f"Hold it against the model in Production, or the one before it: `mlops compare {use_case}`."
    else:
        yield f"Nothing was registered: {judged} says what is missed, by how much, and what may help."
