"""What a policy file can say, who holds which role then, and what is wrong in it, each at its line."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mlops_mlflow.core.errors import UseCaseError
from mlops_mlflow.core.policy.document import DEFAULT, Policy
from mlops_mlflow.core.policy.parse import InvalidPolicy, PolicyError, parse_policy

GOOD = """\
name: Example Bank
people:
  Ann: [ann, ann@example.com]
  Bob: [bob]
  Eve: []
groups:
  risk: [Bob, Eve]
roles:
  business: {members: [Ann]}
  compliance: {members: [risk], looks_at: [card, use_case]}
  data officer: {members: [anybody]}
machines: [ci]
Staging: {verdict: any}
Production:
  approvals: {business: 1, compliance: 1}
  verdict_age: P30D
  minimum_staging: P1D
Archived: {approvers: 1}
rollback: [compliance]
override: {roles: [compliance], life: PT4H}
"""


def problems(*changes: tuple[str, str]) -> list[str]:
    text = GOOD
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy(text, file="p.yaml")
    return [str(one) for one in caught.value.problems]


def test_a_good_file_becomes_a_policy() -> None:
    policy = parse_policy(GOOD, file="p.yaml")

    assert policy.Production.verdict_age == timedelta(days=30)
    assert policy.Production.verdict == "passed"
    assert policy.holders("compliance") == {"Bob", "Eve"}
    assert policy.looks_at("compliance") == ("card", "use_case")
    assert policy.overriders("Staging") == ("compliance",)


def test_a_policy_survives_the_way_through_json() -> None:
    policy = parse_policy(GOOD, file="p.yaml")

    assert Policy.model_validate(policy.model_dump(mode="json")) == policy


def test_whom_the_policy_lists_is_everybody() -> None:
    policy = parse_policy(GOOD, file="p.yaml")

    assert policy.holders("data officer") == {"Ann", "Bob", "Eve"}
    assert policy.holds("ann@example.com", "data officer")
    assert not policy.holds("mallory", "data officer")
    assert not policy.is_known("mallory")


def test_nobody_holds_a_role_that_is_not_listed_unless_the_policy_says_anybody() -> None:
    policy = parse_policy(GOOD, file="p.yaml")

    assert policy.holders("legal") == frozenset()
    assert DEFAULT.holders("legal") is None
    assert DEFAULT.holds("anyone", "legal")


def test_a_program_holds_no_role() -> None:
    policy = Policy(name="p", machines=("ci",), unlisted_roles="anybody")

    assert not policy.holds("ci", "legal")
    assert not policy.is_known("ci")


def test_errors_of_a_policy_are_no_errors_of_a_use_case() -> None:
    with pytest.raises(PolicyError) as caught:
        parse_policy("name: 1\n", file="p.yaml")

    assert not isinstance(caught.value, UseCaseError)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("name: Example Bank", "nam: Example Bank"), "p.yaml:1:1: `nam` is not a key of the policy (did you mean"),
        (("minimum_staging", "minimum_stagin"), "p.yaml:17:3: `minimum_stagin` is not a key of `Production` (did you"),
        (("[card, use_case]", "[card, usecase]"), "p.yaml:10:50: `roles.compliance.looks_at[1]`: expected 'model', "),
        (("verdict_age: P30D", "verdict_age: 30"), "p.yaml:16:16: `Production.verdict_age`: expected an ISO 8601 "),
        (
            ("verdict_age: P30D", "verdict_age: P9999W"),
            "p.yaml:16:16: `Production.verdict_age`: expected a duration of",
        ),
        (("business: 1", "business: 0"), "p.yaml:15:25: `Production.approvals.business`: expected greater than"),
        (
            ("verdict: any", "verdict: maybe"),
            "p.yaml:13:20: `Staging.verdict`: expected 'passed' or 'any', got `maybe`",
        ),
        (("members: [Ann]", "members: Ann"), "p.yaml:9:23: `roles.business.members`: expected a list, got `Ann`; put"),
        (("members: [Ann]", "members: []"), "p.yaml:9:23: `roles.business.members`: expected at least one entry"),
        (("{approvers: 1}", "{verdict: any}"), "p.yaml:18:12: `verdict` is not a key of `Archived`"),
        (("life: PT4H", "lives: PT4H"), "p.yaml:20:33: `lives` is not a key of `override` (did you mean `life`?)"),
    ],
)
def test_what_the_models_refuse_is_told_at_its_line(change: tuple[str, str], told: str) -> None:
    (found,) = problems(change)
    assert found.startswith(told)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("risk: [Bob, Eve]", "risk: [Bobb, Eve]"),
            "p.yaml:7:10: `Bobb` is not one of the people (did you mean `Bob`?); add it under `people`, or take it out",
        ),
        (
            ("members: [Ann]", "members: [Ann, riks]"),
            "p.yaml:9:29: `riks` is not one of the people or groups (did you mean `risk`?); "
            "add it under `people`, or take it out",
        ),
        (
            ("members: [Ann]", "members: [Ann, ci]"),
            "p.yaml:9:29: `ci` is one of the `machines`, which approve nothing; expected a person",
        ),
        (
            ("rollback: [compliance]", "rollback: [complience]"),
            "p.yaml:19:12: `complience` is not one of the roles (did you mean `compliance`?): business, compliance, "
            "data officer; say under `roles` who its members are",
        ),
        (
            ("override: {roles: [compliance]", "override: {roles: [oncall]"),
            "p.yaml:20:20: `oncall` is not one of the r",
        ),
        (("business: 1,", "busines: 1,"), "p.yaml:15:24: `busines` is not one of the roles (did you mean `business`?)"),
        (
            ("{approvers: 1}", "{override_roles: [oncall]}"),
            "p.yaml:18:29: `oncall` is not one of the roles",
        ),
        (
            ("Bob: [bob]", "Bob: [bob, ann]"),
            "p.yaml:4:14: `ann` is both Ann and Bob; a name belongs to one person",
        ),
        (
            ("Bob: [bob]", "Bob: [ci]"),
            "p.yaml:4:9: `ci` is also one of the `machines`; a name belongs to a person or to a program",
        ),
        (
            ("Bob: [bob]", "Bob: [risk]"),
            "p.yaml:4:9: `risk` is also the name of a group; give the group another name",
        ),
        (
            ("Bob: [bob]", "Bob: [anybody]"),
            "p.yaml:4:9: `anybody` stands for everybody and cannot be the name of a person",
        ),
        (
            ("  risk: [Bob, Eve]\n", "  risk: [Bob, Eve]\n  all: [risk, Ann]\n"),
            "p.yaml:8:9: `risk` is a group; groups hold people, so write their names here",
        ),
        (
            ("  risk: [Bob, Eve]\n", "  risk: [Bob, Eve]\n  anybody: [Ann]\n"),
            "p.yaml:8:12: `anybody` stands for everybody and cannot be the name of a group",
        ),
        (
            ("risk: [Bob, Eve]", "risk: [Bob, anybody]"),
            "p.yaml:7:15: `anybody` stands for everybody; write it under a role instead",
        ),
        (
            ("business: 1,", "business: 2,"),
            "p.yaml:15:25: 2 approvals as business can never be given: 1 can act in it",
        ),
        (
            ("risk: [Bob, Eve]", "risk: [Ann]"),
            "p.yaml:15:14: `Production.approvals`: 2 approvals as business and compliance need as many people, "
            "since one counts once: there are 1",
        ),
        (
            ("{approvers: 1}", "{approvers: 4}"),
            "p.yaml:18:23: `Archived.approvers` is 4, but there are only 3 people",
        ),
        (
            ("Staging: {verdict: any}", "Staging: {minimum_staging: P1D}"),
            "p.yaml:13:28: only a transition to Production can wait in Staging; put it there",
        ),
    ],
)
def test_contradictions_are_told_at_their_line(change: tuple[str, str], told: str) -> None:
    (found,) = problems(change)
    assert found.startswith(told)


def test_roles_for_overrides_need_the_section_that_says_how_long_one_lives() -> None:
    without = ("override: {roles: [compliance], life: PT4H}\n", "")
    (found,) = problems(without, ("{approvers: 1}", "{override_roles: [compliance]}"))
    assert found == "p.yaml:18:28: needs the section `override`, which says how long a broken glass lives"


def test_all_problems_are_told_at_once() -> None:
    assert len(problems(("[Bob, Eve]", "[Bob, Evi]"), ("rollback: [compliance]", "rollback: [oncall]"))) == 2


def test_without_a_list_of_people_every_name_is_a_person() -> None:
    policy = parse_policy("name: p\nroles: {legal: {members: [anna]}}\n", file="p.yaml")

    assert policy.holders("legal") == {"anna"}
    assert policy.is_known("whoever")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "p.yaml:1:1: expected keys such as `name:` and `Production:`, got nothing"),
        ("- a\n", "p.yaml:1:1: expected keys such as `name:` and `Production:`, got a list"),
        ("version: 1\n", "p.yaml:1:1: the policy needs `name`; add it to the section that begins here"),
        ("name: a: b\n", "p.yaml:1:8: not YAML"),
        ("name: a\nname: b\n", "p.yaml:2:1: "),
        ("a" * 1_000_001, "p.yaml:1:1: has 1,000,001 characters; expected a policy of at most 1,000,000"),
        ("name: p\nspares: [a]\n", "p.yaml:2:1: `spares` is not a key of the policy"),
        ("name: p\napprovers: 1\n", "p.yaml:2:1: `approvers` is not a key of the policy"),
        ("name: p\nroles: {'': {members: [a]}}\n", "p.yaml:2:9: `roles.`: expected some text"),
    ],
)
def test_what_is_no_policy_at_all_is_told_in_the_words_of_a_policy(text: str, told: str) -> None:
    with pytest.raises(InvalidPolicy) as caught:
        parse_policy(text, file="p.yaml")
    assert str(caught.value.problems[0]).startswith(told)
    assert "use case" not in str(caught.value)


def test_a_file_does_not_pass_for_the_default_policy() -> None:
    with pytest.raises(InvalidPolicy, match=r"p\.yaml:1:7: `the default policy` is the one that holds where no file"):
        parse_policy("name: the default policy\n", file="p.yaml")
