"""People at desks: a registry in memory, a policy, evidence that can be changed, a clock that can be moved."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from fake_registry import FakeRegistry

from mlops_mlflow.core.ledger.chain import Head, walk
from mlops_mlflow.core.ledger.record import Actor, Record
from mlops_mlflow.core.policy.document import DEFAULT, Override, Policy, Role, StageRules
from mlops_mlflow.core.policy.evidence import PARTS, Evidence
from mlops_mlflow.core.policy.rules import Rules
from mlops_mlflow.governance.desk.approvals import approve
from mlops_mlflow.governance.desk.arrivals import Arrival, Entered, enter
from mlops_mlflow.governance.desk.desk import Desk
from mlops_mlflow.governance.desk.requests import request
from mlops_mlflow.governance.desk.transitions import Moved
from mlops_mlflow.governance.evidence import champion_digest
from mlops_mlflow.governance.shelf import Change, Shelf

MODEL = "churn"
HOUR = 3_600_000
DAY = 24 * HOUR
PEOPLE: dict[str, tuple[str, ...]] = {
    "ann": ("ann@laptop",),
    "bob": (),
    "cem": (),
    "dora": (),
    "eve": ("eve@laptop",),
    "fay": (),
}
TWO_ROLES = Policy(
    name="the bank's policy",
    people=PEOPLE,
    roles={
        "business": Role(members=("bob", "dora")),
        "compliance": Role(members=("cem", "dora")),
        "on-call": Role(members=("eve", "fay")),
    },
    machines=("robot",),
    Production=StageRules(approvals={"business": 1, "compliance": 1}),
    override=Override(roles=("on-call",), life=timedelta(hours=1), review_within=timedelta(days=7)),
)
"""ann makes models; bob and cem approve them, dora as either; eve and fay are on call."""
__all__ = ["DAY", "DEFAULT", "HOUR", "MODEL", "PEOPLE", "TWO_ROLES", "FakeEvidence", "Office", "with_members"]


def with_members(policy: Policy, role: str, *members: str) -> Policy:
    """The policy after a role has gone to other people."""
    changed = policy.roles[role].model_copy(update={"members": members})
    return policy.model_copy(update={"roles": {**policy.roles, role: changed}})


@dataclass
class FakeEvidence:
    """What is known of each version; every part is what it was until it is changed."""

    changed: dict[tuple[str, str], str] = field(default_factory=dict)
    trouble: dict[str, dict[str, str]] = field(default_factory=dict)
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    readings: list[str] = field(default_factory=list)

    def __call__(self, shelf: Shelf, version: str, rules: Rules) -> Evidence:
        self.readings.append(version)
        source, trouble = shelf.versions[version].source, self.trouble.get(version, {})
        parts = {part: self.changed.get((version, part), f"{part} of {source}") for part in PARTS}
        parts |= {"policy": rules.digest, "champion": champion_digest(shelf, version)}
        known = {part: value for part, value in parts.items() if part not in trouble}
        facts = {"verdict": "passed", "judged": 0, "metrics": {"recall": 0.8}, "features": ["age"], "estimator": "tree"}
        return Evidence(known, facts | self.facts.get(version, {}), trouble)

    def change(self, version: str, part: str, value: str = "something else") -> None:
        self.changed[version, part] = value

    def lose(self, version: str, part: str, why: str = "its file is gone") -> None:
        self.trouble.setdefault(version, {})[part] = why

    def say(self, version: str, **facts: Any) -> None:
        self.facts.setdefault(version, {}).update(facts)


@dataclass
class Office:
    """Where everybody works on one model."""

    policy: Policy = TWO_ROLES
    registry: FakeRegistry = field(default_factory=FakeRegistry)
    evidence: FakeEvidence = field(default_factory=FakeEvidence)
    model: str = MODEL

    def desk(self, name: str) -> Desk:
        return Desk(self.registry, self.policy, Actor(name), self.evidence, lambda: self.registry.now)

    def wait(self, milliseconds: int) -> None:
        self.registry.now += milliseconds

    def register(self, number: str = "1", *, by: str = "ann", use_case: Mapping[str, Any] | None = None) -> Entered:
        """What a lifecycle does with a version that passed."""
        if number not in self.registry.versions.get(self.model, {}):
            self.registry.put(self.model, number)
        compared_with = champion_digest(self.shelf, number)
        return enter(self.desk(by), self.model, number, Arrival(use_case or {}, compared_with))

    def ask(self, number: str = "1", to: str = "Production", *, by: str = "ann") -> int:
        """The number of a request."""
        return request(self.desk(by), self.model, number, to).request.number

    def approved(self, number: str = "1") -> int:
        """The number of a request with all approvals that waits for somebody to move the version."""
        asked = self.ask(number)
        approve(self.desk("bob"), asked)
        approve(self.desk("cem"), asked)
        return asked

    def promote(self, number: str = "1") -> Moved:
        """From Staging to Production, with all approvals."""
        asked = self.ask(number)
        approve(self.desk("bob"), asked)
        moved = approve(self.desk("cem"), asked, at_once=True).moved
        assert moved is not None
        return moved

    def in_staging(self, number: str) -> Office:
        """A version is registered."""
        self.register(number)
        return self

    def in_production(self, *numbers: str) -> Office:
        """One version after another is registered and goes to Production."""
        for number in numbers:
            self.register(number)
            self.promote(number)
        return self

    def let_another_in_first(self, number: str) -> None:
        """Before the next change begins, a plain client puts a new version into the place of version 1."""
        changing = self.registry.changing

        def quicker(model: str) -> AbstractContextManager[Change]:
            self.registry.changing = changing  # type: ignore[method-assign]  # once
            self.registry.put(self.model, number)
            self.push("1", "Archived")
            self.push(number, "Production")
            return changing(model)

        self.registry.changing = quicker  # type: ignore[method-assign]  # between looking and locking

    def push(self, number: str, stage: str) -> None:
        """Plain MLflow, past the ledger."""
        kept = self.registry.versions[self.model]
        kept[number] = replace(kept[number], registry_stage=stage)

    @property
    def shelf(self) -> Shelf:
        return self.registry.shelf(self.model)

    @property
    def stages(self) -> dict[str, str]:
        return {number: one.registry_stage for number, one in self.shelf.versions.items()}

    @property
    def aliases(self) -> Mapping[str, str]:
        return self.shelf.aliases

    @property
    def actions(self) -> list[str]:
        return [one.entry.action for one in self.registry.records]

    @property
    def last(self) -> Record:
        return self.registry.records[-1]

    def request_state(self, number: int) -> str:
        return self.shelf.history.requests[number].state(self.registry.now)

    def whole(self) -> bool:
        """Whether the ledger's chain holds and its replay is what the registry shows."""
        chained = isinstance(walk(self.registry.stored()), Head)
        return chained and self.stages == {number: self.shelf.history.stage_of(number) for number in self.stages}
