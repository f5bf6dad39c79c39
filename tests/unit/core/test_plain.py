from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlops_mlflow.core.plain import from_plain, to_plain


@dataclass(frozen=True)
class Inner:
    name: str
    figures: tuple[float, ...]


@dataclass(frozen=True)
class Outer:
    inner: Inner
    many: tuple[Inner, ...]
    by_name: Mapping[str, Inner]
    optional: Inner | None = None
    anything: Any = None
    path: Path | None = None
    counted: dict[str, int] = field(default_factory=dict)


OUTER = Outer(
    Inner("a", (0.1, 2.0)),
    (Inner("b", ()), Inner("c", (1.5,))),
    {"d": Inner("d", (3.0,))},
    anything=True,
    counted={"e": 1},
)


def there_and_back(kind: Any, value: Any) -> Any:
    return from_plain(kind, json.loads(json.dumps(to_plain(value))))


def test_nested_dataclasses_come_back_equal():
    assert there_and_back(Outer, OUTER) == OUTER


def test_tuples_come_back_as_tuples():
    found = there_and_back(Outer, OUTER)
    assert type(found.many) is tuple
    assert type(found.inner.figures) is tuple


@pytest.mark.parametrize("value", [True, False, 1, 1.0, "1", "true", "", None, [1, "a", None]])
def test_what_may_be_anything_keeps_its_type(value):
    found = there_and_back(Outer, Outer(Inner("a", ()), (), {}, anything=value)).anything
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), 0.1 + 0.2, 5e-324, 1.7976931348623157e308])
def test_numbers_come_back_to_the_last_bit(number):
    assert there_and_back(Inner, Inner("a", (number,))).figures == (number,)


def test_nan_stays_nan():
    (number,) = there_and_back(Inner, Inner("a", (float("nan"),))).figures
    assert math.isnan(number)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (np.float64(0.5), float),
        (np.float32(0.5), float),
        (np.int64(3), int),
        (np.bool_(True), bool),
        (np.str_("a"), str),
    ],
)
def test_scalars_of_numpy_become_those_of_python(given, kind):
    found = to_plain({"a": [given]})["a"][0]
    assert type(found) is kind
    assert found == given


def test_a_class_is_not_taken_for_a_value():
    assert to_plain(Inner) is Inner


@pytest.mark.parametrize(
    "plain", [{}, {"name": "a"}, {"name": "a", "figures": ["x"]}, [], None, {"name": 1, "figures": []}]
)
def test_what_does_not_fit_is_refused(plain):
    with pytest.raises(ValueError, match="Inner"):
        from_plain(Inner, plain)


def test_a_type_that_is_no_dataclass_can_be_asked_for():
    assert there_and_back(tuple[Inner, ...], OUTER.many) == OUTER.many
    assert there_and_back(dict[str, Inner], OUTER.by_name) == OUTER.by_name
