from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlops_mlflow.core.bootstrap import Interval
from mlops_mlflow.core.judgement import Finding
from mlops_mlflow.core.splits import PARTS
from mlops_mlflow.stages.validate import Champion, card
from mlops_mlflow.stages.validate.run import SliceFigure

CITIES = {"north": 0.5, "south": 0.65, "west": 0.8}


def test_the_headline_of_a_passed_verdict_counts_criteria_and_pending_approvals(walk):
    output = walk("priced").outputs["validate"]
    assert output.verdict == "passed"
    headline = walk("priced").card("validate").headline
    assert headline == f"{walk('priced').inputs['validate'].chosen} keeps 4 of 4 bounds; 1 approval pending"


def test_the_headline_of_a_failed_verdict_names_what_is_missed(walk, page):
    shown = walk("plain").card("validate")
    assert shown.status == "failed"
    missed = next(one for one in walk("plain").outputs["validate"].findings if one.outcome == "failed")
    far = f"{missed.limit - missed.figure:.2g}"
    assert shown.headline == f"tree misses roc_auc by {far}; it keeps 1 of 2 bounds"
    html = page(shown)
    assert f"<strong>roc_auc</strong> misses its bound by <strong>{far}</strong>" in html
    assert "and has to be at least 0.9999" in html
    assert "Or agree on another bound with owner@example.com." in html


def test_an_unknown_verdict_is_not_shown_as_good(walk, page):
    finding = Finding("latency_p95_ms", "non-functional", "unknown", reason="measured twice within noise")
    shown = walk("priced").card("validate", verdict="unknown", findings=(finding,))
    assert shown.status == "unknown"
    assert "could not be judged on latency_p95_ms" in shown.headline
    assert "Unknown never promotes" in page(shown)


def test_a_bound_within_the_interval_is_marked_as_close(walk, page):
    finding = Finding("roc_auc", "criterion", "passed", 0.7, 0.69, True, Interval(0.66, 0.73, 12), "met", 80)
    html = page(walk("priced").card("validate", findings=(finding,)))
    assert "passed, close" in html
    assert "its bound lies within the interval" in html
    assert "interval 0.66 to 0.73, has to be at least 0.69: met" in html


def test_every_finding_and_pending_approval_is_in_the_verdict_with_its_role(walk, page):
    html = page(walk("priced").card("validate"))
    for finding in walk("priced").outputs["validate"].findings:
        kind = "" if finding.kind == "criterion" else f" ({finding.kind})"
        assert f">{finding.subject}{kind}</th>" in html
    assert "by legal" in html
    assert "nothing to compare with" in html


def test_it_says_what_the_model_is_for_and_who_answers(walk, page):
    html = page(walk("priced").card("validate"))
    for said in ("Tests of cards.", "Anything else.", "owner@example.com", "team@example.com", "What will happen?"):
        assert said in html
    assert "none are stated" in html


def test_metrics_stand_beside_baseline_and_champion(walk, page):
    walked = walk("priced")
    without = page(walked.card("validate"))
    assert "Nothing was in Production" in without
    inputs = replace(walked.inputs["validate"], champion=Champion("7", walked.inputs["validate"].predict, None))
    silent = page(card(inputs, walked.outputs["validate"]))
    assert "version 7, could not be compared" in silent
    beside = page(card(inputs, replace(walked.outputs["validate"], champion_metrics={"roc_auc": 0.51234})))
    assert ">champion 7</th>" in beside
    assert "0.5123" in beside


def test_slices_are_a_picture_and_a_table_with_intervals(walk, page):
    html = page(walk("priced").card("validate"))
    assert "roc_auc by city" in html
    assert "city = secret-town" in html
    assert "By slice" not in page(walk("classes").card("validate"))


def test_data_is_told_by_digest_rows_and_dates_of_each_part(walk, page):
    problem = walk("priced").inputs["validate"].problem
    html = page(walk("priced").card("validate"))
    assert problem.digest in html
    for number in range(len(PARTS)):
        assert f">{int((problem.parts == number).sum())}</td>" in html
    assert "2024-01-01" in html


