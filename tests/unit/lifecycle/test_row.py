"""One row: where it is found, where its values lie, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from builders import spec

from mlops_mlflow.cards.page import to_html, to_json
from mlops_mlflow.core.errors import DataError
from mlops_mlflow.core.metrics.measure import Predictions
from mlops_mlflow.core.profiles import ColumnProfile, TableProfile
from mlops_mlflow.core.usecase.success import Value
from mlops_mlflow.engines.profile import profile
from mlops_mlflow.engines.tables import write_parquet
from mlops_mlflow.learning.contributions import Contributions
from mlops_mlflow.learning.target import Outcomes
from mlops_mlflow.lifecycle.row import RowStory, row_card
from mlops_mlflow.lifecycle.row.model import ShownModel
from mlops_mlflow.lifecycle.row.search import FoundRow, find_row
from mlops_mlflow.lifecycle.row.wording import (
    Feature,
    among,
    brief,
    decisions,
    derived,
    distance,
    features,
    headline,
    remarks,
    shown,
    standing,
)


def dataset(folder: Path, **columns: Any) -> Path:
    path = folder / "dataset.parquet"
    write_parquet(pd.DataFrame(columns), path)
    return path


class TestFinding:
    def test_a_row_is_found_by_its_key(self, tmp_path: Path) -> None:
        path = dataset(tmp_path, id=["a", "b", "c"])
        assert find_row(path, None, spec(entity_key="id"), "b") == FoundRow(1, 3, 1, 1, ())

    @pytest.mark.parametrize(
        ("values", "key"),
        [
            ([10, 20, 30], "20"),
            ([10, 20, 30], " 20 "),
            ([1.5, 2.5, None], "2.50"),
            (["010", "20", "30"], "20"),
            (pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"]), "2024-01-02"),
            (pd.to_datetime(["2024-01-01 00:00", "2024-01-02 07:30", "2024-01-03 00:00"]), "2024-01-02T07:30"),
            ([False, True, False], "true"),
            (["", "it's", "x"], "it's"),
        ],
    )
    def test_a_key_of_any_type_may_be_given_as_text(self, tmp_path: Path, values: Any, key: str) -> None:
        assert find_row(dataset(tmp_path, id=values), None, spec(entity_key="id"), key).number == 1

    def test_a_text_key_is_taken_to_the_letter(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="no row has the id '20'") as told:
            find_row(dataset(tmp_path, id=["020", "030"]), None, spec(entity_key="id"), "20")
        assert "020" in told.value.expected

    def test_without_a_key_a_row_is_named_by_its_number(self, tmp_path: Path) -> None:
        path = dataset(tmp_path, x=[1, 2, 3])
        assert find_row(path, None, spec(), "2").number == 2
        assert find_row(path, None, spec(), "0").number == 0

    @pytest.mark.parametrize("key", ["3", "-1", "1.0", "x", "", "²"])
    def test_a_number_beyond_the_dataset_is_refused(self, tmp_path: Path, key: str) -> None:
        with pytest.raises(DataError, match="there is no row") as told:
            find_row(dataset(tmp_path, x=[1, 2, 3]), None, spec(), key)
        assert "from 0 to 2" in told.value.expected

    def test_of_several_rows_with_a_key_the_first_is_taken_or_the_one_asked_for(self, tmp_path: Path) -> None:
        path = dataset(tmp_path, id=["a", "b", "a", "a"])
        assert find_row(path, None, spec(entity_key="id"), "a") == FoundRow(0, 4, 1, 3, ())
        assert find_row(path, None, spec(entity_key="id"), "a", 3) == FoundRow(3, 4, 3, 3, ())
        with pytest.raises(DataError, match="3 of the rows") as told:
            find_row(path, None, spec(entity_key="id"), "a", 4)
        assert "from 1 to 3" in told.value.expected

    @pytest.mark.parametrize("key", ["12.7", "C12", "", "1e1"])
    def test_what_cannot_be_a_key_is_refused_as_such(self, tmp_path: Path, key: str) -> None:
        with pytest.raises(DataError, match="cannot be a value of the key `id`") as told:
            find_row(dataset(tmp_path, id=[12, 13, 10]), None, spec(entity_key="id"), key)
        assert "whole numbers (BIGINT)" in told.value.expected

    def test_keys_that_are_written_alike_are_offered(self, tmp_path: Path) -> None:
        path = dataset(tmp_path, id=["EV-4321-EWR", "EV-4320-EWR", "something else", None])
        with pytest.raises(DataError, match="no row has") as told:
            find_row(path, None, spec(entity_key="id"), "EV-4322-EWR")
        assert told.value.expected == "a value of `id`, such as EV-4320-EWR, EV-4321-EWR"

    @pytest.mark.parametrize("key", ["ev-4321-ewr", "EV-4321", "EV-4321-EWR-1", "EV-4312-EWR"])
    def test_a_key_that_is_nearly_right_finds_the_right_one(self, tmp_path: Path, key: str) -> None:
        path = dataset(tmp_path, id=["B6-17-JFK", "EV-4321-EWR", "AA-1-LGA", ""])
        with pytest.raises(DataError, match="no row has") as told:
            find_row(path, None, spec(entity_key="id"), key)
        assert told.value.expected == "a value of `id`, such as EV-4321-EWR"

    def test_a_row_that_was_set_aside_says_why(self, tmp_path: Path) -> None:
        case = spec(entity_key="id", contract={"columns": {"id": {}, "calls": {"min": 0}, "plan": {}}})
        aside = tmp_path / "quarantine.parquet"
        reason = "calls: min 0"
        write_parquet(pd.DataFrame({"id": ["c"], "calls": [-3], "plan": ["A"], "_reason": [reason]}), aside)
        with pytest.raises(DataError, match=r"was set aside: it breaks the data contract \(calls: min 0\)") as told:
            find_row(dataset(tmp_path, id=["a", "b"]), aside, case, "c")
        assert told.value.got == "calls = -3"

    def test_a_row_that_is_kept_tells_of_its_twins_that_were_not(self, tmp_path: Path) -> None:
        case = spec(entity_key="id", contract={"columns": {"id": {"unique": True}}})
        aside = tmp_path / "quarantine.parquet"
        write_parquet(pd.DataFrame({"id": [1, 2], "_reason": ["id: unique", "id: unique"]}), aside)
        assert find_row(dataset(tmp_path, id=[1, 2, 3]), aside, case, "1").aside == ("id: unique",)
        assert find_row(dataset(tmp_path, id=[1, 2, 3]), aside, case, "3").aside == ()

    def test_names_with_quotes_are_names(self, tmp_path: Path) -> None:
        path = dataset(tmp_path, **{"the \"id'": ["a", "b"]})
        assert find_row(path, None, spec(entity_key="the \"id'"), "b").number == 1


def profiled(folder: Path, values: Any) -> ColumnProfile:
    found = profile(dataset(folder, x=values), target=None, event_time=None).column("x")
    assert found is not None
    return found


class TestStanding:
    def test_numbers_lie_above_a_share_of_the_rows(self, tmp_path: Path) -> None:
        column = profiled(tmp_path, np.arange(1000.0))
        assert standing(column, 900.0) == ("above 90%", False)
        assert standing(column, 499.5) == ("above 50%", False)
        assert standing(column, 0.0)[0] == "above 0%"
        assert standing(column, 999.0)[0] in {"above 95%", "above 100%"}
        assert standing(column, -0.1) == ("below all: from 0 on", True)
        assert standing(column, 1000.0) == ("above all: up to 999", True)

    def test_a_value_that_many_share_says_so_where_it_is_the_least(self, tmp_path: Path) -> None:
        column = profiled(tmp_path, [0] * 90 + list(range(1, 11)))
        assert standing(column, 0) == ("the least, as in 90%", False)
        assert standing(column, 5)[0].startswith("above 9")

    def test_a_column_of_one_value(self, tmp_path: Path) -> None:
        column = profiled(tmp_path, [7.0] * 10)
        assert standing(column, 7.0) == ("the least, as in 100%", False)
        assert standing(column, 8.0) == ("above all: up to 7", True)

    def test_missing_values_are_compared_with_missing_values(self, tmp_path: Path) -> None:
        assert standing(profiled(tmp_path, [1.0, None, 2.0, 3.0]), np.nan) == ("missing in 25%", False)
        assert standing(profiled(tmp_path, [1.0, 2.0]), np.nan) == ("never missing", True)

    def test_a_category_is_as_common_as_it_is(self, tmp_path: Path) -> None:
        column = profiled(tmp_path, ["a"] * 3 + ["b"])
        assert standing(column, "a") == ("same in 75%", False)
        assert standing(column, "z") == ("never seen", True)
        many = profiled(tmp_path, [f"w{number}" for number in range(100)] * 2)
        assert standing(many, "z") == ("rare or never seen, at most 1%", False)

    def test_booleans_are_categories(self, tmp_path: Path) -> None:
        assert standing(profiled(tmp_path, [True, True, True, False]), np.True_) == ("same in 75%", False)

    def test_times_are_before_or_after(self, tmp_path: Path) -> None:
        column = profiled(tmp_path, pd.date_range("2024-01-01", periods=101, freq="D"))
        assert standing(column, pd.Timestamp("2024-02-18 12:00")) == ("after 49%", False)
        assert standing(column, pd.Timestamp("2025-01-01")) == ("after all: up to 2024-04-10", True)
        assert standing(column, pd.Timestamp("2023-01-01")) == ("before all: from 2024-01-01 on", True)

    def test_texts_are_compared_by_length(self, tmp_path: Path) -> None:
        column = profiled(
            tmp_path, [f"word {number:03} and some more of them" * (1 + number // 50) for number in range(100)]
        )
        assert column.kind == "text"
        assert standing(column, "word " * 30)[0].startswith("longer than ")

    def test_derived_values_are_compared_with_the_background_rows(self) -> None:
        assert among(pd.Series(np.arange(100)), 25) == "above about 25%"
        assert among(pd.Series([1.0, 0, 0, 0]), 1.0) == "same in about 25%"
        assert among(pd.Series(["a", "a", "b", None]), "a") == "same in about 50%"
        assert among(pd.Series([1.0, None]), np.nan) == "missing in about 50%"

    @pytest.mark.parametrize(
        ("value", "text"),
        [
            (1234567, "1234567"),
            (2004.0, "2004"),
            (0.1 + 0.2, "0.3"),
            (np.nan, "(missing)"),
            (None, "(missing)"),
            (pd.Timestamp("2024-01-02"), "2024-01-02"),
            (pd.Timestamp("2024-01-02 03:04"), "2024-01-02 03:04"),
            ("a\n b", "a b"),
            ([1, 2], "[1, 2]"),
            ({"a": None}, "{'a': None}"),
            ("x" * 50, "x" * 39 + "…"),
        ],
    )
    def test_values_are_shown_as_they_stand_in_the_data(self, value: Any, text: str) -> None:
        assert shown(value) == text


@pytest.fixture
def story(tmp_path: Path) -> RowStory:
    """A late flight that was warned of."""
    case = spec(
        entity_key="id",
        value={"unit": "USD", "true_positive": 30, "false_positive": -20},
        features={"module": "features.py"},
    )
    train = pd.DataFrame({"queue": np.arange(100.0), "dest": ["JFK", "LGA"] * 50})
    path = tmp_path / "train.parquet"
    write_parquet(train, path)
    why = Contributions(("queue", "dest"), np.array([0.4, -0.1]), np.array([0.01, 0.02]), 0.3, 0.6, 100)
    return RowStory(
        case,
        "EV-1",
        ShownModel("boosting", 2, "abcdef0123456789", 1_700_000_000_000, "m-1", {}),
        (("flights", "flights.csv"),),
        FoundRow(1234, 5000, 1, 1, ()),
        "test",
        pd.DataFrame({"queue": [150.0], "dest": ["JFK"]}),
        pd.DataFrame({"wet": [1.0]}),
        pd.DataFrame({"wet": [1.0, 0.0, 0.0, 0.0]}),
        profile(path, target=None, event_time=None),
        Predictions("binary", np.array([1]), np.array([1]), np.array([[0.4, 0.6]]), ("0", "1"), case.value),
        Outcomes("binary", (0, 1)),
        0.31,
        why,
    )


def of_many(story: RowStory, **changes: Any) -> RowStory:
    """The same row under three classes."""
    made = Predictions("multiclass", np.array([2]), np.array([0]), np.array([[0.5, 0.3, 0.2]]), ("a", "b", "c"))
    return replace(story, spec=spec(), made=replace(made, **changes), threshold=None)


def plain(text: str) -> str:
    """With spaces that a line may break at."""
    return text.replace("\N{NO-BREAK SPACE}", " ")


class TestWords:
    def test_the_answer_comes_in_two_sentences(self, story: RowStory) -> None:
        assert plain(headline(story)) == (
            "late: predicted yes (probability 0.6, threshold 0.31); what happened: yes; worth +30 USD. "
            "Most of it came from queue (+0.4)."
        )

    def test_a_wrong_decision_costs(self, story: RowStory) -> None:
        wrong = replace(story, made=replace(story.made, actual=np.array([0])))
        assert "what happened: no; worth −20 USD." in plain(headline(wrong))
        assert row_card(wrong).word == "wrong"
        assert row_card(wrong).status == "warning"
        assert row_card(story).word == "right"

    def test_of_a_no_it_is_the_probability_of_yes_that_is_told(self, story: RowStory) -> None:
        no = replace(story, made=replace(story.made, decided=np.array([0])), threshold=0.7)
        assert headline(no).startswith("late: predicted no (probability of yes 0.6, threshold 0.7); what happened: yes")

    def test_names_of_classes_stay_names(self, story: RowStory) -> None:
        named = replace(story, made=replace(story.made, classes=("on time", "late")))
        assert "predicted late (probability 0.6, threshold 0.31); what happened: late" in headline(named)

    def test_no_column_may_have_moved_it(self, story: RowStory) -> None:
        still = replace(story.why, values=np.zeros(2), prediction=story.why.average)
        assert headline(replace(story, why=still)).endswith("No column moved it from the average.")

    def test_what_moved_it_most_moved_it_the_way_it_went(self, story: RowStory) -> None:
        down = replace(story.why, values=np.array([0.1, -0.4]), prediction=0.0)
        assert headline(replace(story, why=down)).endswith("Most of it came from dest (−0.4).")
        scattered = replace(story.why, columns=tuple("abcde"), values=np.full(5, 0.06))
        assert headline(replace(story, why=scattered)).endswith("The largest part came from a (+0.06).")

    def test_of_several_classes_the_predicted_one_is_told(self, story: RowStory) -> None:
        many = of_many(story)
        many = replace(many, why=replace(many.why, prediction=0.5))
        assert headline(many).startswith("late: predicted a (probability 0.5); what happened: c. ")
        assert distance(many) == "The most probable outcome is predicted, 0.2 ahead of the next."
        assert "probability of a" in to_json(row_card(many))

    def test_a_number_is_told_with_its_error(self, story: RowStory) -> None:
        prices = Value(unit="bikes", over=-1, under=-2)
        made = Predictions("regression", np.array([10.0]), np.array([7.5]), None, (), prices)
        number = replace(story, spec=spec(value=prices.model_dump()), made=made, threshold=None)
        assert plain(headline(number)).startswith("late: predicted 7.5; what happened: 10; worth −5 bikes.")
        assert distance(number) == "It is 2.5 too low."
        assert decisions(number) is None
        assert row_card(number).word == "explained"

    @pytest.mark.parametrize(
        ("threshold", "says"),
        [
            (0.31, "0.29 above the threshold; it says yes from 0.31 on"),
            (0.7, "0.1 below the threshold; it says yes from 0.7 on"),
            (1.01, "best to say no to every row"),
            (None, "most probable outcome is predicted, 0.2 ahead"),
        ],
    )
    def test_the_distance_to_the_threshold_is_told(self, story: RowStory, threshold: float | None, says: str) -> None:
        assert says in distance(replace(story, threshold=threshold))

    def test_each_decision_has_its_price(self, story: RowStory) -> None:
        table = decisions(story)
        assert table is not None
        assert table.columns == ("decision", "if no", "if yes", "expected")
        assert table.rows == (("no", "0", "0", "0"), ("yes (decided)", "−20", "30", "10"))
        assert decisions(of_many(story)) is None

    @pytest.mark.parametrize(("share", "text"), [(0.6781, "0.68"), (0.00421, "0.0042"), (0.9999, "0.9999"), (1, "1")])
    def test_probabilities_are_short_but_never_surer_than_they_are(self, share: float, text: str) -> None:
        assert brief(share) == text

    def test_values_that_no_train_row_has_are_pointed_out(self, story: RowStory) -> None:
        assert features(story)[0] == Feature("queue", "150", "above all: up to 99", strange=True)
        assert any("no value like queue (150: above all: up to 99)" in one.sentence for one in remarks(story))
        assert derived(story) == [Feature("wet", "1", "same in about 25%")]

    def test_the_event_time_is_expected_to_be_later(self, story: RowStory) -> None:
        timed = replace(story, spec=spec(entity_key="id", event_time={"column": "queue"}))
        assert not features(timed)[0].strange

    def test_a_train_row_is_warned_of(self, story: RowStory) -> None:
        (said, *_) = remarks(replace(story, part="train"))
        assert said.status == "warning"
        assert "trained on this row" in said.detail
        assert next(iter(remarks(story))).status == "info"

    def test_rows_of_the_same_key_are_told(self, story: RowStory) -> None:
        place = FoundRow(7, 10, 2, 3, ("id: unique",))
        told = [one.sentence for one in remarks(replace(story, place=place))]
        assert "3 rows have this id; this is number 2 of them." in told
        assert "1 more row with this id set aside: id: unique." in told

    def test_the_card_goes_the_way_of_the_row(self, story: RowStory) -> None:
        page = to_html(row_card(story))
        heads = ["Extract:", "Features:", "Model:", "Threshold:"]
        assert sorted(heads, key=page.index) == heads
        for part in ("EV-1", "boosting, version 2", "flights (flights.csv)", "queue = 150", "row 1,234 of 5,000"):
            assert part in page

    def test_a_column_that_moved_nothing_has_no_bar(self, story: RowStory) -> None:
        idle = replace(story, why=replace(story.why, values=np.array([0.3, 0.0])))
        assert "1 column moved next to nothing." in to_html(row_card(idle))
        assert "dest = JFK" not in to_html(row_card(idle))

    def test_without_a_profile_of_a_column_its_value_is_shown(self, story: RowStory) -> None:
        bare = replace(story, reference=TableProfile(0, ()))
        assert features(bare)[0] == Feature("queue", "150", "")
