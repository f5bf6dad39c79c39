from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_mlflow.core.judgement import Finding, judge, verdict
from mlops_mlflow.core.usecase.success import Bound

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
OUTCOMES = st.lists(st.sampled_from(["passed", "failed", "unknown", "pending"]))
RANK = {"failed": 0, "unknown": 1, "passed": 2}


def outcome(bound, figure):
    return RANK[judge(bound, figure, subject="it", kind="criterion").outcome]


@settings(deadline=None)
@given(figure=NUMBERS, limits=st.tuples(NUMBERS, NUMBERS).map(sorted))
def test_a_stricter_bound_never_judges_better(figure, limits):
    low, high = limits
    assert outcome(Bound(metric="m", at_least=high), figure) <= outcome(Bound(metric="m", at_least=low), figure)
    assert outcome(Bound(metric="m", at_most=low), figure) <= outcome(Bound(metric="m", at_most=high), figure)


@settings(deadline=None)
@given(limit=NUMBERS, figures=st.tuples(NUMBERS, NUMBERS).map(sorted))
def test_a_better_figure_is_never_judged_worse(limit, figures):
    worse, better = figures
    assert outcome(Bound(metric="m", at_least=limit), worse) <= outcome(Bound(metric="m", at_least=limit), better)
    assert outcome(Bound(metric="m", at_most=limit), better) <= outcome(Bound(metric="m", at_most=limit), worse)


@settings(deadline=None)
@given(limit=NUMBERS, figure=NUMBERS)
def test_the_figure_in_the_reason_stands_on_the_side_of_its_outcome(limit, figure):
    finding = judge(Bound(metric="m", at_least=limit), figure, subject="it", kind="criterion")
    shown = float(finding.reason.partition(" ")[0])
    assert (shown >= limit) == (finding.outcome == "passed")


@settings(deadline=None)
@given(outcomes=OUTCOMES, more=st.sampled_from(["passed", "failed", "unknown"]))
def test_a_further_finding_never_heals_a_verdict(outcomes, more):
    findings = [Finding("it", "criterion", each) for each in outcomes]
    before, after = verdict(findings), verdict([*findings, Finding("it", "criterion", more)])
    judged = [each for each in outcomes if each != "pending"]
    assert RANK[after] <= (RANK[before] if judged else RANK["passed"])
    assert verdict(reversed(findings)) == before
