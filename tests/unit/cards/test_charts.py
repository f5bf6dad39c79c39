from __future__ import annotations

import math
import re

import numpy as np
import pytest

from mlops_mlflow.cards import charts, svg
from mlops_mlflow.cards.plot import spread


def test_without_data_a_picture_says_so():
    for drawn in (charts.histogram([], []), charts.bars([], []), charts.line({}), charts.scatter([math.nan], [1])):
        assert "no data to draw" in drawn


def test_equal_bins_are_as_high_as_their_counts():
    heights = [
        float(h) for h in re.findall(r'<rect[^>]* height="([\d.]+)"', charts.histogram([0, 1, 2, 3], [10, 20, 5]))
    ]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
    assert heights[0] == pytest.approx(2 * heights[2], abs=0.2)


def test_bins_of_uneven_width_show_density():
    drawn = charts.histogram([0, 1, 3], [10, 20])
    first, second = (float(h) for h in re.findall(r'<rect[^>]* height="([\d.]+)"', drawn))
    assert first == second
    assert "density" in drawn


def test_rows_at_a_repeated_edge_are_kept():
    assert charts.histogram([0, 0, 0, 1, 2], [50, 7, 1, 2]).description.startswith("60 rows from 0 to 2")


def test_the_description_names_the_fullest_bin():
    assert "the fullest bin is 1 to 2 with 20." in charts.histogram([0, 1, 2], [10, 20]).description


def test_bars_say_how_many_are_left_out():
    assert "… and 970 more" in charts.bars([f"c{i}" for i in range(1000)], list(range(1000)))


def test_a_long_name_is_cut_and_told_in_full():
    name = "a_name_that_is_much_longer_than_the_room_that_there_is_for_it_in_a_picture"
    drawn = charts.bars([name], [1])
    assert f"<title>{name}</title>" in drawn
    assert drawn.count(name) == drawn.count(f"<title>{name}") + drawn.count(f"{name} 1.")


@pytest.mark.parametrize(
    ("value", "bound", "direction", "said"),
    [
        (0.7, 0.6, "at_least", ": met."),
        (0.5, 0.6, "at_least", ": not met."),
        (90, 100, "at_most", ": met."),
        (143, 100, "at_most", ": not met."),
    ],
)
def test_a_gauge_tells_whether_the_bound_is_met(value, bound, direction, said):
    drawn = charts.interval(value, value - 0.1, value + 0.1, bound, direction)
    assert drawn.description.endswith(said)
    assert ("<circle" in drawn) == (said == ": met.")


def test_many_points_become_a_density_of_bounded_size():
    rng = np.random.default_rng(7)
    drawn = charts.scatter(rng.normal(size=100_000), rng.normal(size=100_000))
    assert len(drawn) < 150_000
    assert "100,000 points" in drawn.description


def test_a_long_line_is_thinned_and_keeps_its_peak():
    values = np.zeros(50_000)
    values[33_333] = 9
    drawn = charts.line({"a": (range(50_000), values)})
    assert len(drawn) < 40_000
    assert re.search(r"L\d+\.\d (10|28)\.\d|" + "a: 50,000 points; y from 0 to 9", drawn)
    course = re.search(r'd="(M[^"]+)" fill="none" stroke-linejoin', drawn)[1]
    tops = [float(top) for top in re.findall(r"[ML][\d.]+ ([\d.]+)", course)]
    assert min(tops) < max(tops) - 100


def test_a_missing_value_leaves_a_gap():
    drawn = charts.line({"a": ([1, 2, 3, 4, 5], [1, 2, None, 2, 1])})
    course = re.search(r'd="(M[^"]+)" fill="none" stroke-linejoin', drawn)[1]
    assert course.count("M") == 2


def test_several_lines_are_named_at_their_ends_without_touching():
    drawn = charts.line({name: ([0, 1], [0, 1 + i / 1000]) for i, name in enumerate(("EWR", "JFK", "LGA"))})
    places = [float(re.search(rf'y="([\d.]+)"[^>]*>{name}<', drawn)[1]) for name in ("EWR", "JFK", "LGA")]
    assert min(abs(a - b) for i, a in enumerate(places) for b in places[:i]) >= 13.9


def test_a_confusion_matrix_shows_counts_and_shares_of_the_row():
    drawn = charts.heat([[90, 10], [5, 15]], ["no", "yes"], ["no", "yes"])
    assert ">90<" in drawn
    assert ">90%<" in drawn
    assert ">75%<" in drawn


def test_a_timeline_draws_spans_as_bars_and_instants_as_dots():
    spans = [charts.Span("v1", "2013-01-01", "2013-03-01"), charts.Span("v2", "2013-02-01", text="refused")]
    drawn = charts.timeline(spans)
    assert drawn.count("<rect") == 1
    assert drawn.count("<circle") == 1
    assert "v2: refused" in drawn


def test_names_are_spread_within_their_limits():
    assert spread([50, 50, 50], 0, 60) == [32, 46, 60]


def test_a_coordinate_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="must be finite, got nan"):
        svg.node("rect", x=math.nan)


def test_a_scatter_shows_the_whole_span_that_was_looked_at():
    narrow, wide = (charts.scatter([-2, -1], [0, 1], x_log=True, x_span=span) for span in ((), (-3, 1)))
    for label in ("0.001", "10"):
        assert f">{label}</text>" in wide
        assert f">{label}</text>" not in narrow


def test_counts_of_trials_are_whole_numbers_under_a_line():
    drawn = charts.line({"a": ([1, 2, 3], [0.1, 0.2, 0.3])})
    assert ">1.5<" not in drawn
    assert ">3<" in drawn


def test_the_name_of_a_limit_stands_away_from_the_peak_that_it_marks():
    limit, area = (
        charts.line({"a": ([0, 1, 2], [0, 1, 0])}, bands=[charts.Band(1, end, "named", "x")], height=240)
        for end in (1, 1.5)
    )
    heights = [float(re.search(r'y="([\d.]+)"[^>]*>named<', drawn)[1]) for drawn in (limit, area)]
    assert heights[0] > 150 > heights[1]
