from __future__ import annotations

import copy
import pickle

import pytest

from mlops_mlflow.core import errors
from mlops_mlflow.core.errors import LONGEST_PART, DataError, MlopsError, Place, SourceError, TrackingError

ALL = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MlopsError)]


def test_a_message_says_where_what_expected_got_and_what_to_do():
    error = MlopsError("it broke", expected="a", got="b", hint="mend it", place=Place("usecase.yaml", 3, 7))
    assert str(error).splitlines() == [
        "usecase.yaml:3:7: it broke",
        "  expected: a",
        "  got:      b",
        "  do:       mend it",
    ]


def test_parts_that_nobody_gave_are_left_out():
    assert str(MlopsError("it broke")) == "it broke"
    assert str(MlopsError("it broke", hint="mend it")) == "it broke\n  do:       mend it"


@pytest.mark.parametrize(("place", "text"), [(Place("f"), "f"), (Place("f", 2), "f:2"), (Place("f", 2, 5), "f:2:5")])
def test_a_place_tells_as_much_as_is_known(place, text):
    assert str(place) == text


def test_no_part_grows_without_bound():
    shown = str(MlopsError("w" * 5_000, got="g" * 5_000))
    assert len(shown) < 2 * LONGEST_PART + 50
    assert shown.count("…") == 2


def test_a_part_of_exactly_the_longest_length_is_kept_whole():
    assert str(MlopsError("w" * LONGEST_PART)) == "w" * LONGEST_PART


@pytest.mark.parametrize("kind", ALL)
def test_every_error_can_be_copied_and_sent_to_another_process(kind):
    error = kind("it broke", got="b", place=Place("f", 1))
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(again) is kind
        assert str(again) == str(error)


def test_the_tree_lets_a_caller_catch_all_of_one_sort():
    assert issubclass(SourceError, DataError)
    assert not issubclass(TrackingError, DataError)
    assert {kind.exit_code for kind in ALL} == {2}
    assert all(kind.__name__ in (errors.__doc__ or "") for kind in ALL)
