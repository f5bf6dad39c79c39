from __future__ import annotations

import pytest
import yaml

from mlops_mlflow.cards.blocks import Quantity, Remark
from mlops_mlflow.cards.wording import counted, gap, gravest_first, listed, of_metric, sides, title, told, yaml_line
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


def test_a_list_is_written_as_the_file_takes_it():
    names = ["arr_delay", "two words", "no", "a, b", "arr_delay", "normal"]
    line = yaml_line("forbidden", names)
    assert line.startswith('forbidden: [arr_delay, "two words", ')
    assert yaml.safe_load(line) == {"forbidden": list(dict.fromkeys(names))}


def test_the_gravest_remark_comes_first_and_equals_keep_their_order():
    made = [Remark(status, name) for status, name in (("info", "a"), ("warning", "b"), ("failed", "c"), ("info", "d"))]
    assert [one.sentence for one in gravest_first(made)] == ["c", "b", "a", "d"]