@pytest.mark.parametrize(
    ("kind", "said"),
    [("priced", "from a probability of"), ("classes", "the most probable of"), ("number", "a number: ")],
)
def test_how_it_decides_is_said(walk, page, kind, said):
    assert said in page(walk(kind).card("validate"))


def test_a_threshold_that_nobody_reaches_is_said_in_words(walk, page):
    walked = walk("priced")
    html = page(card(replace(walked.inputs["validate"], threshold=1.01), walked.outputs["validate"]))
    assert "saying no to every row is worth most" in html


def test_the_method_names_blocks_and_draws(walk, page):
    assert "200 draws of 20 days" in page(walk("priced").card("validate"))
    few = page(walk("priced").card("validate", intervals={}))
    assert "too few to resample" in few


def test_decisions_add_up_to_the_test_rows(walk):
    made = walk("priced").outputs["validate"].made
    tables = [
        block
        for block in _blocks(walk("priced").card("validate").blocks)
        if getattr(block, "columns", ())[:1] == ("decision",)
    ]
    assert sum(row[1] for row in tables[0].rows) == len(made)
    assert sum(row[3].value for row in tables[0].rows) == pytest.approx(float(np.sum(made.worth)))


def _blocks(blocks):
    for block in blocks:
        inner = getattr(block, "blocks", ()) if not isinstance(block, tuple) else block
        yield block
        yield from _blocks(inner)


def test_a_missed_bound_says_in_which_slices_it_is_missed(walk, page):
    slices = tuple(SliceFigure("city", value, 40, "roc_auc", figure, None) for value, figure in CITIES.items())
    for subject in ("roc_auc", "roc_auc in each city"):
        finding = Finding(subject, "criterion", "failed", 0.6, 0.7, True, reason="not met")
        html = page(walk("priced").card("validate", verdict="failed", findings=(finding,), slices=slices))
        assert "It is missed in 2 of 3 slices: city = north (0.5) and city = south (0.65)." in html
    against = Finding("roc_auc against the baseline", "criterion", "failed", 0.1, 0.2, True, reason="not met")
    html = page(walk("priced").card("validate", verdict="failed", findings=(against,), slices=slices))
    assert "slices:" not in html
    assert "misses its bound by <strong>0.1</strong>" in html


def test_a_model_that_only_equals_the_baseline_is_missed_by_no_distance(walk, page):
    level = Finding("roc_auc better than the baseline", "criterion", "failed", 0.0, 0.0, True, reason="nothing gained")
    shown = walk("priced").card("validate", verdict="failed", findings=(level,))
    assert " misses roc_auc better than the baseline; it keeps 0 of 1 bound" in shown.headline
    assert "is missed: nothing gained." in page(shown)


def test_what_may_help_depends_on_what_is_missed(walk, page):
    slow = Finding("latency_p95_ms", "non-functional", "failed", 120.0, 100.0, False, reason="slow")
    weak = Finding("roc_auc", "criterion", "failed", 0.6, 0.7, True, reason="weak")
    one = page(walk("priced").card("validate", verdict="failed", findings=(slow,)))
    assert "Try a smaller or faster candidate, or fewer columns. Or agree on another bound with team@example.com" in one
    shown = walk("priced").card("validate", verdict="failed", findings=(weak, slow))
    assert " misses roc_auc by 0.1, and 1 more; it keeps 0 of 2 bounds" in shown.headline
    both = page(shown)
    assert "better features or more rows" in both
    assert "owner@example.com and team@example.com" in both


def test_an_unknown_figure_near_its_bound_is_not_said_to_miss_it(walk):
    noisy = Finding("latency_p95_ms", "non-functional", "unknown", 101.0, 100.0, False, reason="within noise")
    shown = walk("priced").card("validate", verdict="unknown", findings=(noisy,))
    assert " could not be judged on latency_p95_ms; it keeps" in shown.headline
