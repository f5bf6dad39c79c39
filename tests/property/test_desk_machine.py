"""People act at random, and somebody moves things with plain MLflow; a simple second opinion says what may happen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import product
from typing import Any

from desks import DAY, MODEL, TWO_ROLES, Office, with_members
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.chain import Head, walk
from mlops_mlflow.governance.desk.approvals import approve
from mlops_mlflow.governance.desk.arrivals import adopt
from mlops_mlflow.governance.desk.desk import RefusedError
from mlops_mlflow.governance.desk.overrides import override, review
from mlops_mlflow.governance.desk.requests import reject, request, withdraw
from mlops_mlflow.governance.desk.transitions import Moved, move, rollback

VERSIONS = ["1", "2", "3"]
NAMES = ["ann", "bob", "cem", "dora", "eve", "eve@laptop", "fay", "robot", "stranger"]
ROLES = ["business", "compliance", "on-call"]
ALIASES = {"Staging": "challenger", "Production": "champion"}
LAPSE, REVIEW, APPROVAL = 30 * DAY, 7 * DAY, 20 * DAY
POLICY = TWO_ROLES.model_copy(
    update={"Production": TWO_ROLES.Production.model_copy(update={"approval_lapse": timedelta(days=20)})}
)
YES = [("bob", "business"), ("cem", "compliance"), ("dora", "business"), ("dora", "compliance")]
versions, names = st.sampled_from(VERSIONS), st.sampled_from(NAMES)
stages = st.sampled_from(["Staging", "Production", "Archived"])
anywhere = st.sampled_from(["None", "Staging", "Production", "Archived"])


def person(name: str) -> str:
    return name.partition("@")[0]


@dataclass
class Asked:
    version: str
    begin: str
    to: str
    by: str
    lapses: int
    ended: bool = False
    yes: list[tuple[str, str, int, Any]] = field(default_factory=list)


@dataclass
class Known:
    """What was known of a version when it was registered, and by whom."""

    seen: dict[str, Any]
    by: set[str]


class Desks(RuleBasedStateMachine):
    """What the desk does, beside what a reader of the rules expects."""

    @initialize()
    def begin(self) -> None:
        self.office = Office(POLICY)
        self.members = {role: set(POLICY.roles[role].members) for role in ROLES}
        self.actual: dict[str, str] = {}
        self.believed: dict[str, str] = {}
        self.news: dict[tuple[str, str], int] = {}
        self.known: dict[str, Known] = {}
        self.asked: dict[int, Asked] = {}
        self.served: set[str] = set()
        self.unreviewed: dict[int, tuple[str, str, str, int]] = {}
        self.pushed: set[str] = set()
        self.governed = False
        for number in VERSIONS:
            self.office.registry.put(MODEL, number)
            self.actual[number] = self.believed[number] = "None"

    # What the rules say.

    @property
    def now(self) -> int:
        return self.office.registry.now

    def seen(self, version: str) -> dict[str, Any]:
        champions = frozenset(one for one, stage in self.actual.items() if stage == "Production" and one != version)
        parts = {part: self.news.get((version, part), 0) for part in ("model", "card", "use_case")}
        return {**parts, "champion": champions}

    def as_registered(self, version: str, *parts: str) -> bool:
        known, now = self.known.get(version), self.seen(version)
        return known is not None and all(known.seen[part] == now[part] for part in parts)

    def open(self, version: str, to: str) -> int | None:
        waiting = [
            number
            for number, one in self.asked.items()
            if (one.version, one.begin, one.to) == (version, self.actual[version], to)
            and not one.ended
            and self.now < one.lapses
        ]
        return waiting[-1] if waiting else None

    def approved(self, version: str) -> bool:
        """Two people who are not its authors, one in each role, of what is known now."""
        number = self.open(version, "Production")
        if number is None or version not in self.known:
            return False
        one = self.asked[number]
        authors = self.known[version].by | {one.by}
        valid = {
            role: {
                who
                for who, acting, time, seen in one.yes
                if acting == role
                and who in self.members[role]
                and who not in authors
                and self.now < time + APPROVAL
                and seen == self.seen(version)
            }
            for role in ("business", "compliance")
        }
        return any(first != second for first, second in product(valid["business"], valid["compliance"]))

    def overdue(self) -> bool:
        return any(self.now >= due for *_, due in self.unreviewed.values())

    def allowed(self, version: str, to: str, who: str = "", said: str = "") -> bool:
        way = (self.actual[version], to)
        if way == ("Production", "Archived"):
            number = self.open(version, to)
            return number is not None or (bool(said) and person(who) in POLICY.people)
        if way == ("Staging", "Archived"):
            return True
        if to == "Production" and self.believed[version] != self.actual[version]:
            return False
        if way == ("Archived", "Production"):
            return version in self.served and self.as_registered(version, "model")
        if not self.as_registered(version, "model", "card", "champion"):
            return False
        if way == ("Staging", "Production"):
            return self.approved(version) and not self.overdue()
        return way in {("None", "Staging"), ("Archived", "Staging")}

    # What happened, as the registry should show it.

    def went(self, version: str, to: str) -> None:
        """One version went somewhere by a recorded transition."""
        gone = [one for one, stage in self.actual.items() if stage == to and one != version and to in ALIASES]
        self.recorded({version: to, **dict.fromkeys(gone, "Archived")})

    def recorded(self, moves: dict[str, str]) -> None:
        touched = {stage for one, to in moves.items() for stage in (self.actual[one], self.believed[one], to)}
        for one in self.asked.values():
            if one.version in moves and self.now < one.lapses:
                one.ended = True
        self.governed = self.governed or bool(moves)
        self.actual |= moves
        self.believed |= moves
        shared = {stage for stage in ALIASES if list(self.actual.values()).count(stage) > 1}
        self.pushed -= touched - shared

    def attempt(self, act: Callable[[], Any]) -> Any:
        """What came of it; a refusal leaves one record and nothing else, a wrong question leaves nothing."""
        registry = self.office.registry
        before = dict(self.office.shelf.versions), dict(self.office.aliases), len(registry.records)
        try:
            return act()
        except RefusedError:
            assert self.office.actions[before[2] :] == ["refusal"]
        except RegistryError:
            assert len(registry.records) == before[2]
        assert (dict(self.office.shelf.versions), dict(self.office.aliases)) == before[:2]
        return None

    def check_moved(self, moved: Moved | None, version: str, to: str, expected: bool) -> None:
        assert (moved is not None) == expected
        if moved is None:
            return
        assert moved.decision.override == 0
        if to == "Production":
            self.served.add(version)
        self.went(version, to)

    # What people do.

    @rule(version=versions, who=st.sampled_from(["ann", "bob"]))
    def register(self, version: str, who: str) -> None:
        seen, stage = self.seen(version), self.actual[version]
        by_hand = stage == "Archived" and "mlops.superseded_by" not in self.office.shelf.versions[version].tags
        entered = self.attempt(lambda: self.office.register(version, by=who))
        assert entered is not None
        known = self.known.get(version)
        if known is None or known.seen != seen:
            self.known[version] = Known(seen, {who} | (known.by if known else set()))
        if stage not in ALIASES and not by_hand:
            self.went(version, "Staging")
        assert entered.version.registry_stage == self.actual[version]

    @rule(version=versions, to=stages, who=names, said=st.sampled_from(["it is time", ""]))
    def ask(self, version: str, to: str, who: str, said: str = "it is time") -> None:
        waiting, begin = self.open(version, to), self.actual[version]
        asked = self.attempt(lambda: request(self.office.desk(who), MODEL, version, to, comment=said))
        if asked is None:
            assert not self.allowed(version, to, who, said)
            return
        number = asked.request.number
        assert waiting in {None, number}
        if waiting is None:
            self.asked[number] = Asked(version, begin, to, person(who), self.now + LAPSE)
        self.check_moved(asked.moved, version, to, self.allowed(version, to, who, said))

    @precondition(lambda self: self.asked)
    @rule(
        data=st.data(),
        who=st.sampled_from(["bob", "cem", "dora", "ann", "robot"]),
        role=st.sampled_from([None, *ROLES]),
        at_once=st.booleans(),
    )
    def approve(self, data: st.DataObject, who: str, role: str | None, at_once: bool) -> None:
        number = data.draw(st.sampled_from(sorted(self.asked)))
        one = self.asked[number]
        approved = self.attempt(lambda: approve(self.office.desk(who), number, role=role, at_once=at_once))
        if approved is None:
            return
        assert number == self.open(one.version, one.to)
        assert who not in self.known[one.version].by | {one.by}
        assert not approved.role or who in self.members[approved.role]
        one.yes.append((person(who), approved.role, self.now, self.seen(one.version)))
        self.check_moved(approved.moved, one.version, one.to, at_once and self.allowed(one.version, one.to))

    @rule(version=versions, say_yes=st.sets(st.sampled_from(YES), min_size=1), by=st.sampled_from(["ann", "fay"]))
    def work_as_intended(self, version: str, say_yes: set[tuple[str, str]], by: str) -> None:
        """Or nearly so, where somebody does not answer; by chance alone few versions would come this far."""
        self.register(version, "ann")
        if self.actual[version] == "Staging" and self.open(version, "Production") is None:
            self.ask(version, "Production", by)
        number = self.open(version, "Production")
        for who, role in sorted(say_yes) if number else ():
            approved = self.attempt(lambda who=who, role=role: approve(self.office.desk(who), number, role=role))
            if approved is not None:
                self.asked[number].yes.append((who, role, self.now, self.seen(version)))
        if number:
            self.move(version, "Production", by)

    @precondition(lambda self: self.asked)
    @rule(data=st.data(), who=names, how=st.sampled_from([withdraw, reject]))
    def end(self, data: st.DataObject, who: str, how: Any) -> None:
        number = data.draw(st.sampled_from(sorted(self.asked)))
        one, was_open = self.asked[number], self.office.request_state(number) == "open"
        if self.attempt(lambda: how(self.office.desk(who), number, reason="no")) is not None:
            assert was_open
            assert how is reject or person(who) == one.by
            one.ended = True

    @rule(version=versions, to=anywhere, who=names, said=st.sampled_from(["it is time", ""]))
    def move(self, version: str, to: str, who: str, said: str = "") -> None:
        expected = self.allowed(version, to, who, said)
        moved = self.attempt(lambda: move(self.office.desk(who), MODEL, version, to, reason=said))
        self.check_moved(moved, version, to, expected)

    @rule(version=st.sampled_from([None, *VERSIONS]), who=names)
    def roll_back(self, version: str | None, who: str) -> None:
        moved = self.attempt(lambda: rollback(self.office.desk(who), MODEL, version=version, reason="bad"))
        if version is not None:
            way_back = self.actual[version] == "Archived" and self.allowed(version, "Production")
            assert (moved is not None) == way_back
        if moved is not None:
            chosen = moved.moves[0][0]
            assert self.actual[chosen] == "Archived"
            self.check_moved(moved, chosen, "Production", self.allowed(chosen, "Production"))

    @rule(version=versions, to=stages, who=st.sampled_from(["eve", "eve@laptop", "fay", "bob", "robot"]))
    def override(self, version: str, to: str, who: str) -> None:
        allowed = self.allowed(version, to, who, "no time")
        moved = self.attempt(lambda: override(self.office.desk(who), MODEL, version, to, reason="no time"))
        if moved is None:
            return
        assert not allowed
        assert person(who) in self.members["on-call"]
        assert version not in self.known or self.as_registered(version, "model")
        self.unreviewed[moved.decision.override] = (person(who), version, to, self.now + REVIEW)
        self.went(version, to)

    @precondition(lambda self: self.unreviewed)
    @rule(data=st.data(), who=names)
    def review(self, data: st.DataObject, who: str) -> None:
        number = data.draw(st.sampled_from(sorted(self.unreviewed)))
        by, version, to, _ = self.unreviewed[number]
        looked = self.attempt(lambda: review(self.office.desk(who), MODEL, number, comment="fine"))
        assert (looked is not None) == (person(who) not in {by, "robot", "stranger"})
        if looked is not None:
            del self.unreviewed[number]
            self.served |= {version} if to == "Production" else set()

    @rule(who=st.sampled_from(["ann", "eve", "fay"]))
    def adopt(self, who: str) -> None:
        may = not self.governed or person(who) in self.members["on-call"]
        adopted = self.attempt(lambda: adopt(self.office.desk(who), MODEL, reason="by hand")) or ()
        shared = any(sum(stage == one for one in self.actual.values()) > 1 for stage in ALIASES)
        strange = {one for one, to in self.actual.items() if to in ALIASES and self.believed[one] != to}
        assert {one.number for one in adopted} == (strange if may and not shared else set())
        moves = {}
        for number in (one.number for one in adopted):
            stage = self.actual[number]
            gone = [one for one, to in self.believed.items() if to == stage and self.actual[one] not in ALIASES]
            moves |= {number: stage, **{one: self.actual[one] for one in gone}}
            known = self.known.setdefault(number, Known(self.seen(number), set()))
            known.by.add(who)
            self.served |= {number} if stage == "Production" else set()
        self.recorded(moves)

    # What happens to them.

    @rule(days=st.sampled_from([1, 7, 20, 30]))
    def time_passes(self, days: int) -> None:
        self.office.wait(days * DAY)

    @rule(version=versions, part=st.sampled_from(["card", "use_case", "card", "use_case", "model"]), back=st.booleans())
    def evidence_changes(self, version: str, part: str, back: bool) -> None:
        value = 0 if back else self.news.get((version, part), 0) + 1
        self.news[version, part] = value
        self.office.evidence.changed.pop((version, part), None)
        if value:
            self.office.evidence.change(version, part, str(value))

    @rule(role=st.sampled_from(ROLES), who=st.sets(st.sampled_from(["bob", "cem", "dora", "eve", "fay"]), min_size=1))
    def people_change_roles(self, role: str, who: set[str]) -> None:
        self.office.policy = with_members(self.office.policy, role, *sorted(who))
        self.members[role] = who

    @rule(version=versions, to=anywhere)
    def somebody_uses_plain_mlflow(self, version: str, to: str) -> None:
        self.pushed |= {self.actual[version], to}
        self.office.push(version, to)
        self.actual[version] = to

    # What always holds.

    @invariant()
    def the_registry_shows_what_was_recorded_or_pushed(self) -> None:
        assert self.office.stages == self.actual

    @invariant()
    def the_ledger_never_explains_what_was_done_behind_its_back(self) -> None:
        assert {one: self.office.shelf.history.stage_of(one) for one in VERSIONS} == self.believed

    @invariant()
    def one_version_in_each_registry_stage_and_its_alias_in_step(self) -> None:
        for stage, alias in ALIASES.items():
            there = [one for one, at in self.actual.items() if at == stage]
            if stage not in self.pushed:
                assert len(there) <= 1
                assert self.office.aliases.get(alias) == (there[0] if there else None)

    @invariant()
    def the_chain_holds(self) -> None:
        assert walk(self.office.registry.stored()) == Head(
            len(self.office.registry.records),
            self.office.last.hash if self.office.registry.records else "0" * 64,
        )

    @invariant()
    def requests_stand_as_expected(self) -> None:
        for number, one in self.asked.items():
            waits = not one.ended and self.now < one.lapses
            assert (self.office.request_state(number) == "open") == waits


TestDesks = Desks.TestCase
TestDesks.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
