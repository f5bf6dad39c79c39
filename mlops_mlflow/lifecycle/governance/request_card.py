"""The page that an approver reads: what is asked, what the policy says, what supports it, how to answer."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_mlflow.cards.blocks import (
    Badge,
    Block,
    Card,
    Cell,
    Code,
    Findings,
    Fold,
    Heading,
    KeyValues,
    Remark,
    StatusName,
    Table,
)
from mlops_mlflow.cards.wording import counted, listed, of_metric, run_link
from mlops_mlflow.core.ledger.history import Request, RequestState
from mlops_mlflow.core.policy.decide import Case, Decision
from mlops_mlflow.core.policy.evidence import PARTS, TOLD, Evidence
from mlops_mlflow.core.policy.words import moment, remaining
from mlops_mlflow.governance.pages import people
from mlops_mlflow.lifecycle.compare.card import BADGES
from mlops_mlflow.lifecycle.governance import changes, criteria
from mlops_mlflow.lifecycle.governance.facts import LIFECYCLE, Facts, Known

NOT_ENFORCED = "not enforced"
_SIGN: dict[str, tuple[StatusName, str]] = {
    "met": ("ok", "met"),
    "missing": ("failed", "not met"),
    "spared": ("info", "not needed"),
    "overridden": ("warning", "overridden"),
}
_ENDED: dict[RequestState, str] = {
    "done": "is done",
    "rejected": "was rejected",
    "withdrawn": "was withdrawn",
    "lapsed": "has lapsed, which rejects it",
    "overtaken": "was overtaken: the version moved, or was deleted",
}


def request_card(
    case: Case, decision: Decision, request: Request, known: Known, *, enforced: bool = True, address: str | None = None
) -> Card:
    """The page of a request.

    Args:
        case: What the decision is about, as it is now.
        decision: What the policy says now.
        request: What is asked.
        known: What was read of the version and of the champion.
        enforced: Whether the registry is bound to the decision.
        address: Of the tracking server, where it has pages to link to.
    """
    is_open = request.state(case.now) == "open"
    blocks: list[Block] = [Findings(tuple(_first(case, decision, request, known, enforced=enforced)))]
    blocks += _judged(known)
    blocks += [Heading("What changed since the champion"), *changes.blocks(known)]
    if is_open:
        blocks += _people(case, decision, request)
        blocks += _rules(decision)
    else:
        blocks += _given(case, request)
    blocks += [Heading("Evidence"), *evidence_blocks(case.evidence)]
    if is_open:
        blocks += [Heading("Your answer"), Code(people.commands(request, decision, case.evidence))]
    blocks += [Heading("Where to look"), KeyValues(tuple(links(known, address)))] if known.facts.pages else []
    status, word = _status(case, decision, request)
    return Card(
        f"Request {request.name} · {case.transition.model}",
        _asked(request),
        status,
        _headline(case, decision, request),
        tuple(blocks),
        tuple(_key_figures(case, decision, known, enforced=enforced)),
        word=word,
    )


def _asked(request: Request) -> str:
    ways = f"version {request.version}: {request.begin} → {request.to}"
    return f"{ways} · asked by {request.actor.name} on {moment(request.time)} · lapses {moment(request.lapses)}"


def _status(case: Case, decision: Decision, request: Request) -> tuple[StatusName, str]:
    state = request.state(case.now)
    if state != "open":
        return ("ok" if state == "done" else "info"), state
    if decision.would_allow:
        return "ok", "nothing is missing"
    return ("failed", "refused") if people.other_missing(decision) else ("warning", "waits for approval")


def _headline(case: Case, decision: Decision, request: Request) -> str:
    """The policy's verdict, one sentence without a full stop."""
    version, state = f"version {request.version}", request.state(case.now)
    if state != "open":
        by = f" (record {request.ended_by})" if request.ended_by else ""
        return f"{request.name} {_ENDED[state]}{by}: {version} was to go from {request.begin} to {request.to}"
    if decision.would_allow:
        past = ", past the rules that were overridden" if decision.override else ""
        return f"{version.capitalize()} may go to {request.to}{past}: nothing is missing"
    waits, others = people.waits_for(decision), people.other_missing(decision)
    watched = "The policy only watches, and would say: " if decision.dry_run else ""
    if not others:
        approve = "approves" if len(waits) == 1 else "approve"
        sentence = f"version {request.version} may go to {request.to} once {listed(waits, 4)} {approve}"
    else:
        also = f"; {counted(len(waits), 'approval')} missing besides" if waits else ""
        reasons = "; ".join(f"{one.rule}: {one.reason}" for one in others[:2])
        more = f"; and {len(others) - 2} more" if len(others) > 2 else ""
        sentence = f"version {request.version} may not go to {request.to}: {reasons}{more}{also}"
    return f"{watched}{sentence}" if watched else sentence[:1].upper() + sentence[1:]


def _key_figures(case: Case, decision: Decision, known: Known, *, enforced: bool) -> Iterator[tuple[str, Cell]]:
    """What is asked, and by whom, stands above; these are what the answer leans on."""
    facts, comparison = known.facts, known.comparison
    if not enforced:
        yield "policy", Badge("warning", NOT_ENFORCED)
    if facts.verdict:
        yield "verdict", Badge(criteria.STATUS[facts.verdict], facts.verdict)
    if comparison is not None and comparison.main is not None:
        yield comparison.metric, of_metric(comparison.metric, comparison.main.figures[0].value, comparison.spec)
        yield "vs champion", BADGES[comparison.main.outcome()]
    elif facts.spec is not None and (first := next(iter(facts.intervals or facts.metrics), "")):
        yield first, of_metric(first, facts.metrics[first], facts.spec)
    needed = people.about_people(decision)
    if case.request is not None and needed:
        yield "approvals", f"{sum(one.outcome != 'missing' for one in needed)} of {len(needed)}"
        yield "lapses in", remaining(case.request.lapses - case.now)
    if facts.spec is not None:
        yield "risk", facts.spec.card.risk


