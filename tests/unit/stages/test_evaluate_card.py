from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.core.metrics.measure import Predictions, measure
from mlops_mlflow.core.usecase.success import Value
from mlops_mlflow.learning.importance import NOISE, Importance
from mlops_mlflow.stages.evaluate import curves


def test_the_headline_says_who_is_chosen_by_what_and_how_far_ahead(walk):
    output = walk("priced").outputs["evaluate"]
    worth = figure(output.of(output.chosen).metrics["value_per_row"], "EUR")
    headline = walk("priced").card("evaluate").headline
    assert headline.startswith(f"{output.chosen} is chosen: value_per_row {worth}, ")
    assert headline.endswith(f"better than {output.baseline}")


def test_a_choice_that_is_no_better_than_the_baseline_is_a_warning(walk, page):
    output = walk("priced").outputs["evaluate"]
    level = tuple(replace(one, metrics={**one.metrics, "value_per_row": 1.0}) for one in output.judged)
    card = walk("priced").card("evaluate", judged=level)
    assert card.status == "warning"
    assert "no better than baseline" in card.headline
    assert "Validate will fail it" in page(card)


def test_a_priced_decision_shows_what_a_threshold_is_worth(walk, page):
    assert "What a threshold is worth" in page(walk("priced").card("evaluate"))
    assert "What a threshold is worth" not in page(walk("plain").card("evaluate"))


def test_pictures_are_those_of_the_kind_of_target(walk, page):
    binary, classes, number = (page(walk(kind).card("evaluate")) for kind in ("priced", "classes", "number"))
    for title in ("ROC curve", "Precision and recall", "Gains", "Calibration", "Confusion matrix"):
        assert title in binary
        assert title not in number
    assert "ROC curve of each class" in classes
    assert "found (recall)" in classes
    assert "Predicted and actual" in number
    assert "rows are off by at most" in number


def test_columns_within_the_reach_of_noise_are_named(walk, page):
    found = (Importance("width", 0.2, 0.01), Importance("city", 0.004, 0.001), Importance(NOISE, 0.003, 0.002))
    html = page(walk("priced").card("evaluate", importances=found))
    assert "1 column matters no more than a column of random numbers: city." in html


def test_worst_rows_are_shown_only_with_examples(walk, page):
    assert "Worst rows" in page(walk("priced").card("evaluate"))
    assert "Worst rows" not in page(walk("plain").card("evaluate"))


def test_dots_of_single_rows_are_drawn_only_with_examples(walk, page):
    assert "Errors over predictions" in page(walk("number").card("evaluate"))
    assert "Errors over predictions" not in page(walk("hidden number").card("evaluate"))


def test_saying_no_to_every_row_is_a_warning(walk, page):
    output = walk("priced").outputs["evaluate"]
    chosen = output.of(output.chosen)
    silent = replace(chosen, threshold=1.01, made=replace(chosen.made, decided=np.zeros_like(chosen.made.decided)))
    judged = tuple(silent if one is chosen else one for one in output.judged)
    assert "say no to every row" in page(walk("priced").card("evaluate", judged=judged))


def made(rows: int, value: Value | None = None) -> Predictions:
    random = np.random.default_rng(1)
    score = random.random(rows)
    actual = (random.random(rows) < score).astype(np.int64)
    return Predictions("binary", actual, (score >= 0.5).astype(np.int64), np.c_[1 - score, score], ("0", "1"), value)


def test_counts_at_a_threshold_are_those_of_deciding_at_it():
    one = made(1000)
    scores, true, false = curves.counts_over_threshold(one)
    assert len(scores) <= 200
    for place in (0, len(scores) // 2, len(scores) - 1):
        yes = one.scores[:, 1] >= scores[place]
        assert true[place] == (yes & (one.actual == 1)).sum()
        assert false[place] == (yes & (one.actual == 0)).sum()


def test_the_value_of_a_threshold_is_that_of_deciding_at_it():
    value = Value(true_positive=5, false_positive=-3, true_negative=1, false_negative=-2)
    one = made(500, value)
    thresholds, worth = curves.worth_over_threshold(one)
    for place in (0, len(thresholds) // 2, len(thresholds) - 1):
        decided = (one.scores[:, 1] >= thresholds[place]).astype(np.int64)
        assert worth[place] == pytest.approx(measure("value_per_row", replace(one, decided=decided)))


def test_the_area_under_the_thinned_roc_is_the_metric():
    one = made(20_000)
    x, y = curves.roc_points(one)
    assert np.trapezoid(y, x) == pytest.approx(measure("roc_auc", one), abs=1e-3)


def test_calibration_of_few_rows_has_few_groups():
    picture = curves.calibration(np.linspace(0, 1, 50), np.linspace(0, 1, 50) > 0.5)
    assert picture.caption.startswith("2 groups")


def test_many_classes_are_cut_to_the_commonest(walk, page):
    output = walk("classes").outputs["evaluate"]
    random = np.random.default_rng(2)
    scores = random.dirichlet(np.ones(40), 2000)
    actual = random.integers(0, 40, 2000)
    many = Predictions("multiclass", actual, scores.argmax(axis=1), scores, tuple(f"class {n}" for n in range(40)))
    judged = tuple(replace(one, made=many) if one.name == output.chosen else one for one in output.judged)
    assert "the 15 commonest of 40 classes" in page(walk("classes").card("evaluate", judged=judged))


@pytest.mark.parametrize(("rows", "warned"), [(90, False), (9000, True)])
def test_probabilities_that_are_off_are_a_warning_where_chance_does_not_explain_it(walk, page, rows, warned):
    one = made(rows)
    shrunk = 0.3 + 0.4 * one.scores[:, 1]
    one = replace(one, scores=np.c_[1 - shrunk, shrunk])
    output = walk("plain").outputs["evaluate"]
    chosen = output.of(output.chosen)
    metrics = {**chosen.metrics, "calibration_error": measure("calibration_error", one)}
    assert metrics["calibration_error"] > 0.05
    judged = tuple(replace(other, made=one, metrics=metrics) if other is chosen else other for other in output.judged)
    assert ("Its probabilities are off" in page(walk("plain").card("evaluate", judged=judged))) is warned


def test_columns_to_leave_out_come_with_the_line_that_does_it(walk, page):
    noise = Importance(NOISE, 0.003, 0.002)
    two = (Importance("city", 0.004, 0.001), Importance("width", 0.001, 0.001), noise)
    assert "<code>features: {exclude: [city, width]}</code>" in page(walk("priced").card("evaluate", importances=two))
    derived = (Importance("made_by_derive", 0.004, 0.001), noise)
    html = page(walk("priced").card("evaluate", importances=derived))
    assert "Try without some of them (<code>features.exclude</code>)" in html
