from __future__ import annotations

import pytest

from mlops_mlflow.core.usecase.problems import InvalidUseCase
from mlops_mlflow.core.usecase.yaml_tree import LARGEST, LONGEST, read_tree


def refused(text: str) -> tuple[int, int, str]:
    with pytest.raises(InvalidUseCase) as caught:
        read_tree(text, file="u.yaml")
    ((place, message),) = caught.value.problems
    assert place.file == "u.yaml"
    return place.line, place.column, message


@pytest.mark.parametrize(
    "word", ["yes", "no", "on", "off", "NO", "y", "010", "1_000", "12:30", "2013-01-01", ".inf", "0x1f"]
)
def test_words_that_yaml_1_1_would_turn_into_something_else_stay_text(word: str):
    assert read_tree(f"a: {word}", file="f").root == {"a": word}


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1", 1),
        ("-3", -3),
        ("+2", 2),
        ("0", 0),
        ("1e-3", 0.001),
        ("1.5E3", 1500.0),
        (".5", 0.5),
        ("2.", 2.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("'1'", "1"),
        ('"true"', "true"),
    ],
)
def test_plain_values_are_read_as_json_reads_them(word: str, value: object):
    found = read_tree(f"a: {word}", file="f").root["a"]
    assert found == value
    assert type(found) is type(value)


def test_keys_are_always_text():
    assert read_tree("on: 1\n2: {0: 1}", file="f").root == {"on": 1, "2": {"0": 1}}


def test_places_are_kept_for_keys_and_values():
    places = read_tree("a:\n  b: [1,\n    {c: 2}]\n", file="f").places
    assert (places.key("a", "b").line, places.key("a", "b").column) == (2, 3)
    assert (places.value("a", "b", 1, "c").line, places.value("a", "b", 1, "c").column) == (3, 9)
    assert places.value("a") == places.key("a")  # the section begins below its key
    assert places.value("a", "b", 1, "missing", "deeper").line == 3
    assert places.value("nothing").line == 1


def test_aliases_repeat_a_value_and_stand_where_they_are_written():
    tree = read_tree("a: &x {b: 1}\nc: *x\n", file="f")
    assert tree.root == {"a": {"b": 1}, "c": {"b": 1}}
    assert tree.places.value("c", "b").line == 2


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "`a` stands twice, on lines 1 and 3"),
        ("a: {b: 1,\n b: 2}\n", 2, "`b` stands twice, on lines 1 and 2"),
        ("a: 1\n---\nb: 2\n", 2, "a second document begins here"),
        ("", 1, "got nothing"),
        ("# only words\n", 1, "got nothing"),
        ("- a\n- b\n", 1, "got a list"),
        ("hello", 1, "got a single value"),
        ("a: 1\n\tb: 2\n", 2, "indent with spaces, not tabs"),
        ("a: b: c\n", 1, "needs quotes"),
        ("a: [1, 2\nb: 3\n", 2, "not YAML"),
        ("a: 'open\n", 2, "not YAML"),
        ("a: *nowhere\n", 1, "no value before this one is called `&nowhere`"),
        ("a: &x [*x]\n", 1, "an anchor has to be complete"),
        ("a: 1\nb: !!python/object/apply:os.system [x]\n", 2, "tags such as"),
        ("b: !!timestamp 2013-01-01\n", 1, "tags such as"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", 3, "merge keys"),
        ("? [1, 2]\n: 3\n", 1, "a key has to be a plain word"),
        ("a: 1\nb: 1e999\n", 2, "too large a number"),
        ("a: 1\nb: " + "9" * 5000 + "\n", 2, "too large a number"),
        ('a: "\\ud800"\n', 1, "surrogate"),
        ("a: 1\nb: \x07\n", 2, "save the file as UTF-8"),
        ("a: " + "[" * 100_000, 1, "nested more than"),
        ("a: " + "{b: " * 60, 1, "nested more than"),
        ("x" * (LONGEST + 1), 1, "characters"),
        ("a: [" + "1," * LARGEST + "]", 1, "more than"),
    ],
)
def test_a_file_that_is_not_one_plain_mapping_is_refused_at_its_line(text: str, line: int, said: str):
    found_line, _, message = refused(text)
    assert said in message
    assert found_line == line


def test_every_duplicate_key_is_told():
    with pytest.raises(InvalidUseCase) as caught:
        read_tree("a: 1\na: 2\nb: 1\nb: 2\n", file="f")
    assert [place.line for place, _ in caught.value.problems] == [2, 4]


def test_values_that_grow_through_aliases_are_refused_before_they_are_built():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
    )
    line, _, message = refused(bomb)
    assert "aliases counted" in message
    assert line == 5


def test_depth_is_counted_through_aliases():
    deep = "a: &a " + "[" * 30 + "]" * 30 + "\nb: " + "[" * 20 + "*a" + "]" * 20 + "\n"
    assert refused(deep)[0] == 2


def test_a_byte_order_mark_and_windows_line_endings_are_read():
    tree = read_tree("\ufeffa: 1\r\nb: 2\r\n", file="f")
    assert tree.root == {"a": 1, "b": 2}
    assert tree.places.value("b").line == 2