def _first(case: Case, decision: Decision, request: Request, known: Known, *, enforced: bool) -> Iterator[Remark]:
    """What a reader has to know before the tables."""
    if request.comment.strip():
        yield Remark("info", f"{request.actor.name} says: {request.comment.strip()}")
    else:
        yield Remark("info", f"{request.actor.name} gives no reason.")
    if not enforced:
        yield not_enforced()
    if decision.dry_run:
        yield Remark("warning", "**Dry run**: the policy records what it would refuse, and stops nothing of this.")
    if decision.override:
        yield Remark("warning", f"**Override R{decision.override}**: rules that are not met are passed over.")
    if request.state(case.now) == "open":
        yield from _open(case, decision, request, known)
    reasons = " ".join(one.reason for one in decision.missing)
    for trouble in dict.fromkeys([*case.evidence.trouble.values(), *known.facts.gone]):
        if trouble not in reasons:
            yield Remark("warning", f"Not everything can be read: {trouble}.")
    for lost in known.champion.gone if known.champion else ():
        yield Remark("info", f"Of the champion: {lost}{_adopted(case, known)}.")


def _adopted(case: Case, known: Known) -> str:
    registration = case.history.registrations.get(known.champion.version) if known.champion else None
    return " (it was adopted as it was)" if registration is not None and registration.adopted else ""


def not_enforced() -> Remark:
    """What a plain server cannot do."""
    detail = "It is a plain MLflow server: whoever may write there can move the version all the same."
    return Remark("warning", f"**{NOT_ENFORCED}**: the server does not know the policy.", detail)


def _open(case: Case, decision: Decision, request: Request, known: Known) -> Iterator[Remark]:
    model, to = people.word(case.transition.model), request.to
    if decision.would_allow:
        yield Remark(
            "ok", f"Nothing is missing: `mlops request {model} --to {to} --version {request.version}` makes it."
        )
    for one in people.other_missing(decision):
        yield Remark("failed", f"**{one.rule}**: {one.reason}.", f"{one.todo}." if one.todo else "")
    for role, who in people.waiting(decision).items():
        said = f"**{role or 'Approval'}** waits for {who}."
        yield Remark("warning", said, f"`{people.approve(request, role, case.evidence)}`")
    if known.champion is not None and to == "Production":
        yield Remark("info", f"It would replace the champion, {known.champion.label}, which then goes to the archive.")


def _judged(known: Known) -> list[Block]:
    spec, facts = known.facts.spec, known.facts
    if spec is None or not facts.findings:
        lost = "What validate judged cannot be shown: its run is gone, or not what was written."
        return [Heading("What it was judged by"), Findings((Remark("unknown", lost),))]
    blocks: list[Block] = [Heading("What it was judged by"), criteria.table(known, spec)]
    if known.untold:
        blocks.append(Findings((Remark("unknown", f"The champion could not be compared: {known.untold}."),)))
    if worst := criteria.worst_slices(known, spec):
        blocks += [Heading("Worst slices"), *worst]
    return [*blocks, *criteria.metrics(facts, spec)]


def _people(case: Case, decision: Decision, request: Request) -> list[Block]:
    blocks: list[Block] = [Heading("Who has to agree")]
    if people.about_people(decision):
        blocks.append(people.table(decision))
    else:
        blocks.append(Findings((Remark("info", "The policy asks nobody for an approval."),)))
    approvals = people.given(case, request)
    if approvals:
        own = people.given_table(approvals, case)
        blocks.append(Fold(f"{counted(len(approvals), 'approval')} given so far", (own,)))
    return blocks


def _given(case: Case, request: Request) -> list[Block]:
    approvals = people.given(case, request)
    if not approvals:
        return []
    return [Heading("Who approved"), people.given_table(approvals, case)]


def _rules(decision: Decision) -> list[Block]:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (one.rule, Badge(*_SIGN[one.outcome]), one.reason, one.todo) for one in decision.findings
    )
    met = sum(one.outcome != "missing" for one in decision.findings)
    every = Table(("rule", "outcome", "why", "what would meet it"), rows)
    return [Fold(f"Every rule: {met} of {len(rows)} are met", (every,))]


def evidence_blocks(evidence: Evidence) -> list[Block]:
    """The digest, and the parts behind it."""
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (TOLD[part], f"`{people.short(evidence.parts.get(part, '')) or '–'}`", evidence.trouble.get(part, ""))
        for part in PARTS
    )
    said = f"`{people.short(evidence.digest)}`: an approval is of this, and lapses for roles whose part of it changes."
    parts = Table(("part", "digest", "trouble"), rows, "SHA-256, the first digits; whole ones are in the JSON.")
    return [Findings((Remark("info", said),)), Fold("Part by part", (parts,))]


def links(known: Known, address: str | None) -> Iterator[tuple[str, Cell]]:
    """Where the runs are, with their own cards."""
    yield from _links(known.facts, "this version", address)
    if known.champion is not None:
        yield from _links(known.champion, "the champion", address)


def _links(facts: Facts, of: str, address: str | None) -> Iterator[tuple[str, Cell]]:
    for stage, what in (("validate", "model card"), ("evaluate", "candidates"), (LIFECYCLE, "lifecycle")):
        page = facts.pages.get(stage)
        if page is not None:
            yield f"{what} of {of}", run_link(page.run_id, page.path, address)
