"""Predictions come back from their file as they went in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.usecase.success import Value
from mlops_mlflow.learning.kept import FILE, Kept, from_parquet, to_parquet

PRICES = Value(unit="EUR", true_positive=10, false_positive=-2.5)


def classified(classes: tuple[str, ...], rows: int = 7, value: Value | None = None, seed: int = 0) -> Predictions:
    draw = np.random.default_rng(seed)
    scores = draw.dirichlet(np.ones(len(classes)), rows)
    task = "binary" if len(classes) == 2 else "multiclass"
    return Predictions(task, draw.integers(0, len(classes), rows), scores.argmax(axis=1), scores, classes, value)


def back(kept: list[Kept], folder: Path) -> tuple[Kept, ...]:
    file = folder / FILE
    file.write_bytes(to_parquet(kept))
    return from_parquet(file)


def assert_same(found: Kept, wanted: Kept) -> None:
    assert (found.role, found.name) == (wanted.role, wanted.name)
    assert (found.made.task, found.made.classes, found.made.value) == (
        wanted.made.task,
        wanted.made.classes,
        wanted.made.value,
    )
    pairs = [(found.rows, wanted.rows), (found.made.actual, wanted.made.actual)]
    pairs += [(found.made.decided, wanted.made.decided)]
    if wanted.made.scores is None:
        assert found.made.scores is None
    else:
        assert found.made.scores is not None
        pairs.append((found.made.scores, wanted.made.scores))
    for left, right in pairs:
        assert left.dtype == right.dtype
        assert left.tobytes() == right.tobytes(), "to the last bit"


def test_models_come_back_exactly_in_their_order_with_rows_of_their_own(tmp_path: Path) -> None:
    made = classified(("no", "yes"), value=PRICES)
    few = np.array([1, 4])
    kept = [
        Kept("chosen", "forest", np.arange(10, 17), made),
        Kept("baseline", "baseline", np.arange(10, 17), classified(("no", "yes"), value=PRICES, seed=1)),
        Kept("champion", "3", np.arange(10, 17)[few], made.take(few)),
    ]
    found = back(kept, tmp_path)
    assert len(found) == len(kept)
    for one, wanted in zip(found, kept, strict=True):
        assert_same(one, wanted)


def test_numbers_come_back_exactly_even_those_that_are_none(tmp_path: Path) -> None:
    odd = np.array([0.1 + 0.2, -0.0, 1e-320, np.inf, np.nan, 1 / 3])
    kept = Kept(
        "candidate", "ridge", np.array([5, 3, 0, 9, 2**40, 1]), Predictions("regression", odd[::-1].copy(), odd)
    )
    assert_same(back([kept], tmp_path)[0], kept)


names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
odd_names = names | st.sampled_from(["row", "role", "actual", "probability of x", "a\nb", "chosen", "3"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    classes=st.lists(odd_names, min_size=2, max_size=4, unique=True),
    candidates=st.lists(odd_names, min_size=1, max_size=3, unique=True),
)
def test_no_name_of_a_class_or_candidate_gets_in_the_way(
    tmp_path: Path, classes: list[str], candidates: list[str]
) -> None:
    kept = [
        Kept(role, name, np.arange(7), classified(tuple(classes), seed=number))
        for number, name in enumerate(candidates)
        for role in ("candidate", "champion")
    ]
    for one, wanted in zip(back(kept, tmp_path), kept, strict=True):
        assert_same(one, wanted)


def test_other_tools_read_names_of_classes_in_a_long_table(tmp_path: Path) -> None:
    made = Predictions(
        "binary", np.array([0, 1]), np.array([1, 1]), np.array([[0.25, 0.75], [0.5, 0.5]]), ("no", "yes")
    )
    back([Kept("chosen", "tree", np.array([3, 8]), made)], tmp_path)
    assert pd.read_parquet(tmp_path / FILE).to_dict("records") == [
        {
            "role": "chosen",
            "model": "tree",
            "row": row,
            "actual": actual,
            "decided": "yes",
            "probability of no": no,
            "probability of yes": 1 - no,
        }
        for row, actual, no in ((3, "no", 0.25), (8, "yes", 0.5))
    ]


def test_the_same_predictions_make_the_same_bytes() -> None:
    kept = [Kept("chosen", "tree", np.arange(7), classified(("a", "b", "c")))]
    assert to_parquet(kept) == to_parquet(kept)


@pytest.mark.parametrize("what", ["nothing", "text", "another table"])
def test_another_file_is_refused_in_words(tmp_path: Path, what: str) -> None:
    file = tmp_path / FILE
    if what == "another table":
        pd.DataFrame({"a": [1]}).to_parquet(file)
    else:
        file.write_bytes(b"" if what == "nothing" else b"hello, this is no table")
    with pytest.raises(DataError, match="does not hold predictions"):
        from_parquet(file)
