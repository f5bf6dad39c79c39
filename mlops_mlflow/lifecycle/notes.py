"""Markdown for the pages of MLflow's UI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlops_mlflow.cards.markup import markdown
from mlops_mlflow.cards.wording import counted, listed
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
_WEIGHTS = ("failed", "unknown", "pending", "passed")


def verdict_note(verdict: str, chosen: str, findings: Sequence[Finding]) -> str:
    """The verdict first, then what it stands on, the gravest first; not what people have yet to say, which changes."""
    judged = [one for one in findings if one.outcome != "pending"]
    return f"{_verdict(verdict, chosen, findings)}.\n\n{_told(judged)}"


def lifecycle_note(
    use_case: str, verdict: str, chosen: str, findings: Sequence[Finding], pages: Sequence[StagePage]
) -> str:
    """What a lifecycle came to, what to do now, what it stands on, and what each stage found.

    MLflow's page shows some five lines until somebody asks for more, so the answer and what to do fit into these.
    """
    judged = next((one.address for one in pages if one.stage == "validate"), "")
    if verdict == "passed":
        then = f". Read [the model card]({judged}); hold it against the model in Production: `mlops compare {use_case}`"
    else:
        missed = f"[the card of validate]({judged}) says what is missed, by how much, and what may help"
        then = f" and is not registered: {missed}"
    reused = listed([one.stage for one in pages if one.reused], len(pages))
    again = f"Nothing had changed for {reused}: reused from earlier lifecycles.\n\n" if reused else ""
    rows = "\n".join(
        f"| [{one.stage}]({one.address}) | {'reused' if one.reused else 'ran'} | {markdown(one.headline, 400)} |"
        for one in pages
    )
    return (
        f"{_verdict(verdict, chosen, findings)}{then}.\n\n{again}{_told(findings)}\n\n"
        f"**Stages, each with a `card.html` under Artifacts**\n\n"
        f"| stage | | what it found |\n| --- | --- | --- |\n{rows}"
    )


def _verdict(verdict: str, chosen: str, findings: Sequence[Finding]) -> str:
    checked = [one for one in findings if one.outcome != "pending"]
    kept = sum(one.outcome == "passed" for one in checked)
    held = f"keeps {kept} of {counted(len(checked), 'bound')} on test rows"
    return f"**{_SIGNS[verdict]} {verdict}: {markdown(chosen, 200)}** {held}"


def _told(findings: Sequence[Finding]) -> str:
    ranked = sorted(findings, key=lambda one: _WEIGHTS.index(one.outcome))
    return "\n".join(
        f"- {_SIGNS[one.outcome]} {one.outcome}: **{markdown(one.subject, 200)}**: {markdown(one.reason, 400)}"
        for one in ranked
    )
