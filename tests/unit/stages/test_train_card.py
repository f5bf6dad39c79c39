from __future__ import annotations

from dataclasses import replace

import pytest

from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.core.usecase.candidates import Distribution
from mlops_mlflow.stages import train


def test_the_headline_names_the_leader_its_figure_and_the_gap_to_the_best_baseline(walk):
    output = walk("priced").outputs["train"]
    leader = output.fitted[0]
    headline = walk("priced").card("train").headline
    assert headline.startswith(f"{leader.name} leads with roc_auc {figure(leader.mean)} in cross-validation")
    assert "better than baseline" in headline


def test_a_smaller_error_leads_where_less_is_better(walk):
    assert "rmse" in walk("number").card("train").headline
    assert "better than baseline" in walk("number").card("train").headline


def test_failed_trials_and_failed_candidates_are_said_with_their_reason(walk, page):
    walked = walk("plain")
    html = page(walked.card("train"))
    assert "Every trial of <strong>broken</strong> failed: InvalidParameterError" in html
    assert walked.card("train").status == "warning"
    failed = sum(
        bool(trial.error) for one in walked.outputs["train"].fitted if one.search for trial in one.search.trials
    )
    assert failed
    assert f"Why {failed} trial" in html


def test_a_search_that_the_time_guard_cut_is_a_warning(walk, page):
    output = walk("priced").outputs["train"]
    cut = tuple(
        one if one.search is None else replace(one, search=replace(one.search, truncated=True)) for one in output.fitted
    )
    card = walk("priced").card("train", fitted=cut)
    assert card.status == "warning"
    html = page(card)
    assert "The time guard cut the search of <strong>logistic</strong> after 3 of 3 trials." in html
    assert "<code>tuning.timeout: PT1M</code>" in html


def test_a_leader_that_is_no_better_than_a_baseline_is_said(walk, page):
    output = walk("priced").outputs["train"]
    level = tuple(replace(one, mean=0.5) for one in output.fitted)
    html = page(walk("priced").card("train", fitted=level))
    assert "No candidate beats <strong>baseline</strong>" in html


def test_a_best_value_at_the_edge_of_its_range_is_pointed_out(walk, page):
    output = walk("priced").outputs["train"]
    edged = []
    for one in output.fitted:
        if one.name == "logistic":
            trials = tuple(replace(trial, params={"C": 9.99}) for trial in one.search.trials)
            edged.append(replace(one, search=replace(one.search, trials=trials)))
        else:
            edged.append(one)
    assert "The best C of <strong>logistic</strong> lies at the upper edge of its range: 9.99, of 0.01 to 10" in page(
        walk("priced").card("train", fitted=tuple(edged))
    )


def test_numbers_are_pictured_and_choices_tabled(walk, page):
    html = page(walk("priced").card("train"))
    assert "roc_auc over C" in html
    assert "roc_auc over max_depth" in html
    assert "roc_auc over criterion" not in html
    assert ">criterion</th>" in html
    assert "Every trial of logistic" in html
    assert "Every trial of tree" in html


def test_one_hold_out_is_called_so_and_shows_no_spread(walk, page):
    walked = walk("priced")
    spec = walked.inputs["train"].problem.spec
    once = spec.model_copy(update={"tuning": spec.tuning.model_copy(update={"folds": 1})})
    inputs = replace(walked.inputs["train"], problem=replace(walked.inputs["train"].problem, spec=once))
    card = train.card(inputs, walked.outputs["train"])
    assert card.subtitle.startswith("one hold-out inside ")
    assert "on one hold-out" in card.headline
    html = page(card)
    assert "From one hold-out" in html
    assert "cross-validat" not in html.lower()
    assert "1 fold" not in html


@pytest.mark.parametrize(
    ("space", "best", "said"),
    [
        ({"loguniform": [0.01, 10]}, 9.9, "`C: {loguniform: [0.01, 100]}`"),
        ({"loguniform": [0.0001, 10]}, 0.0001, "`C: {loguniform: [0.00001, 10]}`"),
        ({"uniformint": [2, 6]}, 2, "`C: {uniformint: [1, 6]}`"),
        ({"quniform": [10, 50, 10]}, 50.0, "`C: {quniform: [10, 90, 10]}`"),
        ({"uniform": [-1, 2]}, -1.0, "`C: {uniform: [-4, 2]}`"),
        ({"uniform": [0, 1]}, 0.99, "if the parameter can be anything beyond it"),
        ({"uniformint": [1, 9]}, 1, "if the parameter can be anything beyond it"),
        ({"uniform": [0, 1]}, 0.5, None),
        ({"choice": [1, 2]}, 1, None),
    ],
)
def test_a_range_that_was_too_narrow_comes_with_a_wider_one(walk, space, best, said):
    walked = walk("priced")
    problem, output = walked.inputs["train"].problem, walked.outputs["train"]
    logistic = problem.spec.candidates["logistic"].model_copy(update={"space": {"C": Distribution(**space)}})
    spec = problem.spec.model_copy(update={"candidates": {**problem.spec.candidates, "logistic": logistic}})
    fitted = tuple(
        replace(
            one, search=replace(one.search, trials=tuple(replace(t, params={"C": best}) for t in one.search.trials))
        )
        for one in output.fitted
        if one.name == "logistic"
    )
    shown = train.card(train.Inputs(replace(problem, spec=spec)), replace(output, fitted=fitted))
    told = [remark.detail for remark in _remarks(shown.blocks) if "edge of its range" in remark.sentence]
    assert told == [] if said is None else said in told[0]


def test_what_earlier_runs_found_out_is_said_so_that_nobody_wonders_about_the_time(walk, page):
    output = walk("priced").outputs["train"]
    fresh = walk("priced").card("train")
    assert "Taken over" not in page(fresh)
    assert "trials taken over" not in dict(fresh.facts)
    assert "made by" not in page(fresh)
    again = tuple(_kept(one) if one.name == "logistic" else one for one in output.fitted)
    card = walk("priced").card("train", fitted=again)
    html = page(card)
    assert (
        "Taken over from earlier runs of the same work: <strong>logistic</strong> (2 of 3 trials and the fit)" in html
    )
    assert dict(card.facts)["trials taken over"] == 2
    assert html.count(">an earlier run</td>") == 2
    new = [t for one in again if one.search for t in one.search.trials if not t.kept]
    assert dict(card.facts)["spent on trials"].value == pytest.approx(sum(trial.seconds for trial in new))


def _kept(one):
    trials = tuple(replace(trial, kept=trial.number < 2) for trial in one.search.trials)
    return replace(one, ref="m-1", search=replace(one.search, trials=trials))


def _remarks(blocks):
    return [remark for block in blocks for remark in getattr(block, "items", ()) if hasattr(remark, "sentence")]
