from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from mlops_mlflow.core.ledger.canonical import parsed
from mlops_mlflow.core.ledger.chain import Broken, Head, Stored, walk
from mlops_mlflow.core.ledger.record import BEGINNING, Actor, Entry, Record


def kept(record):
    return Stored(record.sequence, record.text, record.previous, record.hash)


def ledger(count=6, *, reason="because", model="flights"):
    """Records as a registry keeps them."""
    made, previous = [], BEGINNING
    for sequence in range(1, count + 1):
        entry = Entry("request", model, Actor("ana"), "1", "None", "Staging", reason=f"{reason} {sequence}")
        record = Record(sequence, 1_700_000_000_000 + sequence, entry, previous)
        made.append(kept(record))
        previous = record.hash
    return made


def forged(one, **changes):
    """A record with another content, and a hash that fits it."""
    text = rfc8785.dumps({**json.loads(one.text), **changes})
    previous = changes.get("previous", one.previous)
    return replace(one, text=text, previous=previous, hash=hashlib.sha256(text).hexdigest())


def renumbered(records):
    """In places without gaps, as an attacker leaves them who knows that gaps show."""
    return [replace(one, sequence=place) for place, one in enumerate(records, 1)]


def swapped(records, one, other):
    changed = list(records)
    changed[one], changed[other] = changed[other], changed[one]
    return renumbered(changed)


def test_a_whole_chain_gives_its_head():
    records = ledger()
    assert walk(records) == Head(6, records[-1].hash)
    assert walk([]) == Head(0, BEGINNING)


def test_whoever_asks_sees_each_record_that_holds():
    records, seen = ledger(), []
    walk([*records[:3], replace(records[3], hash="0" * 64), *records[4:]], see=seen.append)
    assert [one["sequence"] for one in seen] == [1, 2, 3]
    assert seen[0] == json.loads(records[0].text)


CHANGES = {
    "content": lambda r: [*r[:2], replace(r[2], text=r[2].text.replace(b"ana", b"bob")), *r[3:]],
    "hash beside it": lambda r: [*r[:2], replace(r[2], hash="f" * 64), *r[3:]],
    "previous hash beside it": lambda r: [*r[:2], replace(r[2], previous="f" * 64), *r[3:]],
    "not text any more": lambda r: [
        *r[:2],
        replace(r[2], text=b"\xff", hash=hashlib.sha256(b"\xff").hexdigest()),
        *r[3:],
    ],
    "hash made anew": lambda r: [*r[:2], forged(r[2], reason="another"), *r[3:]],
    "hash made anew, previous one in step": lambda r: [
        *r[:2],
        (new := forged(r[2], reason="another")),
        replace(r[3], previous=new.hash),
        *r[4:],
    ],
    "hash made anew, and another predecessor": lambda r: [*r[:2], forged(r[2], previous="f" * 64), *r[3:]],
    "swapped texts": lambda r: [*r[:2], replace(r[2], text=r[4].text), r[3], replace(r[4], text=r[2].text), *r[5:]],
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_changed_record_is_named(how):
    found = walk(CHANGES[how](ledger()))
    assert (found.sequence, found.kind) == (3, "changed")
    assert str(found).startswith("R3 was changed")


def test_the_one_before_the_last_is_named_when_only_the_last_vouches():
    records = ledger()
    found = walk([*records[:4], forged(records[4], reason="another"), records[5]])
    assert (found.sequence, found.kind) == (5, "changed")


def test_a_first_record_that_follows_something_is_named():
    records = ledger()
    found = walk([forged(records[0], previous="f" * 64), *records[1:]])
    assert (found.sequence, found.kind) == (1, "changed")
    assert "the beginning" in found.why


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("tidied", [False, True], ids=["leaving a gap", "renumbered"])
def test_a_deleted_record_is_named(count, tidied):
    records = ledger()
    left = [*records[:2], *records[2 + count :]]
    found = walk(renumbered(left) if tidied else left)
    assert (found.sequence, found.kind) == (3, "deleted")
    assert str(found).startswith("R3 was deleted")


@pytest.mark.parametrize("count", [1, 2])
def test_inserted_records_are_named(count):
    records = ledger()
    previous, inserted = records[1].hash, []
    for number in range(count):
        new = forged(records[2], reason="never happened", sequence=3 + number, previous=previous)
        inserted.append(new)
        previous = new.hash
    found = walk(renumbered([*records[:2], *inserted, *records[2:]]))
    assert (found.sequence, found.kind) == (3, "inserted")
    assert str(found).startswith("R3 was inserted")


def test_an_inserted_copy_is_named_where_it_stands():
    records = ledger()
    found = walk(renumbered([*records[:4], records[1], *records[4:]]))
    assert (found.sequence, found.kind) == (5, "inserted")
    assert "R2" in found.why


def test_a_second_record_in_the_same_place_is_named():
    records = ledger()
    found = walk([*records[:3], records[2], *records[3:]])
    assert (found.sequence, found.kind) == (3, "inserted")


@pytest.mark.parametrize(("one", "other"), [(2, 3), (2, 5), (0, 1)])
def test_re_ordered_records_are_named(one, other):
    found = walk(swapped(ledger(), one, other))
    assert (found.sequence, found.kind) == (one + 1, "re-ordered")
    assert f"R{other + 1}" in found.why


def test_a_record_that_was_moved_behind_the_end_is_told_from_a_deleted_one():
    records = ledger()
    found = walk([*records[:2], *records[3:], replace(records[2], sequence=99)])
    assert (found.sequence, found.kind) == (3, "re-ordered")
    assert "R99" in found.why


ANCHORED = {one.sequence: Head(one.sequence, one.hash) for one in ledger()}


def test_anchors_that_the_chain_keeps_change_nothing():
    assert walk(ledger(), [ANCHORED[2], ANCHORED[6]]) == Head(6, ledger()[-1].hash)
    assert isinstance(walk(ledger(9), [ANCHORED[6]]), Head)


def test_an_old_backup_is_older_than_the_anchor():
    found = walk(ledger()[:4], [ANCHORED[2], ANCHORED[6]])
    assert (found.sequence, found.kind) == (5, "rolled back")
    assert "R6 is anchored" in found.why
    assert "ends with R4" in found.why


def test_an_emptied_ledger_is_older_than_the_anchor():
    found = walk([], [ANCHORED[6]])
    assert (found.sequence, found.kind) == (1, "rolled back")
    assert "is empty" in found.why


def test_a_ledger_that_was_written_anew_differs_from_the_anchor():
    records = ledger()
    rewritten = list(records)
    for place in range(3, 6):
        rewritten[place] = forged(records[place], reason="another", previous=rewritten[place - 1].hash)
    assert isinstance(walk(rewritten), Head), "nothing inside tells"
    found = walk(rewritten, [ANCHORED[2], ANCHORED[5], ANCHORED[6]])
    assert (found.sequence, found.kind) == (5, "rewritten")
    assert "R2 still is what it was" in found.why


def test_an_old_backup_that_was_gone_on_with_differs_from_the_anchor():
    gone_on = [*ledger()[:4]]
    for sequence in range(5, 9):
        gone_on.append(forged(gone_on[-1], sequence=sequence, reason="later", previous=gone_on[-1].hash))
        gone_on[-1] = replace(gone_on[-1], sequence=sequence)
    assert isinstance(walk(gone_on), Head)
    assert walk(gone_on, [ANCHORED[6]]).kind == "rewritten"


@given(st.data())
def test_whatever_bytes_change_is_found(data):
    records = ledger(4)
    place = data.draw(st.integers(0, 3))
    text = records[place].text
    at = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != text[at]))
    changed = text[:at] + bytes([byte]) + text[at + 1 :]
    found = walk([*records[:place], replace(records[place], text=changed), *records[place + 1 :]])
    assert isinstance(found, Broken)
    assert (found.sequence, found.kind) == (place + 1, "changed")


