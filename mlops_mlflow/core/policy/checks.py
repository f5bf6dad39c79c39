"""What has to hold between the sections of a policy: names that are known, and rules that can be met together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mlops_mlflow.core.policy.document import ANYBODY, DEFAULT, TARGETS, Policy
from mlops_mlflow.core.policy.matching import matching
from mlops_mlflow.core.policy.words import counted
from mlops_mlflow.core.usecase.problems import Problem, did_you_mean
from mlops_mlflow.core.usecase.yaml_tree import Path, Places

Found = Iterator[tuple[Path, str]]


def check(policy: Policy, places: Places) -> tuple[Problem, ...]:
    """Judge what the models alone cannot.

    Args:
        policy: A policy whose sections are well formed.
        places: Where they stand.

    Returns:
        Problems; none means that the policy is consistent.
    """
    return tuple(Problem(places.value(*path), message) for path, message in contradictions(policy))


def contradictions(policy: Policy) -> Found:
    """What a policy says that cannot be, each with its path in the file."""
    if policy.name == DEFAULT.name:
        yield ("name",), f"`{DEFAULT.name}` is the one that holds where no file is named; give this one another name"
    yield from _people(policy)
    yield from _groups(policy)
    yield from _members(policy)
    yield from _named_roles(policy)
    yield from _never_met(policy)


def _people(policy: Policy) -> Found:
    """One name, one person: who has two could approve twice."""
    known: dict[str, str] = {}
    for person, others in policy.people.items():
        for number, identity in enumerate((person, *others)):
            path: Path = ("people", person, number - 1) if number else ("people", person)
            if known.setdefault(identity, person) != person:
                yield path, f"`{identity}` is both {known[identity]} and {person}; a name belongs to one person"
            if identity in policy.machines:
                yield path, f"`{identity}` is also one of the `machines`; a name belongs to a person or to a program"
            if identity == ANYBODY:
                yield path, f"`{ANYBODY}` stands for everybody and cannot be the name of a person"
            if identity in policy.groups:
                yield path, f"`{identity}` is also the name of a group; give the group another name"


def _groups(policy: Policy) -> Found:
    for group, members in policy.groups.items():
        if group == ANYBODY:
            yield ("groups", group), f"`{ANYBODY}` stands for everybody and cannot be the name of a group"
        for number, name in enumerate(members):
            if name == ANYBODY:
                yield ("groups", group, number), f"`{ANYBODY}` stands for everybody; write it under a role instead"
            elif name in policy.groups:
                yield ("groups", group, number), f"`{name}` is a group; groups hold people, so write their names here"
            elif why := _stranger(policy, name, ()):
                yield ("groups", group, number), why


def _members(policy: Policy) -> Found:
    for role, rule in policy.roles.items():
        for number, name in enumerate(rule.members):
            if name != ANYBODY and name not in policy.groups and (why := _stranger(policy, name, policy.groups)):
                yield ("roles", role, "members", number), why


def _stranger(policy: Policy, name: str, groups: Iterable[str]) -> str:
    """Why a name cannot stand where somebody is meant; empty where it can."""
    if policy.is_machine(name):
        return f"`{name}` is one of the `machines`, which approve nothing; expected a person"
    if policy.is_known(name):
        return ""
    kinds = "one of the people or groups" if groups else "one of the people"
    known = [*policy.people, *groups]
    return f"`{name}` is not {kinds}{did_you_mean(name, known)}; add it under `people`, or take it out"


def _named_roles(policy: Policy) -> Found:
    """Roles that rules name have to be there."""
    named: list[tuple[Path, str]] = [
        ((stage, "approvals", role), role) for stage in TARGETS for role in getattr(policy, stage).approvals
    ]
    named += [(("rollback", number), role) for number, role in enumerate(policy.rollback)]
    roles = policy.override.roles if policy.override else ()
    named += [(("override", "roles", number), role) for number, role in enumerate(roles)]
    for stage in TARGETS:
        here = getattr(policy, stage).override_roles or ()
        named += [((stage, "override_roles", number), role) for number, role in enumerate(here)]
        if here and policy.override is None:
            yield (stage, "override_roles"), "needs the section `override`, which says how long a broken glass lives"
    for path, role in named:
        if role not in policy.roles and policy.unlisted_roles == "nobody":
            there = ", ".join(policy.roles) or "there are none"
            hint = did_you_mean(role, policy.roles)
            yield path, f"`{role}` is not one of the roles{hint}: {there}; say under `roles` who its members are"


def _never_met(policy: Policy) -> Found:
    for stage in TARGETS:
        rules = getattr(policy, stage)
        known = {role: policy.holders(role) for role in rules.approvals}
        alone = [
            (role, len(holders))
            for role, holders in known.items()
            if holders is not None and len(holders) < rules.approvals[role]
        ]
        for role, able in alone:
            if role in policy.roles or policy.unlisted_roles == "anybody":
                asked = counted(rules.approvals[role], "approval")
                yield (stage, "approvals", role), f"{asked} as {role} can never be given: {able} can act in it"
        if not alone and (few := short(policy, rules.approvals)):
            yield (stage, "approvals"), f"`{stage}.approvals`: {few}"
        if policy.people and rules.approvers > len(policy.people):
            people = counted(len(policy.people), "person", "people")
            yield (stage, "approvers"), f"`{stage}.approvers` is {rules.approvers}, but there are only {people}"
    if policy.Staging.minimum_staging:
        yield ("Staging", "minimum_staging"), "only a transition to Production can wait in Staging; put it there"


def short(policy: Policy, approvals: Mapping[str, int]) -> str:
    """Why these approvals can never be given together, since one person counts once; empty where they can."""
    held = {role: policy.holders(role) for role in approvals}
    bound = {role: holders for role, holders in held.items() if holders is not None}
    people: frozenset[str] = frozenset().union(*bound.values())
    able = {person: [role for role, holders in bound.items() if person in holders] for person in sorted(people)}
    needed = sum(approvals[role] for role in bound)
    found = sum(map(len, matching(able, {role: approvals[role] for role in bound}).values()))
    if found >= needed:
        return ""
    roles = " and ".join(bound)
    return f"{counted(needed, 'approval')} as {roles} need as many people, since one counts once: there are {found}"
