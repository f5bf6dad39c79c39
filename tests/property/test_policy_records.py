"""Records survive being written and read, and no byte of them can be changed unseen."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mlops_mlflow.core.ledger.chain import Broken, Head, Stored, walk
from mlops_mlflow.core.ledger.record import BEGINNING, Action, Actor, Entry, Record

QUIET = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.one_of(st.integers(-(2**53) + 1, 2**53 - 1), st.floats(allow_nan=False, allow_infinity=False))
leaves = st.one_of(st.none(), st.booleans(), numbers, texts)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=6,
)
entries = st.builds(
    Entry,
    action=st.sampled_from(get_args(Action)),
    model=texts,
    actor=st.builds(Actor, texts, texts),
    version=texts,
    begin=texts,
    to=texts,
    roles=st.lists(texts, max_size=3).map(tuple),
    reason=texts,
    evidence=texts,
    policy=texts,
    enforced=st.booleans(),
    details=st.dictionaries(texts, values, max_size=3),
)
records = st.builds(Record, st.integers(1, 10**9), st.integers(0, 2**53 - 1), entries, texts)


@st.composite
def chains(draw: st.DrawFn) -> list[Stored]:
    chain: list[Record] = []
    for number, entry in enumerate(draw(st.lists(entries, min_size=1, max_size=5)), start=1):
        before = chain[-1].hash if chain else BEGINNING
        chain.append(Record(number, draw(st.integers(0, 2**53 - 1)), entry, before))
    return [Stored(one.sequence, one.text, one.previous, one.hash) for one in chain]


def is_broken(chain: list[Stored]) -> bool:
    return isinstance(walk(chain), Broken)


@given(records)
@QUIET
def test_a_record_survives_the_way_through_its_plain_form(record: Record) -> None:
    assert Record.from_plain(record.to_plain()) == record


@given(records)
@QUIET
def test_a_record_survives_the_way_through_its_text_with_the_same_hash(record: Record) -> None:
    again = Record.from_plain(json.loads(record.text))

    assert again.text == record.text
    assert again.hash == record.hash


@given(records, st.randoms(use_true_random=False))
@QUIET
def test_the_order_of_keys_does_not_change_the_hash(record: Record, random: Any) -> None:
    items = list(record.entry.details.items())
    random.shuffle(items)

    assert replace(record, entry=replace(record.entry, details=dict(items))).hash == record.hash


@given(records, records)
@QUIET
def test_records_that_say_something_else_have_other_hashes(one: Record, other: Record) -> None:
    assert (one.hash == other.hash) == (one.text == other.text)
    assert one == other or one.hash != other.hash


@given(chains())
@QUIET
def test_a_chain_as_it_was_written_holds(chain: list[Stored]) -> None:
    assert walk(chain) == Head(len(chain), chain[-1].hash)


@given(chains(), st.data())
@QUIET
def test_any_other_byte_in_the_text_of_any_record_is_found(chain: list[Stored], data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(chain) - 1))
    text = bytearray(chain[number].text)
    place = data.draw(st.integers(0, len(text) - 1))
    text[place] ^= data.draw(st.integers(1, 255))
    chain[number] = replace(chain[number], text=bytes(text))

    found = walk(chain)

    assert isinstance(found, Broken)
    assert found.sequence == number + 1


def other_digit(text: str, data: st.DataObject) -> str:
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("0123456789abcdef").filter(lambda digit: digit != text[place]))
    return text[:place] + other + text[place + 1 :]


CHANGES: dict[str, Callable[[Stored, st.DataObject], Stored]] = {
    "previous": lambda one, data: replace(one, previous=other_digit(one.previous, data)),
    "hash": lambda one, data: replace(one, hash=other_digit(one.hash, data)),
    "sequence": lambda one, data: replace(one, sequence=one.sequence + data.draw(st.sampled_from([-1, 1, 7]))),
}


@given(chains(), st.data(), st.sampled_from(sorted(CHANGES)))
@QUIET
def test_any_other_value_beside_the_text_is_found(chain: list[Stored], data: st.DataObject, field: str) -> None:
    number = data.draw(st.integers(0, len(chain) - 1))
    chain[number] = CHANGES[field](chain[number], data)

    assert is_broken(chain)


@given(chains(), st.data(), entries)
@QUIET
def test_any_field_that_says_something_else_is_found_even_with_its_hash_made_anew(
    chain: list[Stored], data: st.DataObject, entry: Entry
) -> None:
    """Unless it is the last record, which nothing follows: for that there are anchors."""
    assume(len(chain) > 1)
    number = data.draw(st.integers(0, len(chain) - 2))
    old = Record.from_plain(json.loads(chain[number].text))
    field = data.draw(st.sampled_from(sorted(vars(entry))))
    new = replace(old, entry=replace(old.entry, **{field: getattr(entry, field)}))
    assume(new.text != old.text)
    chain[number] = Stored(new.sequence, new.text, new.previous, new.hash)

    assert is_broken(chain)
    assert isinstance(walk([chain[-1]] if len(chain) == 1 else chain, [Head(number + 1, old.hash)]), Broken)


@given(chains(), st.data())
@QUIET
def test_a_record_that_is_deleted_moved_or_doubled_is_found_also_when_what_stands_beside_it_is_mended(
    chain: list[Stored], data: st.DataObject
) -> None:
    assume(len(chain) > 1)
    order = list(range(len(chain)))
    what = data.draw(st.sampled_from(("deleted", "moved", "doubled")))
    at = data.draw(st.integers(0, len(chain) - 2))
    if what == "deleted":
        order.pop(at)
    elif what == "moved":
        order[at], order[at + 1] = order[at + 1], order[at]
    else:
        order.insert(at, at)
    mended: list[Stored] = []
    for number, one in enumerate((chain[index] for index in order), start=1):
        before = mended[-1].hash if mended else BEGINNING
        mended.append(Stored(number, one.text, before, one.hash))

    assert is_broken(mended)
