"""What `mlops request` and `mlops status` print about approvals that are there, missing, or cannot be given."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner
from desks import DEFAULT, MODEL, TWO_ROLES, Office, with_members

from mlops_mlflow.cli import request as command
from mlops_mlflow.cli import status
from mlops_mlflow.governance.desk.approvals import approve
from mlops_mlflow.governance.desk.requests import withdraw

LEGAL = {"requirements": [{"approval": "legal", "subject": "wording", "before": "Production"}]}
Says = Callable[..., str]


@pytest.fixture
def says(monkeypatch: pytest.MonkeyPatch) -> Says:
    """What a command prints to somebody at an office."""

    def said(office: Office, who: str, *words: str) -> str:
        for module in (command, status):
            monkeypatch.setattr(module, "open_desk", lambda: office.desk(who))
        told = CliRunner().invoke({"request": command.request, "status": status.status}[words[0]], [MODEL, *words[1:]])
        assert told.exit_code == 0, told.output
        return told.output

    return said


def test_a_new_request_names_the_requirements_that_are_approved_already(says: Says) -> None:
    policy = TWO_ROLES.model_copy(update={"unlisted_roles": "anybody"})
    office = Office(policy)
    office.register("1", use_case=LEGAL)
    asked = office.ask("1")
    approve(office.desk("fay"), asked, role="legal")
    withdraw(office.desk("ann"), asked)

    told = says(office, "ann", "request")

    has, missing = told.split("missing\n")
    assert "approved\n  ✓ legal approves: wording  fay on 2023-11-14 22:13 UTC\n" in has
    assert "legal" not in missing
    assert "approved\n" not in says(Office(policy).in_staging("1"), "ann", "request")


def test_a_change_of_policy_is_told(says: Says) -> None:
    office = Office(DEFAULT).in_staging("1")
    office.policy = TWO_ROLES

    assert "policy     changed since: the default policy -> the bank's policy\n" in says(office, "ann", "request")


def test_status_prints_no_command_that_would_be_refused(says: Says) -> None:
    office = Office(with_members(TWO_ROLES, "compliance", "cem"))
    office.register("1", by="cem")

    told = says(office, "ann", "status")

    assert "→ nobody can: 1 approval needed as compliance, which only cem can give" in told
    assert "mlops request" not in told
    office.policy = TWO_ROLES
    assert "→ ask for it: mlops request churn --to Production" in says(office, "ann", "status")
    office.policy = DEFAULT
    told = says(office, "ann", "status")
    assert "the last decision was made under `the bank's policy`, and MLOPS_POLICY names no file" in told
    assert "mlops request" not in told
