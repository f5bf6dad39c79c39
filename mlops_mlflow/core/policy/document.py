"""The organisation's policy file: who holds which role, and what each registry stage asks for."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from mlops_mlflow.core.policy.evidence import PARTS, Part
from mlops_mlflow.core.usecase.base import Duration, RegistryStage, Section, Text

ANYBODY = "anybody"
TARGETS: tuple[RegistryStage, ...] = ("Staging", "Production", "Archived")
LONGEST = timedelta(days=36_525)


def _bounded(given: timedelta) -> timedelta:
    if given > LONGEST:
        raise ValueError("expected a duration of a hundred years at most")
    return given


Span = Annotated[Duration, AfterValidator(_bounded)]
"""A hundred years at most: sums with times stay within what calendars and the ledger's JSON can say."""


class Role(Section):
    """Who may act in a role, and what they answer for."""

    members: Annotated[tuple[Text, ...], Field(min_length=1)]
    """People or groups; `anybody` for everybody."""
    looks_at: Annotated[tuple[Part, ...], Field(min_length=1)] = PARTS
    """Parts of the evidence that this role answers for: an approval is stale when one of them changes."""


class ArchiveRules(Section):
    """What it takes to put a version into the archive; a champion that is replaced goes there without."""

    approvals: dict[Text, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """How many approvals, by role; one person counts once."""
    approvers: Annotated[int, Field(ge=0)] = 0
    """How many people have to approve at least, in whichever role."""
    exclude_authors: bool = True
    """Whether registrant and requester may not approve."""
    request_lapse: Span = timedelta(days=30)
    """A request that nobody completed is then rejected."""
    approval_lapse: Span | None = None
    """After this an approval no longer counts."""
    override_roles: tuple[Text, ...] | None = None
    """Who may break the glass here; the roles of `override` when left out, nobody when empty."""


class StageRules(ArchiveRules):
    """What a transition to a registry stage takes."""

    verdict: Literal["passed", "any"] = "passed"
    """Of `validate`; `any` lets a version pass that did not keep its criteria."""
    verdict_age: Span | None = None
    """An older verdict has to be repeated."""
    minimum_staging: Span | None = None
    """How long a version has to have been in Staging; for Production."""
    envelopes: bool = True
    """Whether a use case may name changes for which its envelope, approved once, stands in for new approvals."""


class Override(Section):
    """Breaking the glass: past every rule but the table of transitions and intact model files."""

    roles: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Who may, where a registry stage does not say otherwise."""
    life: Span = timedelta(hours=24)
    """How long it may be used, once."""
    review_within: Span = timedelta(days=7)
    """Somebody else has to review it; an overdue review blocks the next promotion to Production."""


class Policy(Section):
    """Rules of an organisation for registry stage transitions."""

    version: Literal[1] = 1
    name: Text
    """Shown in findings."""
    mode: Literal["enforce", "dry_run"] = "enforce"
    """`dry_run` records what would have been refused and stops nothing but illegal transitions and changed models."""
    people: dict[Text, tuple[Text, ...]] = Field(default_factory=dict)
    """People by name, with the other names that machines know them by; nobody else may then approve.

    When left out, every name is a person.
    """
    groups: dict[Text, Annotated[tuple[Text, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """Groups of people."""
    roles: dict[Text, Role] = Field(default_factory=dict)
    """Who may approve as what."""
    unlisted_roles: Literal["nobody", "anybody"] = "nobody"
    """Who holds a role that a use case names and this file does not."""
    machines: tuple[Text, ...] = ()
    """Accounts of programs, which approve nothing; what they register is the work of the use case's technical owner."""
    Staging: StageRules = StageRules()
    """Before people see a version as the challenger."""
    Production: StageRules = StageRules()
    """Before it serves."""
    Archived: ArchiveRules = ArchiveRules()
    """Before it is retired or rejected."""
    rollback: tuple[Text, ...] = ()
    """Roles that may roll back; everybody when left out."""
    override: Override | None = None
    """Who may break the glass; nobody when left out."""
    other_models: Literal["stock", "refuse"] = "stock"
    """What becomes of transitions of models that belong to no use case."""
    verified_identity: bool = False
    """Whether approvals and overrides count only where a server has checked who gave them."""

    def person(self, name: str) -> str:
        """The person that a name stands for; the name itself where the file knows nobody of it."""
        return next((person for person, others in self.people.items() if name == person or name in others), name)

    def is_machine(self, name: str) -> bool:
        """Whether a name is that of a program."""
        return name in self.machines

    def is_known(self, name: str) -> bool:
        """Whether a name is that of somebody who may act."""
        return not self.is_machine(name) and (not self.people or self.person(name) in self.people)

    def holders(self, role: str) -> frozenset[str] | None:
        """People who hold a role; None for everybody, where the file lists no people."""
        listed = self.roles.get(role)
        everybody = ANYBODY in listed.members if listed else self.unlisted_roles == "anybody"
        if everybody:
            return frozenset(self.people) or None
        members = listed.members if listed else ()
        people = (self.person(one) for member in members for one in self.groups.get(member, (member,)))
        return frozenset(one for one in people if not self.is_machine(one))

    def holds(self, person: str, role: str) -> bool:
        """Whether somebody holds a role."""
        holders = self.holders(role)
        return self.person(person) in holders if holders is not None else not self.is_machine(person)

    def overriders(self, to: RegistryStage) -> tuple[str, ...]:
        """Roles that may break the glass for a registry stage."""
        if self.override is None:
            return ()
        rules: ArchiveRules = getattr(self, to)
        return self.override.roles if rules.override_roles is None else rules.override_roles

    def looks_at(self, role: str) -> tuple[Part, ...]:
        """Parts of the evidence that a role answers for."""
        return self.roles[role].looks_at if role in self.roles else PARTS


DEFAULT = Policy(
    name="the default policy",
    unlisted_roles="anybody",
    Production=StageRules(approvers=1),
)
"""Where ``MLOPS_POLICY`` names no file: Production needs one approval, by somebody who is not the author."""


def is_unnamed(before: str, now: Policy) -> bool:
    """Whether the default policy would decide where a policy of an organisation decided before.

    Args:
        before: Name of the policy of the last record; empty where no record names one.
        now: That would decide.
    """
    return now.name == DEFAULT.name and before not in {"", DEFAULT.name}
