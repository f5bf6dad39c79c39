from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlops_mlflow.core.profiles import ColumnProfile, Histogram
from mlops_mlflow.stages.explore.distributions import evened
from mlops_mlflow.stages.explore.observations import Observation, observe


def test_the_headline_counts_findings_and_names_the_most_telling_column(walk):
    found = (Observation("failed", "a leak"), Observation("warning", "a gap"), Observation("info", "fine"))
    headline = walk("priced").card("explore", observations=found).headline
    assert "1 finding to settle first and 1 warning" in headline
    assert "width alone tells most" in headline


def test_the_gravest_observation_decides_the_status(walk):
    walked = walk("priced")
    assert walked.card("explore", observations=(Observation("info", "fine"),)).status == "ok"
    assert walked.card("explore", observations=(Observation("warning", "a gap"),)).status == "warning"
    assert walked.card("explore", observations=(Observation("failed", "a leak"),)).status == "failed"


def test_nothing_found_and_nothing_associated_is_still_a_card(walk, page):
    html = page(walk("priced").card("explore", observations=(), associations={}))
    assert "Nothing odd was found" in html
    assert "The columns that tell most" not in html


def test_categories_are_named_where_examples_are_shown(walk, page):
    assert "secret-town" in page(walk("priced").card("explore"))
    assert "allowed:" not in page(walk("plain").card("explore"))


def test_time_is_shown_only_where_there_is_an_event_time(walk, page):
    assert "Rows over time" in page(walk("priced").card("explore"))
    assert "Rows over time" not in page(walk("plain").card("explore"))


def test_the_balance_of_the_target_is_a_fact(walk):
    facts = dict(walk("priced").card("explore").facts)
    assert facts["outcome is 1"].value == pytest.approx(walk("priced").outputs["explore"].profile.target.balance[1])


def column(counts: tuple[int, ...], edges: tuple[float, ...], **known: object) -> ColumnProfile:
    rows = sum(counts)
    return ColumnProfile("x", "DOUBLE", "numeric", rows, 0, rows, True, histogram=Histogram(edges, counts), **known)


def test_even_bins_hold_every_row_and_follow_the_quantiles():
    profile = column((10, 10, 10, 10), (1.0, 2.0, 4.0), minimum=0.0, maximum=8.0)
    edges, rows = evened(profile, whole=True)
    assert sum(rows) == pytest.approx(40)
    assert edges[0] == 0.0
    assert edges[-1] == 8.0
    assert rows[0] == pytest.approx(10 / 3)  # 10 rows over 3 bins from 0 to 1
    assert rows[-1] == pytest.approx(10 / 12)  # 10 rows over 12 bins from 4 to 8


def test_many_equal_values_at_the_lower_end_stay_in_the_first_bin():
    _, rows = evened(column((90, 10), (0.0,), minimum=0.0, maximum=1.0), whole=True)
    assert rows[0] >= 90
    assert sum(rows) == pytest.approx(100)


def test_the_outermost_values_are_left_out_where_they_must_not_be_shown():
    profile = column((10, 80, 10), (1.0, 2.0), minimum=0.0, maximum=3.0, quantiles=((0.01, 0.5), (0.99, 2.5)))
    assert evened(profile, whole=False)[0][0] == 0.5
    assert evened(profile, whole=False)[0][-1] == 2.5
    assert evened(profile, whole=True)[0][-1] == 3.0


def test_a_far_outlier_does_not_squeeze_the_picture():
    profile = column((10, 80, 10), (1.0, 2.0), minimum=0.0, maximum=1e6, quantiles=((0.01, 0.5), (0.99, 2.5)))
    assert evened(profile, whole=True)[0][-1] == 2.5


def test_one_value_is_one_bin():
    edges, rows = evened(column((5, 0), (3.0,), minimum=3.0, maximum=3.0), whole=True)
    assert len(edges) == 2
    assert np.sum(rows) == 5


def test_columns_that_may_leak_come_with_the_line_that_forbids_them(walk, page):
    walked = walk("priced")
    spec, seen, outcomes = walked.inputs["explore"].spec, *_seen(walked)
    one, *_ = observe(spec, seen, outcomes, {"width": 0.95, "city": 0.1})
    assert one.sentence.startswith("**width** alone tells the target too well (strength 0.95 of 1)")
    both, *_ = observe(spec, seen, outcomes, {"width": 0.95, "odd name": 0.97})
    assert "2 columns tell the target too well" in both.sentence
    assert "**odd name** (0.97), **width** (0.95)" in both.sentence
    html = page(walked.card("explore", observations=(one, both)))
    assert "The line: <code>forbidden: [width]</code>." in html
    assert "The line: <code>forbidden: [&quot;odd name&quot;, width]</code>." in html


def test_many_columns_that_may_leak_are_named_in_a_short_sentence(walk):
    walked = walk("priced")
    told = {f"c{number}": 0.99 for number in range(20)}
    many, *_ = observe(walked.inputs["explore"].spec, *_seen(walked), told)
    assert many.sentence.endswith("**c7** (0.99) and 12 more.")
    assert len(many.forbid) == 20


def _seen(walked):
    return walked.outputs["explore"].profile, walked.outputs["explore"].outcomes


def test_columns_with_gaps_are_one_remark_for_each_weight(walk):
    spec, outcomes = walk("priced").inputs["explore"].spec, walk("priced").outputs["explore"].outcomes
    seen = walk("priced").outputs["explore"].profile
    gaps = {"width": 0.6, "height": 0.2, "city": 0.1}
    columns = tuple(
        replace(one, missing=round(gaps.get(one.name, 0) * one.rows), distinct=9, quantiles=()) for one in seen.columns
    )
    told = [one for one in observe(spec, replace(seen, columns=columns), outcomes, {}) if "missing" in one.sentence]
    assert [(one.level, one.sentence) for one in told] == [
        ("warning", "**width** is missing in 59.9% of the rows."),
        ("info", "2 columns are missing in some rows: **height** (20.1%), **city** (10.0%)."),
    ]
