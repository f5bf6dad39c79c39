"""What is wrong in the policy file, or between it and a use case, is told with its line by ``mlops check``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CHECK = ("check", "uc")


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Writes a policy file, and names it in the environment."""

    def write(text: str) -> None:
        (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
        monkeypatch.setenv("MLOPS_POLICY", "policy.yaml")

    return write


def test_a_use_case_that_fits_its_policy_is_fine(use_case: Any, shell: Any, policy: Callable[[str], None]) -> None:
    policy("name: Bank\nroles: {business: {members: [bob]}}\nProduction: {approvals: {business: 1}}\n")
    use_case.save(governance={"Production": {"approvals": {"business": 1}}})

    ended = shell(*CHECK)

    assert ended.code == 0, ended.err
    assert ended.out.endswith("uc/usecase.yaml: ok, also for the policy `Bank`\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: Bank\nProduction: {approvals: {risk: 1}}\n", ("policy.yaml:2:32: `risk` is not one of the roles",)),
        (
            "name: Bank\npeople: {Ann: []}\nroles: {risk: {members: [An]}}\n",
            ("policy.yaml:3:26: `An` is not one of the people", "did you mean `Ann`?"),
        ),
        (
            "name: Bank\nroles: {risk: {members: [ann]}}\nProduction: {approvals: {risk: 2}}\n",
            ("policy.yaml:3:32: 2 approvals as risk can never be given: 1 can act in it",),
        ),
        ("name: Bank\nprodution: {}\n", ("policy.yaml:2:1: `prodution`", "did you mean `Production`?")),
        ("name: Bank\nProduction: {approval_lapse: 30}\n", ("policy.yaml:2:30:", "expected an ISO 8601 duration")),
        ("name: a: b\n", ("policy.yaml:1:8: not YAML",)),
        ("", ("policy.yaml:1:1: expected keys such as `name:`",)),
    ],
)
def test_a_policy_that_cannot_be_is_told_with_its_line(
    use_case: Any, refuse: Callable[..., Any], policy: Callable[[str], None], text: str, says: tuple[str, ...]
) -> None:
    policy(text)

    refuse(None, *says, command=CHECK)


@pytest.mark.parametrize(
    ("named", "says"),
    [
        ("nowhere.yaml", "there is no policy at nowhere.yaml"),
        (".", ". is a folder"),
        ("uc/usecase.yaml/policy.yaml", "cannot read the policy 'uc/usecase.yaml/policy.yaml': Not a directory"),
    ],
)
def test_a_policy_file_that_cannot_be_read_is_no_reason_to_take_the_default(
    use_case: Any, refuse: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, named: str, says: str
) -> None:
    monkeypatch.setenv("MLOPS_POLICY", named)

    refuse(None, says, "MLOPS_POLICY", command=CHECK)


def test_a_policy_that_is_not_text_is_told_with_its_line(
    use_case: Any, refuse: Callable[..., Any], tmp_path: Path, policy: Callable[[str], None]
) -> None:
    policy("")
    (tmp_path / "policy.yaml").write_bytes(b"version: 1\nname: \xff\n")

    refuse(None, "policy.yaml:2: is not UTF-8 (byte 0xff)", "save the file as UTF-8", command=CHECK)


def test_a_policy_that_is_huge_is_not_read(
    use_case: Any, refuse: Callable[..., Any], policy: Callable[[str], None]
) -> None:
    policy("#" * 1_000_001)

    refuse(None, "the policy policy.yaml has 1,000,001 bytes", command=CHECK)


@pytest.mark.parametrize("named", ["", " "])
def test_an_empty_variable_is_no_policy(
    named: str, use_case: Any, refuse: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_POLICY", named)

    refuse(None, "MLOPS_POLICY is set and empty", "unset it for the default policy", command=CHECK)


def test_a_use_case_that_loosens_the_policy_is_told_at_its_line(
    use_case: Any, refuse: Callable[..., Any], policy: Callable[[str], None]
) -> None:
    policy(
        "name: Bank\nunlisted_roles: anybody\n"
        "Production: {approvals: {business: 2}, approval_lapse: P7D, envelopes: false}\n"
    )
    envelope = {"spares": ["business"], "metrics": [{"metric": "roc_auc", "at_least": 0.6}]}
    use_case.save(
        governance={"Production": {"approvals": {"business": 1}, "approval_lapse": "P30D", "envelope": envelope}}
    )

    refuse(
        None,
        "uc/usecase.yaml: 3 problems",
        "`governance.Production.approvals.business` is 1, Bank asks for 2",
        "`governance.Production.approval_lapse` is longer than the 7 days of Bank",
        "`governance.Production.envelope` is not allowed by Bank",
        command=CHECK,
    )


def test_a_use_case_that_names_a_role_the_policy_does_not_know_is_told_at_its_line(
    use_case: Any, refuse: Callable[..., Any], policy: Callable[[str], None]
) -> None:
    policy("name: Bank\nroles: {legal: {members: [bob]}}\n")
    use_case.save(requirements=[{"approval": "legel", "subject": "wording"}])

    refuse(None, "uc/usecase.yaml:", "`legel` is not a role of Bank (did you mean `legal`?)", command=CHECK)


def test_a_policy_file_is_checked_alone_and_says_which_policy_it_is(
    shell: Any, policy: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy("name: Bank\nmode: dry_run\n")
    monkeypatch.delenv("MLOPS_POLICY")
    ended = shell("policy", "check", "policy.yaml")
    assert (ended.code, ended.out) == (0, "policy.yaml: ok (Bank, dry run)\n")


def test_a_problem_of_a_policy_file_that_is_checked_alone_is_told_with_its_line(
    refuse: Callable[..., Any], policy: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy("name: Bank\nprodution: {}\n")
    monkeypatch.delenv("MLOPS_POLICY")
    refuse(
        None, "policy.yaml:2:1: `prodution`", "did you mean `Production`?", command=("policy", "check", "policy.yaml")
    )
    refuse(None, "there is no policy at elsewhere.yaml", command=("policy", "check", "elsewhere.yaml"))
