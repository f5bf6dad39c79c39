"""Decisions against an oracle that knows the rules by heart and nothing of the program: it tries every assignment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import permutations
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from policy_cases import DAY, FACTS, Ledger

from mlops_mlflow.core.policy.decide import Case, decide
from mlops_mlflow.core.policy.document import Policy
from mlops_mlflow.core.policy.evidence import PARTS, Evidence
from mlops_mlflow.core.usecase.success import ApprovalRequirement

ALIASES = {"ann": "Ann", "ann2": "Ann", "bob": "Bob", "bob2": "Bob", "eve": "Eve", "tom": "Tom"}
"""The person behind each account, where the policy lists people."""
ACCOUNTS = (*ALIASES, "mallory", "ci")
ROLES = ("business", "compliance")
JUDGED = {"model", "metrics", "slices", "data", "card", "champion"}
QUIET = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass(frozen=True)
class Said:
    """Something that happened, as the oracle remembers it."""

    what: str
    by: str = ""
    role: str = ""
    subject: str = "transition"
    request: int = 0
    time: int = 0
    seen: dict[str, str] = field(default_factory=dict)
    verified: bool = False
    lapses: int = 0
    number: int = 0


@dataclass
class World:
    """A policy, what happened, and what is the case now."""

    policy: Policy
    ledger: Ledger
    said: list[Said]
    evidence: dict[str, str]
    requirement: bool

    @property
    def case(self) -> Case:
        wanted = (ApprovalRequirement(approval="legal", subject="wording"),) if self.requirement else ()
        seen = Evidence(self.evidence, FACTS)
        return self.ledger.case(self.policy, seen=seen, requirements=wanted, technical_owner="tom")


accounts = st.sampled_from(ACCOUNTS)
# Mostly people who could matter, so that many cases are nearly or wholly approved.
voters = st.sampled_from(("bob", "eve", "bob", "eve", *ACCOUNTS))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    listed = draw(st.booleans())
    people = {"Ann": ["ann", "ann2"], "Bob": ["bob", "bob2"], "Eve": ["eve"], "Tom": ["tom"]} if listed else {}
    names = [*people] if listed else [*ALIASES]
    roles = {}
    for role in draw(st.lists(st.sampled_from((*ROLES, "legal")), unique=True)):
        members = draw(st.one_of(st.just(["anybody"]), st.lists(st.sampled_from(names), min_size=1, unique=True)))
        looks_at = draw(st.one_of(st.just(list(PARTS)), st.lists(st.sampled_from(PARTS), min_size=1, unique=True)))
        roles[role] = {"members": members, "looks_at": looks_at}
    counts = st.dictionaries(st.sampled_from(ROLES), st.integers(1, 2), max_size=2)
    rules: dict[str, Any] = {"approvals": draw(counts), "approvers": draw(st.integers(0, 3))}
    rules["exclude_authors"] = draw(st.sampled_from([True, True, False]))
    rules["approval_lapse"] = draw(st.sampled_from([None, None, "P1D"]))
    return Policy.model_validate(
        {
            "name": "p",
            "people": people,
            "roles": roles,
            "unlisted_roles": draw(st.sampled_from(["anybody", "anybody", "nobody"])),
            "machines": draw(st.sampled_from([[], ["ci"]])),
            "verified_identity": draw(st.sampled_from([False, False, False, True])),
            "Production": rules,
        }
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A version in Staging, and people who ask, approve, reject and change things in any order."""
    ledger, evidence = Ledger(), dict.fromkeys(PARTS, "0")
    said = [Said("registration", draw(accounts), seen=dict(evidence))]
    ledger.register(said[0].by, parts=dict(evidence))
    ledger.move("Staging")
    kinds = ["request", "approval", "approval", "approval", "approval", "rejection", "wait", "change", "move"]
    steps = ["request", *draw(st.lists(st.sampled_from(kinds), max_size=12))]
    for step in steps:
        happens(draw, step, ledger, said, evidence)
    return World(draw(policies()), ledger, said, evidence, draw(st.booleans()))


def happens(draw: st.DrawFn, step: str, ledger: Ledger, said: list[Said], evidence: dict[str, str]) -> None:
    requests = [one.number for one in said if one.what == "request"]
    time = ledger.now
    if step == "request":
        by, life = draw(accounts), draw(st.sampled_from([DAY, 30 * DAY]))
        number = ledger.request(by, lapses=life)
        said.append(Said(step, by, time=time, lapses=time + life, number=number))
    elif step == "approval":
        by, number = draw(voters), draw(st.sampled_from(requests))
        role = draw(st.sampled_from(("", "legal", *ROLES, *ROLES)))
        subject = draw(st.sampled_from(("transition", "transition", "wording")))
        verified = draw(st.booleans())
        known = {"known_by": "a server"} if verified else {}
        ledger.approve(number, by, role, subject=subject, parts=dict(evidence), **known)
        said.append(Said(step, by, role, subject, number, time, dict(evidence), verified))
    elif step == "rejection":
        number = draw(st.sampled_from(requests))
        ledger.add("rejection", "eve", request=number)
        said.append(Said("end", request=number))
    elif step == "wait":
        ledger.now += draw(st.integers(0, 26)) * DAY // 24
    elif step == "change":
        # What validate judged is seldom touched: it would refuse nearly everything before approvals are looked at.
        part = draw(st.sampled_from(("use_case", "policy", "use_case", "policy", "card", "model")))
        evidence[part] = draw(st.sampled_from("012"))
    else:
        ledger.move("Archived")
        ledger.move("Staging")
        said.append(Said("moved"))


