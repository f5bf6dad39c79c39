from __future__ import annotations

import math

import pytest

from mlops_mlflow.core.bootstrap import Interval
from mlops_mlflow.core.judgement import Finding, judge, meets, verdict
from mlops_mlflow.core.usecase.success import Bound

AT_LEAST = Bound(metric="roc_auc", at_least=0.7)
AT_MOST = Bound(metric="rmse", at_most=2.0)


def found(outcome):
    return Finding("roc_auc", "criterion", outcome)


def judged(bound, figure, **more):
    return judge(bound, figure, subject="it", kind="criterion", **more)


@pytest.mark.parametrize(
    ("bound", "figure", "outcome"),
    [
        (AT_LEAST, 0.71, "passed"),
        (AT_LEAST, 0.7, "passed"),
        (AT_LEAST, 0.69, "failed"),
        (AT_MOST, 1.9, "passed"),
        (AT_MOST, 2.0, "passed"),
        (AT_MOST, 2.1, "failed"),
        (AT_MOST, math.inf, "failed"),
        (AT_LEAST, -math.inf, "failed"),
        (Bound(metric="r2", at_least=0.0), -0.1, "failed"),
        (Bound(metric="rmse", at_most=0.0), 0.1, "failed"),
    ],
)
def test_the_bound_itself_is_kept(bound, figure, outcome):
    assert judged(bound, figure).outcome == outcome
    assert meets(bound, figure) == (outcome == "passed")


@pytest.mark.parametrize("bound", [AT_LEAST, AT_MOST])
def test_a_figure_that_is_not_defined_is_unknown_and_keeps_no_bound(bound):
    finding = judged(bound, math.nan, rows=12)
    assert (finding.outcome, finding.figure, finding.rows) == ("unknown", None, 12)
    assert finding.reason == "the figure is not defined"
    assert not meets(bound, math.nan)
    assert judged(bound, math.nan, detail="no slice is large enough").reason == "no slice is large enough"


def test_the_figure_decides_and_the_interval_informs():
    finding = judged(AT_LEAST, 0.72, interval=Interval(0.68, 0.75, 30), rows=400)
    assert (finding.outcome, finding.close, finding.rows) == ("passed", True, 400)
    assert finding.reason == "0.72 is at least 0.7; close: the interval 0.68 to 0.75 contains the bound"


def test_an_interval_that_leaves_the_bound_out_is_not_close():
    finding = judged(AT_LEAST, 0.6, interval=Interval(0.55, 0.65, 30), detail="the weakest is JFK")
    assert (finding.outcome, finding.close) == ("failed", False)
    assert finding.reason == "0.6 is not at least 0.7; the weakest is JFK"


def test_a_finding_without_interval_or_bound_is_not_close():
    assert not judged(AT_LEAST, 0.7).close
    assert not Finding("it", "criterion", "passed", interval=Interval(0, 1, 9)).close


@pytest.mark.parametrize(
    ("bound", "figure", "reason"),
    [
        (AT_LEAST, 0.69999, "0.69999 is not at least 0.7"),
        (AT_MOST, 2.0000001, "2.0000001 is not at most 2"),
        (AT_LEAST, 0.123456, "0.1235 is not at least 0.7"),
        (AT_LEAST, 0.7, "0.7 is at least 0.7"),
        (Bound(metric="mae", at_most=0.12345678), 0.12345678, "0.12345678 is at most 0.12345678"),
        (AT_LEAST, math.nextafter(0.7, 0), "0.6999999999999998 is not at least 0.7"),
    ],
)
def test_the_reason_shows_enough_digits_to_be_true(bound, figure, reason):
    assert judged(bound, figure).reason == reason


def test_the_finding_carries_the_bound_and_its_side():
    assert (judged(AT_MOST, 1.0).limit, judged(AT_MOST, 1.0).at_least) == (2.0, False)
    assert (judged(AT_LEAST, math.nan).limit, judged(AT_LEAST, math.nan).at_least) == (0.7, True)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (["passed", "passed"], "passed"),
        (["passed", "pending"], "passed"),
        (["passed", "unknown"], "unknown"),
        (["unknown", "failed", "passed"], "failed"),
        (["pending"], "unknown"),
        ([], "unknown"),
    ],
)
def test_failed_outweighs_unknown_and_unknown_outweighs_passed(outcomes, expected):
    assert verdict(map(found, outcomes)) == expected
