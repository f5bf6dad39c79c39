"""What `mlops history` says: what a transition stood on, overrides, every record."""

from __future__ import annotations

import time

import pytest
from desks import DAY, MODEL, TWO_ROLES, Office

from mlops_mlflow.cli import history as command
from mlops_mlflow.governance.desk.approvals import approve
from mlops_mlflow.governance.desk.overrides import override, review
from mlops_mlflow.governance.desk.requests import reject


def at(office: Office, later: int = 0) -> list[str]:
    return list(command._at(office.shelf.history, MODEL, office.registry.now + later))


def approved(office: Office) -> list[str]:
    return [line.strip() for line in at(office) if "approved by" in line]


def test_it_names_the_approvals_that_the_transition_stood_on_and_no_others() -> None:
    office = Office().in_staging("1")
    first = office.ask()
    approve(office.desk("dora"), first, role="business")
    reject(office.desk("cem"), first, reason="too weak")
    office.promote("1")
    (asked,) = [one.number for one in office.shelf.history.requests.values() if one.ended == "done"]
    assert [line.split(" on ")[0] for line in approved(office)] == [
        "approved by bob as business",
        "approved by cem as compliance",
    ]
    assert all(line.endswith(f": transition (in R{asked})") for line in approved(office))
    assert any("under the policy `the bank's policy`" in line for line in at(office))


def test_an_approval_of_a_requirement_that_was_given_in_a_rejected_request_is_named() -> None:
    wording = {"approval": "legal", "subject": "wording", "before": "Production"}
    office = Office(TWO_ROLES.model_copy(update={"unlisted_roles": "anybody"}))
    office.register("1", use_case={"requirements": [wording]})
    first = office.ask()
    approve(office.desk("fay"), first, role="legal")
    reject(office.desk("bob"), first, role="business", reason="not yet")
    asked = office.ask()
    approve(office.desk("bob"), asked, role="business")
    approve(office.desk("cem"), asked, role="compliance", at_once=True)
    assert any("fay as legal" in line and line.endswith(f": wording (in R{first})") for line in approved(office))


def test_an_override_is_shown_with_its_reason_and_its_review() -> None:
    office = Office().in_staging("1")
    override(office.desk("eve"), MODEL, "1", "Production", reason="the old one is down")
    (glass,) = office.shelf.history.glass_breaks
    listed = list(command._moves(office.shelf.history))
    assert any(f"past the rules (override R{glass.sequence})" in line for line in listed)
    assert any("the old one is down; a review by somebody else is due by" in line for line in at(office))
    review(office.desk("fay"), MODEL, glass.sequence, comment="looked at it")
    assert any("reviewed by fay" in line for line in at(office))


def test_all_lists_requests_approvals_rejections_and_reasons_too() -> None:
    office = Office().in_staging("1")
    asked = office.ask()
    approve(office.desk("bob"), asked)
    reject(office.desk("cem"), asked, reason="too weak")
    lines = list(command._records(office.registry, MODEL))
    assert any("-> Production" in line and "request by ann" in line for line in lines)
    assert any("approval of transition by bob as business" in line for line in lines)
    assert any(f"rejection of R{asked} by cem as compliance: too weak" in line for line in lines)


def test_today_means_now_and_a_day_that_is_past_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_767_225_600.0 + 3_600  # 2026-01-01 01:00 UTC
    monkeypatch.setattr(time, "time", lambda: now)
    assert command._moment("2026-01-01") == int(now * 1000)
    assert command._moment("2025-12-31") == 1_767_225_600_000 - 1
    assert command._moment("2026-01-01T12:00") - command._moment("2025-12-31") == DAY // 2 + 1
