"""What `mlops status` says: the policy, changes past the ledger and how to put them back, the overview."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from desks import MODEL, Office

from mlops_mlflow.cli import history, request
from mlops_mlflow.cli import status as command
from mlops_mlflow.governance.desk.standing import standing


def told(office: Office) -> list[str]:
    return list(command._status(standing(office.desk("ann"), MODEL), everything=False))


def test_it_names_the_policy_and_whether_it_only_watches() -> None:
    office = Office().in_staging("1")
    assert "policy: the bank's policy" in told(office)[0]
    office.policy = office.policy.model_copy(update={"mode": "dry_run"})
    assert told(office)[0].endswith("policy: the bank's policy, which only watches (dry run)")


def test_it_says_when_another_policy_held_before() -> None:
    office = Office().in_staging("1")
    office.policy = office.policy.model_copy(update={"name": "ours"})
    assert "the policy was `the bank's policy` when something was last recorded" in told(office)


def test_a_version_that_was_moved_past_the_ledger_is_named_with_the_command_that_puts_it_back() -> None:
    office = Office().in_production("1").in_staging("2")
    office.ask("2")
    office.push("2", "Production")
    lines = told(office)
    assert "version 2 is in Production, and the ledger says Staging" in lines
    assert any(
        "transition_model_version_stage('\"'\"'churn'\"'\"', '\"'\"'2'\"'\"', '\"'\"'Staging'\"'\"')" in line
        for line in lines
    )
    assert any("it was asked for from Staging, and the version is in Production" in line for line in lines)
    assert not any("is not one of the transitions" in line for line in lines)
    assert not any("mlops adopt" in line for line in lines), "two versions are in Production: it would be refused"


def test_a_model_that_the_ledger_does_not_know_can_be_taken_over_by_the_command_that_is_printed() -> None:
    office = Office()
    office.registry.put(MODEL, "1")
    office.push("1", "Production")
    assert "  or take over what is there: mlops adopt churn --reason ..." in told(office)


def test_the_overview_says_where_each_model_is_and_which_requests_wait() -> None:
    office = Office().in_production("1").in_staging("2")
    asked = office.ask("2")
    (line,) = command._overview(office.desk("ann"))
    assert line.split() == [MODEL, "Production", "1;", "Staging", "2", f"R{asked}", "waits"]


def test_the_overview_of_an_empty_ledger_says_how_a_model_gets_there() -> None:
    (line,) = command._overview(Office().desk("ann"))
    assert "mlops adopt" in line


def test_a_mistyped_model_is_told_with_the_name_that_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office().in_staging("1")
    for module, name, words in (
        (command, "status", ["chrun"]),
        (history, "history", ["chrun"]),
        (request, "request", ["chrun"]),
    ):
        monkeypatch.setattr(module, "open_desk", lambda: office.desk("ann"))
        done = CliRunner().invoke(getattr(module, name), words)
        assert "there is no model chrun (did you mean `churn`?)" in str(done.exception)


def test_a_version_that_is_no_number_is_told_as_one_would_say_it() -> None:
    done = CliRunner().invoke(request.request, ["churn", "--version", "abc"])
    assert "'abc' is not a valid whole number" in done.output
