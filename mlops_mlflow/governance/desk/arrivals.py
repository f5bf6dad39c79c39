"""How versions come under the policy: registered by a lifecycle, or taken over as they are."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.history import Registration, Request
from mlops_mlflow.core.ledger.origin import ORIGIN, Origin, Since
from mlops_mlflow.core.policy.decide import Decision, decide
from mlops_mlflow.core.policy.evidence import Evidence
from mlops_mlflow.core.policy.rules import rules_of
from mlops_mlflow.core.policy.transitions import ALIASES
from mlops_mlflow.governance.desk.desk import Desk, Matter, RefusedError, known, needs
from mlops_mlflow.governance.desk.requests import ask, in_vain, is_hopeless
from mlops_mlflow.governance.desk.transitions import STAGE_TAG, SUPERSEDED, Moves, apply, follow
from mlops_mlflow.governance.evidence import champion_digest
from mlops_mlflow.governance.shelf import Shelf, Version
from mlops_mlflow.governance.working_copy import WorkingCopy

RUNS = "runs"


@dataclass(frozen=True)
class Arrival:
    """What a lifecycle says of a version that it brings.

    Attributes:
        use_case: ``governance``, ``requirements`` and ``technical_owner`` of the use case, as JSON's types.
        compared_with: Digest of the champion that ``validate`` saw.
        runs: That say what is known of it, by stage; the same runs say the same.
        working_copy: The use case's folder as git knows it; None where it does not.
    """

    use_case: Mapping[str, Any]
    compared_with: str
    runs: Mapping[str, str] = field(default_factory=dict)
    working_copy: WorkingCopy | None = None


@dataclass(frozen=True)
class Entered:
    """Where a version stands after it came in.

    Attributes:
        version: As it is now.
        request: For Staging, where that waits for people.
    """

    version: Version
    request: Request | None = None


def enter(desk: Desk, model: str, number: str, arrival: Arrival) -> Entered:
    """Record how a version came into the registry, and move it to Staging; or ask for that where people have to agree.

    A version that people have moved on, to Production or into the archive, stays where they put it. Nothing is recorded
    twice.

    Args:
        desk: Who registers.
        model: Its name.
        number: Of the version.
        arrival: What the lifecycle says of it.

    Raises:
        RefusedError: The environment names no policy, and the last decision was made under one.
        RegistryError: The registry refused; then nothing has changed.
    """
    shelf, rules = desk.registry.shelf(model), rules_of(desk.policy, "Staging", arrival.use_case)
    if _is_in(desk, shelf, known(shelf, number), arrival):
        return Entered(shelf.versions[number])
    evidence, origin = desk.evidence(shelf, number, rules), _origin(shelf, number, arrival.working_copy)
    with desk.registry.changing(model) as change:
        known(change.shelf, number)
        if champion_digest(change.shelf, number) != champion_digest(shelf, number):
            evidence = desk.evidence(change.shelf, number, rules)
        case = desk.case(change.shelf, number, "Staging", change.now, evidence)
        matter = Matter(desk, change, replace(case, current=rules))
        refused = _not_under(matter, "registration")
        entered = _enter(matter, arrival, origin) if refused is None else Entered(change.shelf.versions[number])
    desk.publish(matter)
    if refused is not None:
        raise refused
    return entered


def _not_under(matter: Matter, attempt: str) -> RefusedError | None:
    """The refusal, recorded, where the default policy would decide and an organisation's policy did before."""
    try:
        matter.desk.check_policy(matter.change.shelf)
    except RefusedError as error:
        matter.record_refusal(attempt, error)
        return error
    return None


def _is_in(desk: Desk, shelf: Shelf, version: Version, arrival: Arrival) -> bool:
    """Whether all of this was recorded before, and nothing is left to do: then no evidence has to be read."""
    before = shelf.history.registrations.get(version.number)
    alias = ALIASES.get(version.registry_stage)
    return (
        before is not None
        and bool(arrival.runs)
        and dict(before.facts.get(RUNS, {})) == dict(arrival.runs)
        and before.parts.get("champion") == arrival.compared_with
        and dict(before.use_case) == dict(arrival.use_case)
        and not _is_settled_now(desk, version, before, arrival.working_copy)
        and not _goes_on(version)
        and (alias is None or shelf.aliases.get(alias) == version.number)
    )


