from __future__ import annotations

import pytest

from mlops_mlflow.cards.blocks import Quantity
from mlops_mlflow.cards.wording import counted, gap, listed, of_metric, sides, title, told
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.success import Value

SPEC = UseCaseSpec.model_construct(use_case="tiny", value=Value(unit="EUR", true_positive=1))
UNPRICED = UseCaseSpec.model_construct(use_case="tiny", value=None)


def test_a_title_names_stage_and_use_case():
    assert title("extract", SPEC) == "Extract · tiny"


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (counted(1, "row"), "1 row"),
        (counted(25_000, "row"), "25,000 rows"),
        (counted(0, "criterion", "criteria"), "0 criteria"),
    ],
)
def test_a_count_agrees_with_its_noun(said, wanted):
    assert said == wanted


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        ((), ""),
        (("a",), "a"),
        (("a", "b"), "a and b"),
        (("a", "b", "c"), "a, b and c"),
        (tuple("abcdef"), "a, b, c, d and 2 more"),
    ],
)
def test_names_are_listed_as_in_a_sentence(names, wanted):
    assert listed(names) == wanted


def test_only_figures_with_a_unit_are_written_with_one():
    assert of_metric("value_per_row", 1.5, SPEC) == Quantity(1.5, "EUR")
    assert of_metric("value_per_row", 1.5, UNPRICED) == 1.5
    assert of_metric("roc_auc", 0.7, SPEC) == 0.7
    assert told("latency_p95_ms", 12.0, SPEC) == "12\u00a0ms"


def test_a_gap_has_two_digits_and_no_sign():
    assert gap("roc_auc", -0.09646, SPEC) == "0.096"
    assert gap("roc_auc", float("nan"), SPEC) == "–"


def test_words_are_on_the_left_and_figures_on_the_right():
    assert sides(("part", "rows", "share"), {"part"}) == ("left", "right", "right")
