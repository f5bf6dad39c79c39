"""A model's ledger in a few words, and cases for the policy made of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_mlflow.core.ledger.history import History
from mlops_mlflow.core.ledger.record import BEGINNING, UNVERIFIED, Action, Actor, Entry, Record
from mlops_mlflow.core.ledger.replay import history
from mlops_mlflow.core.policy.decide import Case, Decision, RuleFinding, decide, envelope_parts
from mlops_mlflow.core.policy.document import Policy
from mlops_mlflow.core.policy.evidence import PARTS, Evidence
from mlops_mlflow.core.policy.rules import Rules, rules_for
from mlops_mlflow.core.policy.transitions import Transition
from mlops_mlflow.core.usecase.operation import Governance

START = 1_700_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
SEEN = {part: f"{part} 1" for part in PARTS}
FACTS = {"features": [["distance", "numeric"]], "estimator": "sklearn.Boosting", "metrics": {"roc_auc": 0.8}}


def policy(**sections: Any) -> Policy:
    """A policy as a file would say it; roles `business` and `compliance` are anybody's where nothing else is said."""
    return Policy.model_validate({"name": "the bank's policy", "unlisted_roles": "anybody", **sections})


def evidence(facts: Mapping[str, Any] = FACTS, trouble: Mapping[str, str] | None = None, **parts: str) -> Evidence:
    """The evidence that was registered, but for these parts."""
    return Evidence({**SEEN, **parts}, facts, trouble or {})


@dataclass
class Ledger:
    """Records of one model; each method is one record, and time goes on by an hour with each."""

    model: str = "flights"
    now: int = START
    records: list[Record] = field(default_factory=list)

    def add(
        self, action: Action, by: str, version: str = "1", *, to: str = "", roles: Iterable[str] = (), **details: Any
    ) -> int:
        """Append a record.

        Returns:
            Its sequence.
        """
        actor = Actor(by, details.pop("known_by", UNVERIFIED))
        begin, reason = self.history.stage_of(version), details.pop("reason", "because")
        entry = Entry(action, self.model, actor, version, begin, to, tuple(roles), reason, details=details)
        previous = self.records[-1].hash if self.records else BEGINNING
        self.records.append(Record(len(self.records) + 1, self.now, entry, previous))
        self.now += HOUR
        return len(self.records)

    @property
    def history(self) -> History:
        return history(self.records)

    def register(self, by: str = "ann", version: str = "1", *, verdict: str = "passed", **details: Any) -> int:
        """A version, as `mlops run` registers it."""
        parts = {**SEEN, **details.pop("parts", {})}
        return self.add("registration", by, version, verdict=verdict, judged=self.now, parts=parts, **details)

    def move(
        self, to: str, version: str = "1", by: str = "ann", *, action: Action = "transition", **details: Any
    ) -> int:
        """A version goes to a registry stage, and whoever was there into the archive."""
        before = self.history
        replaced = [one for one in before.versions_in(to) if one != version] if to in ("Staging", "Production") else []
        moves = [[version, before.stage_of(version), to], *([one, to, "Archived"] for one in replaced)]
        return self.add(action, by, version, to=to, moves=moves, **details)

    def staged(self, by: str = "ann", version: str = "1", **details: Any) -> Ledger:
        """A version that is registered and in Staging."""
        self.register(by, version, **details)
        self.move("Staging", version, by)
        return self

    def request(self, by: str = "ann", version: str = "1", *, to: str = "Production", lapses: int = 30 * DAY) -> int:
        return self.add("request", by, version, to=to, lapses=self.now + lapses, parts=SEEN)

    def approve(self, request: int, by: str, role: str = "", version: str = "1", **details: Any) -> int:
        """A yes to a transition, or with `subject` to what a requirement names."""
        told = {"subject": "transition", "request": request, "parts": SEEN, **details}
        return self.add("approval", by, version, roles=[role] if role else [], **told)

    def approve_envelope(self, rules: Rules, by: str, role: str, facts: Mapping[str, Any] = FACTS) -> int:
        return self.add("approval", by, roles=[role], subject="envelope", parts=envelope_parts(rules, facts))

    def override(
        self, by: str, version: str = "1", *, to: str = "Production", life: int = DAY, due: int = 7 * DAY
    ) -> int:
        return self.add("override", by, version, to=to, expires=self.now + life, review_due=self.now + due)

    def case(
        self,
        policy: Policy,
        to: str = "Production",
        version: str = "1",
        *,
        by: str = "zoe",
        seen: Evidence | None = None,
        later: int = 0,
        governance: Governance | None = None,
        **rules: Any,
    ) -> Case:
        """What the policy is asked now, or some time later."""
        transition = Transition(self.model, version, self.history.stage_of(version), to)
        held = rules_for(policy, to, governance or Governance(), **rules)
        return Case(transition, by, held, seen or evidence(), self.history, self.now + later)

    def decide(self, policy: Policy, to: str = "Production", version: str = "1", **more: Any) -> Decision:
        return decide(self.case(policy, to, version, **more))


def finding(decision: Decision, rule: str) -> RuleFinding:
    """What came out of a rule that was asked once."""
    (found,) = [one for one in decision.findings if one.rule == rule]
    return found
