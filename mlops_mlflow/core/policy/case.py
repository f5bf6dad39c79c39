"""What a decision is about, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from mlops_mlflow.core.ledger.history import History, Registration, Request
from mlops_mlflow.core.policy.evidence import Evidence
from mlops_mlflow.core.policy.kept import changes, kept
from mlops_mlflow.core.policy.rules import Rules
from mlops_mlflow.core.policy.transitions import Transition
from mlops_mlflow.core.policy.words import policy_changed

Outcome = Literal["met", "missing", "spared", "overridden"]


@dataclass(frozen=True)
class RuleFinding:
    """What came out of one rule.

    Attributes:
        rule: Which, as a reader would say it.
        outcome: ``spared`` by an approved envelope, ``overridden`` by a broken glass.
        reason: One sentence: why this outcome.
        todo: What would meet it, and who can do that.
        role: Whose approval is missing, for an approval.
        final: Whether no override helps: the table of transitions, intact files, a policy that is not named.
        nobody: Whether nobody could give the approval, so that asking for it is in vain.
        approvals: Records of the approvals that met it.
    """

    rule: str
    outcome: Outcome
    reason: str
    todo: str = ""
    role: str = ""
    final: bool = False
    nobody: bool = False
    approvals: tuple[int, ...] = ()


@dataclass(frozen=True)
class Decision:
    """Allowed or refused, and why.

    Attributes:
        findings: One for each rule, in the order in which they are worth seeing to.
        dry_run: Whether the policy only watches.
        override: Record of the broken glass that was needed; 0 for none.
        spared: Whether an envelope was needed.
    """

    findings: tuple[RuleFinding, ...]
    dry_run: bool = False
    override: int = 0
    spared: bool = False

    @property
    def missing(self) -> tuple[RuleFinding, ...]:
        """Rules that are not met."""
        return tuple(one for one in self.findings if one.outcome == "missing")

    @property
    def nobody_can(self) -> bool:
        """Whether an approval is missing that nobody could give."""
        return any(one.nobody for one in self.missing)

    @property
    def would_allow(self) -> bool:
        """Whether the rules allow it."""
        return not self.missing

    @property
    def allowed(self) -> bool:
        """Whether it may happen; a policy that only watches stops nothing but what is final."""
        return self.would_allow or (self.dry_run and not any(one.final for one in self.missing))


@dataclass(frozen=True)
class Case:
    """What a decision is about.

    Attributes:
        transition: What is asked.
        person: Who asks, in the policy's words.
        current: Rules of the target registry stage, as they are now.
        evidence: As it is now.
        history: What the ledger says of the model.
        now: Milliseconds since 1970.
        reason: In the words of whoever asks.
    """

    transition: Transition
    person: str
    current: Rules
    evidence: Evidence
    history: History
    now: int
    reason: str = ""

    def __post_init__(self) -> None:
        if self.transition.is_legal and self.current.to != self.transition.to:
            raise ValueError(f"rules for {self.current.to} cannot decide about {self.transition}")

    @cached_property
    def rules(self) -> Rules:
        """What holds: the rules as they are now, and for an open request nothing less than it was asked under."""
        return kept(self.current, self.request.needs) if self.request is not None else self.current

    @cached_property
    def rules_changed(self) -> dict[str, str]:
        """What changed in the rules since the open request was asked, by rule."""
        return changes(self.current, self.request.needs) if self.request is not None else {}

    @property
    def policy_changed(self) -> str:
        """That the request, or else the last record, was made under another policy; empty where it was not."""
        before = (self.request.policy if self.request is not None else "") or self.history.policy
        return policy_changed(before, self.current.policy.name)

    @property
    def registration(self) -> Registration | None:
        """How the version came into the registry."""
        return self.history.registrations.get(self.transition.version)

    @property
    def request(self) -> Request | None:
        """The newest request for this transition that still counts."""
        found = [one for one in self.history.open_requests(self.now) if self._asks(one)]
        return found[-1] if found else None

    @property
    def lapsed(self) -> Request | None:
        """The newest request for this transition that nobody completed in time."""
        found = [one for one in self.history.requests.values() if self._asks(one)]
        return found[-1] if found and found[-1].state(self.now) == "lapsed" else None

    @property
    def authors(self) -> frozenset[str]:
        """Who may not approve: registrant and requester; for what a machine registered, the technical owner."""
        return authors(self.rules, self.registration, self.request)

    def _asks(self, request: Request) -> bool:
        transition = self.transition
        asked = (request.version, request.begin, request.to)
        return asked == (transition.version, transition.begin, transition.to)


def authors(rules: Rules, registration: Registration | None, request: Request | None) -> frozenset[str]:
    """People whose work a transition is."""
    policy = rules.policy
    registrants = registration.registrants if registration else ()
    found = {policy.person(one.name) for one in (*registrants, *([request.actor] if request else []))}
    if rules.technical_owner and any(policy.is_machine(one.name) for one in registrants):
        found.add(policy.person(rules.technical_owner))
    return frozenset(found)
