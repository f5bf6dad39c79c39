from __future__ import annotations

import hashlib
import json

import pytest

from mlops_mlflow.core.keys import LONGEST, Change, Key, changes, digest, flat, told


def test_a_digest_is_32_hexadecimal_digits_and_the_same_in_every_process():
    whole = hashlib.sha256(b'{"seed": "7", "use_case": "flights"}').hexdigest()
    assert Key({"use_case": "flights", "seed": "7"}).digest == whole[:32]


@pytest.mark.parametrize("other", [{"a": "2"}, {"b": "1"}, {}, {"a": "1", "b": ""}])
def test_other_parts_give_another_digest(other):
    assert Key({"a": "1"}).digest != Key(other).digest


def test_a_section_becomes_one_part_per_leaf():
    value = {"trials": 8, "space": {"C": {"uniform": [0, 1]}}, "metric": None, "timeout": "PT5S"}
    assert [name for name, _ in flat("tuning", value)] == [
        "tuning.trials",
        "tuning.space.C.uniform",
        "tuning.metric",
        "tuning.timeout",
    ]


def test_a_leaf_alone_keeps_its_name():
    assert [name for name, _ in flat("seed", 7)] == ["seed"]


def test_an_empty_section_is_a_part_too():
    assert len(list(flat("fixed", {}))) == 1


def test_short_values_can_be_read_and_long_ones_are_digests():
    assert "7" in told(7)
    assert "roc_auc" in told("roc_auc")
    assert told("x" * LONGEST).count("x") == LONGEST
    assert told("x" * (LONGEST + 1)).startswith("#")
    assert told("two\nlines").startswith("#")
    assert len(told("x" * 10_000)) == 17


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("500", 500),
        ("true", True),
        ("null", None),
        ("1.5", 1.5),
        ("[]", []),
        ("{}", {}),
        (1, True),
        (1, 1.0),
        ("#" + digest("x" * 99)[:16], "x" * 99),
        (["1"], [1]),
        ([1, 2], [2, 1]),
    ],
)
def test_values_that_differ_are_told_differently(one, other):
    """``max_iter: "500"`` fails in every trial; whoever corrects it to 500 must not be given the failure again."""
    assert told(one) != told(other)


def test_the_order_of_names_inside_a_value_does_not_count():
    assert told([{"a": 1, "b": 2}]) == told([{"b": 2, "a": 1}])
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})


def test_a_text_with_the_mark_of_a_digest_becomes_one():
    """Which is also how a value is kept from being shown."""
    assert "hunter2" not in told("#postgresql://me:hunter2@host/db")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (Change("tuning.trials", "8", "16"), "tuning.trials: 8 → 16"),
        (Change("file features.py", "#12", "#34"), "file features.py changed"),
        (Change("card.limits", "[]", "#34"), "card.limits changed"),
        (Change("candidates.tree.space", None, "x"), "candidates.tree.space is new"),
        (Change("candidates.tree.space", "x", None), "candidates.tree.space is gone"),
    ],
)
def test_a_change_in_words(change, says):
    assert str(change) == says


def test_changes_come_in_the_order_of_the_key_and_those_that_are_gone_last():
    before, after = {"gone": "1", "b": "1", "same": "1"}, {"same": "1", "new": "2", "b": "2"}
    assert [one.part for one in changes(before, after)] == ["new", "b", "gone"]
    assert changes(after, after) == []


def test_parts_that_are_short_enough_are_written_as_they_are():
    parts = {"b": "1", "a.c": "→"}
    assert json.loads(Key(parts).to_json(7_000)) == parts


def test_parts_that_are_too_long_are_told_by_section_the_deepest_first():
    parts = {f"candidates.tree.space.p{number}": "[1, 2]" for number in range(50)} | {"seed": "7", "tuning.trials": "8"}
    told_parts = json.loads(Key(parts).to_json(200))
    assert set(told_parts) == {"candidates.tree.space", "seed", "tuning.trials"}
    assert told_parts["seed"] == "7"
    assert told_parts["candidates.tree.space"].startswith("#")


def test_shortened_parts_still_show_which_section_changed():
    parts = {f"a.b{number}": "1" for number in range(50)} | {f"c.d{number}": "1" for number in range(50)}
    one, other = (json.loads(Key(each).to_json(100)) for each in (parts, parts | {"a.b7": "2"}))
    assert [change.part for change in changes(one, other)] == ["a"]


def test_too_many_sections_are_compared_as_a_whole():
    parts = {f"s{number}": "1" for number in range(200)}
    one, other = (Key(each).to_json(300) for each in (parts, parts | {"s7": "2"}))
    assert len(one) <= 300
    assert one != other