def _origin(shelf: Shelf, number: str, copy: WorkingCopy | None) -> Origin | None:
    """Commit that a version came from, and who committed since the champion's."""
    before = shelf.history.registrations.get(number)
    if before is not None and before.origin is not None and shelf.versions[number].registry_stage == "Production":
        return before.origin  # the one that was approved, from which the next version's commits are counted
    if copy is None:
        return None
    champion = next((one.number for one in shelf.in_stage("Production") if one.number != number), None)
    if champion is None:
        return Origin(copy.commit, copy.dirty)
    its = shelf.history.registrations.get(champion)
    since = its.origin.commit if its is not None and its.origin is not None else ""
    return Origin(copy.commit, copy.dirty, Since(champion, since, copy.committers(since) if since else None))


def _is_settled_now(desk: Desk, version: Version, before: Registration, copy: WorkingCopy | None) -> bool:
    """Whether they who registered it without a commit that holds all of it have found the same from one that does.

    Others who find it again are not recorded: nobody becomes an author, who may not approve, by trying what is there.
    """
    return (
        copy is not None
        and not copy.dirty
        and (before.origin is None or before.origin.dirty)
        and version.registry_stage != "Production"
        and desk.actor.name in {one.name for one in before.registrants}
    )


def _enter(matter: Matter, arrival: Arrival, origin: Origin | None) -> Entered:
    version = matter.change.shelf.versions[matter.case.transition.version]
    _register(matter, arrival, origin)
    if not _goes_on(version):
        _mend_alias(matter, version)
        return Entered(version)
    matter.case = matter.now()
    decision = decide(matter.case)
    if decision.allowed:
        apply(matter, matter.case, "")
        return Entered(replace(version, registry_stage="Staging"))
    return Entered(version, _asked(matter, decision))


def _goes_on(version: Version) -> bool:
    """Whether it may be moved: what is there already, or where people put it, stays."""
    by_hand = version.registry_stage == "Archived" and SUPERSEDED not in version.tags
    return version.registry_stage not in ALIASES and not by_hand


def _mend_alias(matter: Matter, version: Version) -> None:
    """An alias that somebody took away, or pointed elsewhere, behind the ledger's back."""
    alias = ALIASES.get(version.registry_stage)
    if alias is not None and matter.change.shelf.aliases.get(alias) != version.number:
        details = {"alias": alias, "version": version.number}
        matter.record("alias", reason=f"{alias} names the version in {version.registry_stage} again", details=details)
        matter.change.alias(alias, version.number)


def _asked(matter: Matter, decision: Decision) -> Request | None:
    """The request for Staging; None where no approval could help."""
    if matter.case.request is not None or is_hopeless(decision) or in_vain(matter.case):
        return matter.case.request
    return ask(matter)


def _register(matter: Matter, arrival: Arrival, origin: Origin | None) -> None:
    """Once, and again when something about it has changed, or it was judged again; another commit alone is no news."""
    evidence, before = matter.case.evidence, matter.case.registration
    version = matter.change.shelf.versions[matter.case.transition.version]
    said = _said(evidence, arrival.use_case)
    said["parts"] |= {"champion": arrival.compared_with}
    said["facts"] |= {RUNS: dict(arrival.runs)} if arrival.runs else {}
    known_already = before is not None and _without_origin(_kept(before)) == said
    if before is None or not known_already or _is_settled_now(matter.desk, version, before, arrival.working_copy):
        said["facts"] |= origin.to_facts() if origin is not None else {}
        matter.record("registration", details=said)


def _said(evidence: Evidence, use_case: Mapping[str, Any]) -> dict[str, Any]:
    """What the ledger keeps of a version."""
    said = {
        "verdict": evidence.facts.get("verdict", "unknown"),
        "judged": evidence.facts.get("judged"),
        "use_case": dict(use_case),
        "parts": {name: value for name, value in evidence.parts.items() if name != "policy"},
        "facts": dict(evidence.facts),
    }
    # A figure that is not defined is no JSON.
    plain: dict[str, Any] = json.loads(json.dumps(said), parse_constant=lambda _: None)
    return plain


def _without_origin(said: dict[str, Any]) -> dict[str, Any]:
    return {**said, "facts": {name: value for name, value in said["facts"].items() if name != ORIGIN}}


def _kept(before: Registration) -> dict[str, Any]:
    """What was known of a version stays known."""
    return {
        "verdict": before.verdict,
        "judged": before.judged,
        "use_case": dict(before.use_case),
        "parts": dict(before.parts),
        "facts": dict(before.facts),
    }


