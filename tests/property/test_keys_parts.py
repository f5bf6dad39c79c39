"""Parts of keys: equal parts for equal values only, whatever stands in a use case."""

from __future__ import annotations

import json

from hypothesis import example, given
from hypothesis import strategies as st

from mlops_mlflow.core.keys import NOTHING, Key, changes, digest, flat

NAMES = st.text("ab.#1 ", min_size=1, max_size=3)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "1", "1.0", "true", "null", "None", "[]", "{}", "#1", '"1"', "a\nb", "x" * 80])
    | st.text(max_size=5)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6
)
VALUES = st.text(max_size=6).filter(lambda value: value != NOTHING)
"""A part that says nothing is left out of the text."""
PARTS = st.dictionaries(st.text("ab.", min_size=1, max_size=8), VALUES, max_size=12)


def parts(value: object) -> dict[str, str]:
    told = list(flat("section", value))
    names = [name for name, _ in told]
    assert len(set(names)) == len(names), "two leaves with one name: one would hide the other"
    return dict(told)


def same(one: object, other: object) -> bool:
    """Equality of JSON's types, where 1 is not True and "1" is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


@given(VALUES, VALUES)
@example("500", 500)
@example("true", True)
@example("null", None)
@example({"p": "{}"}, {"p": {}})
@example([], "[]")
@example({"a.b": 1}, {"a": {"b": 1}})
@example("a\nb", "#" + digest("a\nb")[:16])
def test_different_values_have_different_parts(one: object, other: object) -> None:
    assert (parts(one) == parts(other)) == same(one, other)
    assert (Key(parts(one)).digest == Key(parts(other)).digest) == same(one, other)


@given(VALUES)
def test_parts_survive_json(value: object) -> None:
    """A spec that was written and read again has the same key."""
    assert parts(json.loads(json.dumps(value))) == parts(value)


@given(VALUES)
def test_values_in_parts_are_short_and_of_one_line(value: object) -> None:
    for text in parts(value).values():
        assert len(text) <= 62
        assert "\n" not in text


@given(PARTS, st.randoms())
def test_the_order_of_parts_does_not_count(given_parts: dict[str, str], random: object) -> None:
    items = list(given_parts.items())
    random.shuffle(items)  # type: ignore[attr-defined]
    assert Key(dict(items)).digest == Key(given_parts).digest


@given(PARTS, PARTS)
def test_what_changed_is_told_exactly(before: dict[str, str], after: dict[str, str]) -> None:
    told = {one.part: (one.before, one.after) for one in changes(before, after)}
    differing = {name for name in {*before, *after} if before.get(name) != after.get(name)}
    assert set(told) == differing
    assert (told == {}) == (Key(before).digest == Key(after).digest)
    for part, (was, is_now) in told.items():
        assert (was, is_now) == (before.get(part), after.get(part))
        assert part in str(next(one for one in changes(before, after) if one.part == part))


@given(PARTS, st.integers(60, 400))
def test_parts_as_text_are_never_longer_than_allowed_and_tell_keys_apart(
    given_parts: dict[str, str], most: int
) -> None:
    text = Key(given_parts).to_json(most)
    assert len(text) <= most
    told = json.loads(text)
    assert all(isinstance(value, str) for value in told.values())
    if len(json.dumps(given_parts, sort_keys=True)) <= most:
        assert told == given_parts


@given(PARTS, PARTS, st.integers(60, 200))
def test_shortened_parts_differ_where_the_parts_do(one: dict[str, str], other: dict[str, str], most: int) -> None:
    assert (Key(one).to_json(most) == Key(other).to_json(most)) == (one == other)
