"""A record is one text, on every machine; what is no record is refused."""

from __future__ import annotations

import hashlib
import json
from types import MappingProxyType
from typing import Any

import pytest

from mlops_mlflow.core.ledger.record import BEGINNING, Actor, Entry, Record

ENTRY = Entry(
    "approval",
    "flüge/<b>",
    Actor("bob"),
    version="7",
    begin="Staging",
    to="Production",
    roles=("business",),
    reason="fine",
    evidence="e",
    policy="p",
    details={"request": 3, "parts": {"model": "m"}, "share": 0.5},
)
RECORD = Record(4, 1_700_000_000_000, ENTRY, BEGINNING)


def plain(**changed: Any) -> dict[str, Any]:
    return {**RECORD.to_plain(), **changed}


def test_the_text_is_canonical_json() -> None:
    text = RECORD.text.decode()

    assert text.startswith('{"action":"approval","actor":{"known_by":"operating-system user, identity not verified",')
    assert '"details":{"parts":{"model":"m"},"request":3,"share":0.5}' in text
    assert "flüge/<b>" in text
    assert list(json.loads(text)) == sorted(json.loads(text))


def test_the_hash_is_of_the_text() -> None:
    assert hashlib.sha256(RECORD.text).hexdigest() == RECORD.hash


def test_a_record_comes_back_from_its_text() -> None:
    again = Record.from_plain(json.loads(RECORD.text))

    assert again == RECORD
    assert again.hash == RECORD.hash


def test_a_large_figure_comes_back_as_it_was() -> None:
    """Canonical JSON writes it without a fraction, as it writes whole numbers."""
    large = Record(1, 0, Entry("registration", "m", Actor("bob"), details={"facts": [1e16]}), BEGINNING)

    assert b"[10000000000000000]" in large.text
    assert Record.from_plain(json.loads(large.text)).hash == large.hash


def test_details_may_be_any_mapping() -> None:
    frozen = Entry("tag", "m", Actor("bob"), details=MappingProxyType({"key": "k"}))

    assert Record(1, 0, frozen, BEGINNING).to_plain()["details"] == {"key": "k"}


def test_an_actor_is_verified_only_where_somebody_says_how() -> None:
    assert not Actor("bob").verified
    assert Actor("bob", "mlflow server, password").verified


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (None, "the record has the fields"),
        ([], "the record has the fields"),
        ({}, "the record has the fields"),
        (plain(more=1), "not sequence, .*more"),
        ({key: value for key, value in plain().items() if key != "reason"}, "the record has the fields"),
        (plain(sequence="4"), "`sequence` is of the type str"),
        (plain(sequence=True), "`sequence` is of the type bool"),
        (plain(time=1.5), "`time` is of the type float"),
        (plain(enforced=1), "`enforced` is of the type int"),
        (plain(model=None), "`model` is of the type NoneType"),
        (plain(roles="business"), "`roles` is of the type str"),
        (plain(roles=[1]), "`roles` are not texts"),
        (plain(details=[]), "`details` is of the type list"),
        (plain(action="approve"), "`approve` is not an action"),
        (plain(actor="bob"), "`actor` is of the type str"),
        (plain(actor={"name": "bob"}), "`actor` has the fields name, known_by, not name"),
        (plain(actor={"name": "bob", "known_by": None}), "`known_by` is of the type NoneType"),
    ],
)
def test_what_is_no_record_is_refused(wrong: Any, told: str) -> None:
    with pytest.raises(ValueError, match=f"^not a record of the ledger: .*{told}"):
        Record.from_plain(wrong)
