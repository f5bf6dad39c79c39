"""What every action at the desk shares: who acts, what holds, a change in which nothing is half done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.history import GlassBreak, History, Registration, Request
from mlops_mlflow.core.ledger.record import POLICY_NAME, Action, Actor, Entry, Record
from mlops_mlflow.core.ledger.replay import extended
from mlops_mlflow.core.plain import to_plain
from mlops_mlflow.core.policy.decide import Case, Decision, RuleFinding, decide
from mlops_mlflow.core.policy.document import Policy, is_unnamed
from mlops_mlflow.core.policy.evidence import Evidence
from mlops_mlflow.core.policy.rules import Rules, rules_of
from mlops_mlflow.core.policy.transitions import ALIASES, Transition
from mlops_mlflow.core.policy.words import moment
from mlops_mlflow.governance.evidence import EvidenceReader, champion_digest
from mlops_mlflow.governance.shelf import Change, Registry, Shelf, Version, read_record
from mlops_mlflow.tracking.tracker import now_ms


class RefusedError(RegistryError):
    """Somebody asked for what the policy does not allow, or not them; the attempt is recorded.

    Attributes:
        decision: Every rule with its outcome, where the policy decided about a transition.
        record: Sequence of the refusal in the ledger; 0 until it is there.
    """

    exit_code = 1
    decision: Decision | None = None
    record: int = 0

    @classmethod
    def of(cls, case: Case, decision: Decision, *, first: Sequence[RuleFinding] = ()) -> RefusedError:
        """A transition that the policy does not allow.

        Args:
            case: What was decided about.
            decision: What was said.
            first: What has to be seen to before anything else; all that is missing when left out.
        """
        missing = decision.missing
        todo = dict.fromkeys(one.todo for one in first or missing if one.todo)
        error = cls(
            f"{case.transition}: refused by {case.rules.policy.name}",
            expected="; ".join(one.rule for one in missing),
            got="; ".join(f"{one.rule}: {one.reason}" for one in missing),
            hint="; ".join(todo),
        )
        error.decision = decision
        return error


@dataclass(frozen=True)
class Desk:
    """Acts for one person.

    Attributes:
        registry: What is changed.
        policy: The organisation's.
        actor: Who acts.
        evidence: Reads what is known of a version.
        clock: Now, for looking; a change has the registry's clock.
        publish: Gets what was written, once it is; it raises nothing.
    """

    registry: Registry
    policy: Policy
    actor: Actor
    evidence: EvidenceReader
    clock: Callable[[], int] = now_ms
    publish: Callable[[Matter], None] = lambda _: None

    @property
    def person(self) -> str:
        """Who acts, as the policy calls them."""
        return self.policy.person(self.actor.name)

    def rules(self, history: History, version: str, to: str) -> Rules:
        """What holds for a transition of a version: the policy, tightened by the use case it was registered from."""
        registration = history.registrations.get(version)
        return rules_of(self.policy, to, registration.use_case if registration else {})

    def case(self, shelf: Shelf, version: str, to: str, now: int, evidence: Evidence | None = None) -> Case:
        """All that a decision about a version stands on."""
        rules = self.rules(shelf.history, version, to)
        if evidence is None:
            evidence = self.evidence(shelf, version, rules) if to in ALIASES else Evidence({})
        there = shelf.versions.get(version)
        begin = there.registry_stage if there else shelf.history.stage_of(version)
        transition = Transition(shelf.name, version, begin, to)
        return Case(transition, self.person, rules, evidence, shelf.history, now)

    def check_policy(self, shelf: Shelf) -> None:
        """The default policy does not decide about what an organisation's policy decided about before.

        Raises:
            RefusedError: It would, because the environment names no file.
        """
        if is_unnamed(before := shelf.history.policy, self.policy):
            raise RefusedError(
                f"the last decision about {shelf.name} was made under `{before}`; MLOPS_POLICY names no file",
                expected=f"the file of {before}, or of the policy that took its place",
                got=self.policy.name,
                hint="set MLOPS_POLICY to that file; one with the rules of the default policy needs a name of its own",
            )

    def look(self, model: str, version: str, to: str) -> tuple[Case, Decision]:
        """What the policy says now; nothing is recorded."""
        shelf = self.registry.shelf(model)
        known(shelf, version)
        case = self.case(shelf, version, to, self.clock())
        return case, decide(case)

    @contextmanager
    def changing(self, attempt: str, model: str, version: str, to: str, *, looking: bool = True) -> Iterator[Matter]:
        """Begin a change about one version; a refusal inside is recorded, and nothing else.

        The evidence is read before the registry is locked, and again only if that changed meanwhile on which it stands.

        Args:
            attempt: What is tried, for the record of a refusal.
            model: Its name.
            version: Its number.
            to: Registry stage that it is about.
            looking: Whether it is about what the version is; else no evidence is read, and it may be gone.

        Raises:
            RegistryError: There is no such version.
            RefusedError: As raised inside.
        """
        before = self.registry.shelf(model)
        evidence = self._look(before, version, to, self.clock()) if looking else Evidence({})
        refused: RefusedError | None = None
        try:
            with self.registry.changing(model) as change:
                if looking and _stands_on(change.shelf, version) != _stands_on(before, version):
                    evidence = self._look(change.shelf, version, to, change.now)
                matter = Matter(self, change, self.case(change.shelf, version, to, change.now, evidence))
                try:
                    self.check_policy(change.shelf)
                    yield matter
                except RefusedError as error:
                    refused = error
                    if matter.records:
                        raise  # takes back what was recorded before
                    matter.record_refusal(attempt, error)
        except RefusedError as error:
            with self.registry.changing(model) as change:
                matter = Matter(self, change, matter.case)
                matter.record_refusal(attempt, error)
        self.publish(matter)
        if refused is not None:
            raise refused

    def _look(self, shelf: Shelf, version: str, to: str, now: int) -> Evidence:
        known(shelf, version)
        return self.case(shelf, version, to, now).evidence

    def find(self, number: int) -> tuple[Request, str]:
        """A request by its number, and its model.

        Raises:
            RegistryError: There is none.
        """
        stored = next(iter(self.registry.stored(number - 1)), None) if number > 0 else None
        record = read_record(number, stored.text) if stored and stored.sequence == number else None
        if record is None or record.entry.action != "request":
            other = f", which is a record of another kind ({record.entry.action})" if record else ""
            raise RegistryError(
                f"there is no request R{number}",
                expected="the name of a request, such as R17",
                got=f"R{number}{other}",
                hint="`mlops status USE_CASE` lists them",
            )
        return self.registry.shelf(record.entry.model).history.requests[number], record.entry.model


@dataclass
class Matter:
    """One version, in a change.

    Attributes:
        desk: Who acts.
        change: Of the registry and the ledger.
        case: As it was when the change began.
        records: Written in this change.
    """

    desk: Desk
    change: Change
    case: Case
    records: list[Record] = field(default_factory=list)

    def record(
        self,
        action: Action,
        *,
        reason: str = "",
        roles: tuple[str, ...] = (),
        details: Mapping[str, Any] | None = None,
    ) -> Record:
        """Write about this version into the ledger."""
        transition, evidence = self.case.transition, self.case.evidence
        made = self.change.record(
            Entry(
                action,
                transition.model,
                self.desk.actor,
                transition.version,
                transition.begin,
                transition.to,
                roles,
                legible(reason),
                evidence.digest if evidence.parts else "",
                self.case.rules.digest,
                self.desk.registry.enforced,
                {**(details or {}), POLICY_NAME: self.desk.policy.name},
            )
        )
        self.records.append(made)
        return made

    def record_refusal(self, attempt: str, error: RefusedError) -> None:
        """Write down what was not let through."""
        details: dict[str, Any] = {"attempt": attempt, "why": legible(error.what)}
        if error.decision is not None:
            details["findings"] = to_plain(error.decision.findings)
        error.record = self.record("refusal", reason=error.what, details=details).sequence

    def now(self, *glass: GlassBreak) -> Case:
        """The case with what this change has recorded by now, and with a glass that is about to be broken."""
        history = extended(self.case.history, self.records)
        return replace(self.case, history=replace(history, glass_breaks=(*history.glass_breaks, *glass)))

    def waiting(self, number: int) -> Request:
        """A request, if it still waits.

        Raises:
            RegistryError: It has ended.
        """
        request = self.case.history.requests[number]
        state = request.state(self.case.now)
        if state == "open":
            return request
        lapsed = f" on {moment(request.lapses)}, which rejects it"
        by = f" by record {request.ended_by}" if request.ended_by else lapsed
        raise RefusedError(
            f"{request.name} has ended",
            expected="a request that waits",
            got=f"{state}{by}",
            hint=f"ask again: `mlops request {self.case.transition.model} --to {request.to}`",
        )


def _stands_on(shelf: Shelf, version: str) -> tuple[str, Registration | None]:
    """What the evidence of a version stands on beside its own files: the champion, and the rules of its use case."""
    return champion_digest(shelf, version), shelf.history.registrations.get(version)


def known(shelf: Shelf, version: str) -> Version:
    """A version that is there.

    Raises:
        RegistryError: It is not.
    """
    if version in shelf.versions:
        return shelf.versions[version]
    there = ", ".join(f"{one.number} ({one.registry_stage})" for one in shelf.versions.values())
    raise RegistryError(
        f"{shelf.name} has no version {version}",
        expected=there or "a registered model with versions",
        got=version or "nothing",
        hint="`mlops run` registers a version once it passes `validate`",
    )


def legible(text: str) -> str:
    """What somebody typed, without bytes that are no Unicode, which terminals may send and JSON cannot say."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def needs(text: str, what: str, option: str) -> None:
    """Some things are not done without saying why.

    Raises:
        RegistryError: Nothing is said.
    """
    if not text.strip():
        raise RegistryError(
            f"{what} needs a reason", expected="one sentence for those who read the ledger", got="nothing", hint=option
        )


def candidate(shelf: Shelf, to: str) -> str:
    """The version that is meant where none is named: the newest that may go there.

    Raises:
        RegistryError: There is none.
    """
    ways = {"Staging": ("None", "Archived"), "Production": ("Staging",), "Archived": ("Staging",)}
    begin = ways.get(to, ())
    for stage in begin:
        if found := shelf.in_stage(stage):
            return max(found, key=lambda one: int(one.number)).number
    there = ", ".join(f"version {one.number} in {one.registry_stage}" for one in shelf.versions.values())
    raise RegistryError(
        f"{shelf.name} has no version that could go to {to}",
        expected=f"a version in {' or '.join(begin)}" if begin else f"one of the registry stages {', '.join(ways)}",
        got=there or "no versions",
        hint="name one with --version, or run `mlops run` first",
    )