def adopt(desk: Desk, model: str, *, reason: str) -> tuple[Version, ...]:
    """Take over what is in Staging and Production already, as it is: from then on the policy holds.

    Returns:
        What was taken over.

    Raises:
        RefusedError: The environment names no policy, and the last decision was made under one.
        RegistryError: The ledger knows all of it, two versions share a registry stage, or no reason is given.
    """
    needs(reason, "an adoption", 'say it with --reason "..."')
    shelf = desk.registry.shelf(model)
    strange = unexplained(shelf)
    _may_adopt(desk, shelf)
    read = {one.number: _evidence(desk, shelf, one) for one in strange}
    with desk.registry.changing(model) as change:
        strange = unexplained(change.shelf)
        matters = []
        for one in strange:
            evidence = read.get(one.number) or _evidence(desk, change.shelf, one)
            case = desk.case(change.shelf, one.number, one.registry_stage, change.now, evidence)
            matters.append((Matter(desk, change, case), _missed(change.shelf, one, strange)))
        refused = _not_under(matters[0][0], "adoption")
        for matter, moves in matters if refused is None else ():
            _adopt(matter, moves, reason)
        if refused is None:
            follow(change, [move for _, moves in matters for move in moves])
    for matter, _ in matters:
        desk.publish(matter)
    if refused is not None:
        raise refused
    return strange


def _may_adopt(desk: Desk, shelf: Shelf) -> None:
    """What was moved past a policy that held already is taken over by those who may go past it, where it names any."""
    roles = desk.policy.overriders("Production")
    if shelf.history.moves and roles and not any(desk.policy.holds(desk.person, role) for role in roles):
        raise RegistryError(
            f"{desk.person} may not adopt what was moved past the ledger",
            expected=f"one of the roles {', '.join(roles)}: {shelf.name} was under the policy already",
            got=desk.person,
            hint="put it back in MLflow, or ask one of them",
        )


def unexplained(shelf: Shelf) -> tuple[Version, ...]:
    """Versions in Staging and Production of which the ledger says something else, or nothing.

    Raises:
        RegistryError: There are none, or two share a registry stage.
    """
    for stage in ALIASES:
        if len(shelf.in_stage(stage)) > 1:
            numbers = " and ".join(one.number for one in shelf.in_stage(stage))
            raise RegistryError(
                f"{shelf.name} has several versions in {stage}",
                expected="one version in each registry stage",
                got=f"versions {numbers}",
                hint="archive all but one in MLflow, then adopt",
            )
    there = [one for stage in ALIASES for one in shelf.in_stage(stage)]
    found = tuple(one for one in there if shelf.history.stage_of(one.number) != one.registry_stage)
    if not found:
        states = ", ".join(f"version {one.number} in {one.registry_stage}" for one in shelf.versions.values())
        raise RegistryError(
            f"there is nothing of {shelf.name} to adopt",
            expected="a version in Staging or Production that the ledger does not know of",
            got=states or "no such model, or one without versions",
            hint=f"`mlops status {shelf.name}` shows where everything is",
        )
    return found


def _evidence(desk: Desk, shelf: Shelf, version: Version) -> Evidence:
    return desk.case(shelf, version.number, version.registry_stage, desk.clock()).evidence


def _missed(shelf: Shelf, version: Version, strange: Collection[Version]) -> Moves:
    """Moves that the ledger missed: of an adopted version, and of those that it still has in its registry stage."""
    stage, adopted = version.registry_stage, {one.number for one in strange}
    displaced = [one for one in shelf.history.versions_in(stage) if one not in adopted]
    now = {number: one.registry_stage for number, one in shelf.versions.items()}
    own = (version.number, shelf.history.stage_of(version.number), stage)
    return (own, *((one, stage, now.get(one, "Archived")) for one in displaced))


def _adopt(matter: Matter, moves: Moves, reason: str) -> None:
    case, before = matter.case, matter.case.registration
    matter.case = replace(case, transition=replace(case.transition, begin=moves[0][1]))
    said = _kept(before) if before is not None else _said(case.evidence, {})
    matter.record("adoption", reason=reason, details={"moves": [list(each) for each in moves], **said})
    for number, _, to in moves:
        if number in matter.change.shelf.versions:
            matter.change.tag(number, STAGE_TAG, to)