# One record, one text.

NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(PLAIN)
def test_whatever_is_canonical_is_read(details):
    plain = {"sequence": 1, "previous": BEGINNING, "details": details}
    assert parsed(rfc8785.dumps(plain)) == plain


@given(PLAIN, st.booleans(), st.booleans())
def test_another_text_of_the_same_is_not(details, escaped, in_order):
    plain = {"details": details, "previous": BEGINNING, "sequence": 1}
    try:
        text = json.dumps(plain, ensure_ascii=escaped, sort_keys=in_order, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return
    if text == rfc8785.dumps(plain):
        assert parsed(text) == plain
    else:
        with pytest.raises(ValueError, match="canonical"):
            parsed(text)


@pytest.mark.parametrize(
    "details",
    [
        "1.0", "1e3", "-0", "0.10", "1e-05", "1E5", "NaN", "Infinity", "1e400", "9007199254740993", "[1, 2]",
        '"\\u0061"', '"\\/"', '"\\ud800"', '{"b":1,"a":2}', '{"a":1,"a":1}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_texts_that_are_not_canonical(details):
    with pytest.raises(ValueError, match="canonical"):
        parsed(f'{{"details":{details},"previous":"{BEGINNING}","sequence":1}}'.encode())


def test_keys_are_in_the_order_of_utf_16():
    """U+10000 begins with the surrogate D800 there, and so comes before U+E000."""
    plain = {"\U00010000": 1, "\ue000": 2, "previous": BEGINNING, "sequence": 1}
    by_code_point = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert parsed(rfc8785.dumps(plain)) == plain
    with pytest.raises(ValueError, match="canonical"):
        parsed(by_code_point)


def test_numbers_beyond_whole_ones_are_read():
    text = rfc8785.dumps({"details": [1e16, 1e20, 1e21, 2.5e-7], "previous": BEGINNING, "sequence": 1})
    assert parsed(text)["details"] == [1e16, 1e20, 1e21, 2.5e-7]


@pytest.mark.parametrize(
    "text", [b"1", b"[]", b"{}", b'{"previous":"","sequence":true}', b'{"previous":1,"sequence":1}']
)
def test_other_json_is_no_record(text):
    with pytest.raises(ValueError, match="not a record"):
        parsed(text)
