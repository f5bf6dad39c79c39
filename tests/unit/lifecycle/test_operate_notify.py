from __future__ import annotations

import sys
from datetime import UTC, datetime
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from mlops_mlflow.core.monitoring.health import Signal
from mlops_mlflow.core.monitoring.windows import Window
from mlops_mlflow.lifecycle.operate.notify import ADDRESSES, News, Notified, notify

SECRET = "json://me:hush@example.com/path"
SPEC: Any = SimpleNamespace(use_case="flights", question="Which flights will be late?")
VERSION: Any = SimpleNamespace(number="3")


class Service:
    """Stands in for Apprise: takes addresses that begin with json, and keeps what it is told."""

    told: list[dict[str, str]]
    added: list[str]

    def __init__(self) -> None:
        type(self).told, type(self).added = [], []

    def add(self, address: str) -> bool:
        known = address.startswith("json")
        self.added += [address] * known
        return known

    def __len__(self) -> int:
        return len(self.added)

    def notify(self, *, title: str, body: str) -> bool:
        if "broken" in self.added[0]:
            raise RuntimeError(f"cannot reach {self.added[0]}")
        self.told.append({"title": title, "body": body})
        return "refuses" not in self.added[0]


@pytest.fixture(autouse=True)
def apprise(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("apprise")
    module.Apprise = Service  # type: ignore[attr-defined]  # a module made for this test
    monkeypatch.setitem(sys.modules, "apprise", module)


def looked(label: str, *found: tuple[str, str]) -> Any:
    signals = [Signal("drift", about, health, 0.3, "m", 0.1, 9, "it moved") for about, health in found]  # type: ignore[arg-type]  # any health
    begin = datetime(2013, 7, 1, tzinfo=UTC)
    return SimpleNamespace(window=Window(0, label, begin, begin), loud=tuple(signals))


def told(addresses: str, *, before: str = "ok", windows: tuple[Any, ...] = (), server: str = "") -> Notified:
    return notify(
        SPEC,
        News(VERSION, "alarm", before, windows, "/#/experiments/1/runs/abc"),
        {ADDRESSES: addresses, "MLFLOW_TRACKING_URI": server},
    )


def test_nobody_to_tell_is_no_failure() -> None:
    assert told("  ") == Notified("nobody to tell")
    assert notify(SPEC, News(VERSION, "alarm", "", (), ""), {}) == Notified("nobody to tell")


def test_a_message_says_what_changed_why_and_where_to_look() -> None:
    windows = (looked("W1", ("a", "warning")), looked("W2", ("b", "alarm")))
    assert told(SECRET, windows=windows, server="https://me:hush@mlflow.example.com/") == Notified(
        "sent", "told 1 of 1 addresses: alarm"
    )
    (message,) = Service.told
    assert message["title"] == "flights version 3: alarm"
    assert message["body"].splitlines() == [
        "Which flights will be late?",
        "It was: ok.",
        "W2: alarm, b: it moved",
        "W1: warning, a: it moved",
        "https://me@mlflow.example.com/#/experiments/1/runs/abc",
    ]


def test_the_first_message_does_not_say_what_was_before_and_a_store_without_a_server_has_no_address() -> None:
    told(SECRET, before="", server="sqlite:///x.db")
    (message,) = Service.told
    assert "It was" not in message["body"]
    assert message["body"].endswith("In MLflow's UI: /#/experiments/1/runs/abc")


def test_of_many_findings_the_gravest_few_are_told() -> None:
    told(SECRET, windows=(looked("W1", *((f"c{n}", "warning") for n in range(9)), ("worst", "alarm")),))
    body = Service.told[0]["body"]
    assert body.splitlines()[2].startswith("W1: alarm, worst")
    assert "and 5 more findings" in body


def test_every_address_counts_and_one_may_hold_a_comma() -> None:
    assert told(f"{SECRET}?to=a,b\n json://two").record == "sent"
    assert Service.added == [f"{SECRET}?to=a,b", "json://two"]


@pytest.mark.parametrize(
    ("addresses", "why"),
    [
        ("bogus://hush@x json://ok", "1 of 2 addresses are none that Apprise knows"),
        ("bogus://hush@x", "1 of 1 addresses are none that Apprise knows"),
        ("json://refuses:hush@x", "a service refused"),
        ("json://broken:hush@x", "a service failed with RuntimeError"),
    ],
)
def test_whatever_goes_wrong_is_told_without_an_address(addresses: str, why: str) -> None:
    found = told(addresses)
    assert found.record == f"failed: {why}"
    assert why in found.told
    assert ADDRESSES in found.told
    assert "hush" not in found.record + found.told


def test_without_apprise_the_way_to_get_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    found = told(SECRET)
    assert "mlops-mlflow[notify]" in found.record
    assert "hush" not in found.record + found.told
