from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from mlops_mlflow.core.errors import StorageError
from mlops_mlflow.core.ledger.chain import Head
from mlops_mlflow.governance.signing import (
    ForgedError,
    SigningError,
    append,
    check_key,
    key_id,
    make_key,
    private_key,
    public_key,
    read_anchors,
    sign,
)

KEY, OLD, FILE = Path("audit.pem"), Path("old.pem"), Path("anchors.jsonl")


def head(sequence):
    return Head(sequence, f"{sequence:064x}")


def anchored(sequence, key=KEY, **more):
    one = sign(head(sequence), 1_700_000_000_000, "sqlite:///a.db", private_key(key), **more)
    append(FILE, one)
    return one


@pytest.fixture(autouse=True)
def keys():
    make_key(KEY)
    make_key(OLD)


def edited(**changes):
    lines = FILE.read_text().splitlines()
    lines[-1] = json.dumps({**json.loads(lines[-1]), **changes})
    FILE.write_text("\n".join(lines) + "\n")


def test_a_key_is_for_its_owner_only_and_its_halves_belong_together():
    assert stat.S_IMODE(KEY.stat().st_mode) == 0o600
    assert KEY.read_text().startswith("-----BEGIN PRIVATE KEY-----")
    assert key_id(private_key(KEY)) == public_key(Path("audit.pem.pub")) != public_key(Path("old.pem.pub"))


@pytest.mark.parametrize("there", ["new.pem", "new.pem.pub"])
def test_no_file_is_overwritten_by_a_key(there):
    Path(there).write_text("mine")
    with pytest.raises(StorageError, match=f"{there} exists already"):
        make_key(Path("new.pem"))
    assert Path(there).read_text() == "mine"
    assert len(list(Path().glob("new*"))) == 1


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o602])
def test_a_private_key_that_is_open_to_others_is_refused(mode):
    KEY.chmod(mode)
    with pytest.raises(SigningError, match="open to others"):
        private_key(KEY)


def test_its_group_may_read_a_private_key():
    KEY.chmod(0o640)
    assert key_id(private_key(KEY))


def test_anchors_are_read_as_they_were_written():
    made = [anchored(3), anchored(3), anchored(7)]
    assert read_anchors(FILE) == tuple(made)
    check_key(made, public_key(Path("audit.pem.pub")), FILE)
    keys = ["hash", "key", "place", "sequence", "signature", "time"]
    assert list(json.loads(FILE.read_text().splitlines()[0])) == keys


@pytest.mark.parametrize(
    "change",
    [{"sequence": 8}, {"hash": "f" * 64}, {"time": 1}, {"place": "b"}, {"key": "0" * 64}, {"signature": "xyz"}],
    ids=lambda change: next(iter(change)),
)
def test_an_edited_anchor_is_found(change):
    anchored(3)
    anchored(7)
    edited(**change)
    with pytest.raises(ForgedError, match=r"line 2 .* its signature is wrong"):
        read_anchors(FILE)


def test_an_older_head_after_a_newer_one_is_found():
    anchored(7)
    anchored(3)
    with pytest.raises(ForgedError, match="it is of R3, and follows R7"):
        read_anchors(FILE)


def test_anchors_by_somebody_else_are_found():
    anchored(3)
    with pytest.raises(ForgedError, match="was not signed by this key") as found:
        check_key(read_anchors(FILE), public_key(Path("old.pem.pub")), FILE)
    assert public_key(Path("audit.pem.pub"))[:16] in found.value.got


def test_a_key_replaces_another_with_the_signatures_of_both():
    anchored(3, OLD)
    rotation = anchored(5, replaced=private_key(OLD))
    anchored(7)
    found = read_anchors(FILE)
    assert (rotation.previous_key, found[1]) == (public_key(Path("old.pem.pub")), rotation)
    for half in ("old.pem.pub", "audit.pem.pub"):
        check_key(found, public_key(Path(half)), FILE)


def test_a_key_that_nobody_introduced_is_found():
    anchored(3, OLD)
    anchored(5)
    with pytest.raises(ForgedError, match="was not introduced"):
        read_anchors(FILE)


def test_a_replacement_that_the_old_key_did_not_sign_is_found():
    anchored(3, OLD)
    anchored(5, replaced=private_key(OLD))
    edited(previous_signature="0" * 128)
    with pytest.raises(ForgedError, match="signature of the replaced key"):
        read_anchors(FILE)


def test_the_old_key_is_worth_nothing_after_its_replacement():
    anchored(3, OLD)
    anchored(5, replaced=private_key(OLD))
    anchored(7, OLD)
    with pytest.raises(ForgedError, match=r"line 3 .* not introduced"):
        read_anchors(FILE)


def test_a_file_does_not_begin_with_a_replacement():
    anchored(5, replaced=private_key(OLD))
    with pytest.raises(ForgedError, match="of which there is no anchor"):
        read_anchors(FILE)


@pytest.mark.parametrize(
    ("line", "why"),
    [("{", ""), ("[]\n", "not an anchor"), ('{"sequence":1}\n', "time is missing"), ("\n", ""), ("\x00\n", "")],
)
def test_other_lines_are_named(line, why):
    anchored(3)
    with FILE.open("a") as file:
        file.write(line)
    with pytest.raises(SigningError, match=r"line 2 of anchors\.jsonl is not an anchor") as found:
        read_anchors(FILE)
    assert why in found.value.got
