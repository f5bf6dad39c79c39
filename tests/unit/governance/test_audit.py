from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import rfc8785
from click.testing import CliRunner
from desks import Office

from mlops_mlflow.cli.audit import Reach, audit
from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.record import Actor
from mlops_mlflow.governance.audit import anchor, export, told, verify
from mlops_mlflow.governance.desk.arrivals import adopt
from mlops_mlflow.governance.signing import make_key, read_anchors

KEY, FILE, PUB = Path("audit.pem"), Path("elsewhere/anchors.jsonl"), Path("audit.pem.pub")
NOW = 1_800_000_000_000


@pytest.fixture(autouse=True)
def elsewhere():
    """The folder that is kept outside of the database."""
    FILE.parent.mkdir()


@pytest.fixture
def office():
    return Office().in_production("1", "2")


@pytest.fixture
def call(office, monkeypatch):
    """The command on the registry in memory: its exit code and what it printed."""
    monkeypatch.setenv("MLOPS_AUDIT_KEY", str(KEY))

    def call(*arguments):
        done = CliRunner().invoke(audit, arguments, obj=Reach(office.registry, ("churn", "stock")))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout

    return call


def test_a_ledger_that_holds_and_explains_everything(office, call):
    code, out = call("verify")
    assert (code, out.splitlines()) == (
        0,
        [
            f"ledger        whole: {len(office.registry.records)} records, the last of 2023-11-14 22:13 UTC",
            "registry      as the ledger says: 1 model",
            "anchor        none given: an old backup, or a ledger written anew, would not show",
            "not governed  1 model: stock",
        ],
    )


def test_what_cannot_be_explained_is_told_with_what_to_do(office, call):
    office.push("1", "Production")
    office.registry.aliases["churn"]["champion"] = "1"
    code, out = call("verify", "churn")
    assert code == 1
    assert "NOT EXPLAINED: 3 things in 1 of 1 model" in out
    for words in ("churn version 1: registry stage", "found     Production", "put it back to Archived"):
        assert words in out
    assert "2 in Production: versions 1, 2" in out


def test_one_line_of_json_says_the_same(office, call):
    assert json.loads(call("verify", "--json")[1])["whole"] is True
    office.push("1", "Production")
    code, out = call("verify", "--json")
    assert (code, out.count("\n")) == (1, 1)
    assert {"model", "version", "what", "expected", "found", "todo"} == set(json.loads(out)["unexplained"][0])


def test_a_broken_ledger_explains_nothing(office, call):
    records = office.registry.records
    records[2] = replace(records[2], entry=replace(records[2].entry, actor=Actor("eve")))
    code, out = call("verify")
    assert code == 1
    assert "ledger        BROKEN: R3 was changed" in out
    assert "registry      not compared" in out
    assert json.loads(call("verify", "--json")[1])["broken"]["sequence"] == 3


def test_an_adoption_explains_what_was_there(office):
    office.push("2", "Archived")
    office.push("1", "Production")
    assert verify(office.registry).found_something
    adopt(office.desk("eve"), "churn", reason="pushed by hand on Sunday")
    assert verify(office.registry).unexplained == ()


def test_a_model_by_itself(office):
    report = verify(office.registry, model="stock", registered=("churn", "stock"))
    assert (report.models, report.ungoverned, report.found_something) == ((), ("stock",), False)
    with pytest.raises(RegistryError, match="there is no model nothing"):
        verify(office.registry, model="nothing", registered=("churn",))


def test_an_advisory_registry_is_said_to_be_one(office):
    office.registry.enforced = False
    assert "not enforced" in told(verify(office.registry))


def test_a_database_that_gives_a_model_other_records_is_found(office):
    class Rebuilt(type(office.registry)):
        def shelf(self, model):
            shelf = super().shelf(model)
            return replace(shelf, history=replace(shelf.history, moves=shelf.history.moves[1:]))

    rebuilt = Rebuilt(records=office.registry.records, versions=office.registry.versions)
    assert "other records than are in the chain" in told(verify(rebuilt))