# The oracle


def person(world: World, account: str) -> str:
    return ALIASES.get(account, account) if world.policy.people else account


def may(world: World, account: str, role: str) -> bool:
    """Whether an account may approve in a role."""
    policy = world.policy
    if account in policy.machines or (policy.people and account not in ALIASES):
        return False
    if role == "":
        return True
    if role not in policy.roles:
        return policy.unlisted_roles == "anybody"
    members = policy.roles[role].members
    return "anybody" in members or person(world, account) in {person(world, one) for one in members}


def waiting(world: World) -> Said | None:
    """The last request that is neither ended, nor lapsed, nor overtaken by a move."""
    alive: dict[int, Said] = {}
    for one in world.said:
        if one.what == "request":
            alive[one.number] = one
        if one.what == "moved":
            alive.clear()
        if one.what == "end":
            alive.pop(one.request, None)
    left = [one for one in alive.values() if world.ledger.now < one.lapses]
    return left[-1] if left else None


def author_names(world: World) -> set[str]:
    registrant, request = world.said[0].by, waiting(world)
    names = {registrant} | ({request.by} if request else set())
    names |= {"tom"} if registrant in world.policy.machines else set()
    return {person(world, name) for name in names}


def good(world: World, one: Said) -> bool:
    """Whether an approval counts."""
    rules = world.policy.Production
    parts = world.policy.roles[one.role].looks_at if one.role in world.policy.roles else PARTS
    return (
        may(world, one.by, one.role)
        and not (rules.exclude_authors and person(world, one.by) in author_names(world))
        and (one.verified or not world.policy.verified_identity)
        and (rules.approval_lapse is None or timedelta(milliseconds=world.ledger.now - one.time) < rules.approval_lapse)
        and all(one.seen[part] == world.evidence[part] for part in parts)
    )


def enough(world: World, votes: Sequence[Said]) -> bool:
    """Whether some assignment of different people fills every place, and people are as many as asked for."""
    by = {(person(world, one.by), one.role) for one in votes}
    people = sorted({who for who, _ in by})
    places = [role for role, count in world.policy.Production.approvals.items() for _ in range(count)]
    filled = any(
        all((who, role) in by for who, role in zip(chosen, places, strict=True))
        for chosen in permutations(people, len(places))
    )
    return filled and len(people) >= world.policy.Production.approvers


def oracle(world: World) -> bool:
    """Whether the rules allow it."""
    if any(world.evidence[part] != world.said[0].seen[part] for part in JUDGED):
        return False
    votes = [one for one in world.said if one.what == "approval" and good(world, one)]
    request = waiting(world)
    here = [one for one in votes if request and one.request == request.number and one.subject == "transition"]
    legal = any(one.subject == "wording" and one.role == "legal" for one in votes)
    return enough(world, here) and (legal or not world.requirement)


# Properties


@given(worlds())
@QUIET
def test_exactly_what_has_the_required_approvals_is_allowed(world: World) -> None:
    decision = decide(world.case)

    event(f"allowed: {decision.allowed}")
    assert decision.allowed == oracle(world), [one for one in decision.findings if one.outcome != "met"]


@given(worlds(), st.randoms(use_true_random=False))
@QUIET
def test_the_order_of_approvals_does_not_matter(world: World, random: Any) -> None:
    case = world.case
    shuffled = list(case.history.approvals)
    random.shuffle(shuffled)
    other = replace(case, history=replace(case.history, approvals=tuple(shuffled)))

    assert decide(other).allowed == decide(case).allowed


@given(worlds())
@QUIET
def test_an_approval_that_counts_for_nothing_changes_no_decision(world: World) -> None:
    """Lapsed, stale, by an author, by nobody who may: taken out, everything is as before."""
    case, votes = world.case, [one for one in world.said if one.what == "approval"]
    assert len(votes) == len(case.history.approvals)
    kept = [one for one, vote in zip(case.history.approvals, votes, strict=True) if good(world, vote)]
    without = replace(case, history=replace(case.history, approvals=tuple(kept)))

    event(f"counts for nothing: {len(votes) > len(kept)}")
    assert decide(without).allowed == decide(case).allowed


@given(worlds())
@QUIET
def test_what_is_refused_says_why_and_what_to_do(world: World) -> None:
    for one in decide(world.case).missing:
        assert one.reason
        assert one.todo
        assert "\n" not in one.reason + one.todo