def test_an_anchor_holds_while_the_ledger_goes_on(office, call):
    assert call("key", str(KEY))[0] == 0
    code, out = call("anchor", str(FILE))
    assert (code, f"anchored R{len(office.registry.records)}" in out) == (0, True)
    office.in_production("3")
    code, out = call("verify", "--anchor", str(FILE), "--public-key", str(PUB))
    assert code == 0
    assert "anchor        holds: R" in out
    assert call("anchor", str(FILE))[0] == 0
    assert read_anchors(FILE)[-1].head.sequence == len(office.registry.records)


def test_only_a_ledger_that_holds_is_anchored(office):
    make_key(KEY)
    anchor(office.registry, FILE, KEY, now=NOW)
    before = FILE.read_bytes()
    del office.registry.records[-2:]
    with pytest.raises(RegistryError, match="not to be trusted: R") as found:
        anchor(office.registry, FILE, KEY, now=NOW)
    assert found.value.exit_code == 1
    assert FILE.read_bytes() == before


def test_an_empty_ledger_is_not_anchored():
    make_key(KEY)
    with pytest.raises(RegistryError, match="has no records"):
        anchor(Office().registry, FILE, KEY, now=NOW)


def test_a_new_key_goes_on_with_the_word_of_the_old_one(office, call, monkeypatch):
    make_key(KEY)
    make_key(Path("new.pem"))
    call("anchor", str(FILE))
    monkeypatch.setenv("MLOPS_AUDIT_KEY", "new.pem")
    assert call("anchor", str(FILE), "--replaces", str(KEY))[0] == 0
    assert call("anchor", str(FILE))[0] == 0
    for half in ("new.pem.pub", "audit.pem.pub"):
        assert call("verify", "--anchor", str(FILE), "--public-key", half)[0] == 0


def test_an_exported_line_is_a_record_with_its_hash(office, call):
    code, out = call("export")
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, [one["sequence"] for one in lines]) == (0, [one.sequence for one in office.registry.records])
    for plain in lines:
        told_hash = plain.pop("hash")
        assert hashlib.sha256(rfc8785.dumps(plain)).hexdigest() == told_hash


def test_an_export_goes_on_where_the_last_one_ended(office):
    every = list(export(office.registry))
    assert list(export(office.registry, after=4)) == every[4:]
    assert list(export(office.registry, model="churn")) == every
    assert list(export(office.registry, model="other")) == []


def test_an_exported_file_is_whole_or_as_it_was(office, call):
    file = Path("ledger.jsonl")
    assert call("export", str(file))[0] == 0
    whole = file.read_bytes()
    assert whole.count(b"\n") == len(office.registry.records)

    class Torn(type(office.registry)):
        def stored(self, after=0):
            yield from list(super().stored(after))[:2]
            raise RegistryError("the connection is gone")

    done = CliRunner().invoke(audit, ["export", str(file)], obj=Reach(Torn(records=office.registry.records)))
    assert isinstance(done.exception, RegistryError)
    assert file.read_bytes() == whole
    assert [one.name for one in Path().iterdir() if one.name.endswith(".part")] == []


def test_what_is_not_a_record_any_more_is_named_by_an_export(office):
    class Spoilt(type(office.registry)):
        def stored(self, after=0):
            yield replace(next(super().stored()), text=b"\xff")

    with pytest.raises(RegistryError, match="record 1 of the ledger cannot be read"):
        list(export(Spoilt(records=office.registry.records)))


def test_an_anchor_or_an_export_makes_no_folder_that_should_have_been_there(office, monkeypatch):
    make_key(KEY)
    monkeypatch.setenv("MLOPS_AUDIT_KEY", str(KEY))
    for words in (("anchor", "nowhere/anchors.jsonl"), ("export", "nowhere/ledger.jsonl")):
        done = CliRunner().invoke(audit, words, obj=Reach(office.registry, ("churn",)))
        assert "there is no folder nowhere" in str(done.exception)
    assert not Path("nowhere").exists()


def test_a_new_file_of_anchors_is_announced(call):
    make_key(KEY)
    assert f"in {FILE} (a new file), signed by" in call("anchor", str(FILE))[1]
    assert "(a new file)" not in call("anchor", str(FILE))[1]


def test_a_mistyped_model_is_told_with_the_name_that_is_near(office):
    for words in (("verify", "chrun"), ("export", "--model", "chrun")):
        done = CliRunner().invoke(audit, words, obj=Reach(office.registry, ("churn",)))
        assert "there is no model chrun (did you mean `churn`?)" in str(done.exception)
