from __future__ import annotations

import math
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_mlflow.cards import charts

ANY_NUMBER = st.one_of(st.none(), st.floats(), st.integers(), st.integers(10**300, 10**400), st.booleans())
NUMBERS = st.lists(ANY_NUMBER, max_size=12)
TEXT = st.text(max_size=40)
INSTANT = st.one_of(st.none(), st.datetimes(), st.datetimes(timezones=st.timezones()), st.dates(), ANY_NUMBER, TEXT)
STATUS = st.sampled_from(["ok", "warning", "failed", "unknown", "info", "no status"])
BANDS = st.lists(st.builds(charts.Band, ANY_NUMBER, ANY_NUMBER, TEXT, st.sampled_from("xy"), STATUS), max_size=3)
SERIES = st.dictionaries(TEXT, st.tuples(NUMBERS, NUMBERS), max_size=10)
quick = settings(max_examples=60, deadline=None)


def assert_picture(drawn: charts.Svg) -> None:
    """Well-formed, named, and nowhere a coordinate that is no number."""
    root = ET.fromstring(drawn)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.find("{*}title").text == drawn.name != ""
    assert root.find("{*}desc") is not None
    allowed = {"svg", "title", "desc", "g", "path", "rect", "circle", "text"}
    for element in root.iter():
        assert element.tag.split("}")[1] in allowed
        for key, value in element.attrib.items():
            if key not in {"aria-label", "role"}:
                assert "nan" not in value
                assert "inf" not in value.removeprefix("var(--info")
        for key in ("width", "height", "r"):
            assert math.isfinite(size := float(element.get(key, 1)))
            assert size >= 0
    assert len(drawn.encode()) < 200_000


@quick
@given(NUMBERS, NUMBERS, st.none() | NUMBERS, TEXT)
def test_a_histogram_is_well_formed_for_any_data(edges, counts, overlay, label):
    assert_picture(charts.histogram(edges, counts, overlay, title=label, x_label=label, names=(label, label)))


@quick
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=12).map(sorted), st.data())
def test_a_histogram_over_ascending_edges_is_well_formed(edges, data):
    counts = data.draw(st.lists(st.integers(0, 10**6), min_size=len(edges) - 1, max_size=len(edges) - 1))
    assert_picture(charts.histogram([-math.inf, *edges, math.inf], [3, *counts, 1], [1, *counts, 2]))


@quick
@given(st.lists(st.tuples(TEXT, ANY_NUMBER), max_size=12), NUMBERS, NUMBERS, ANY_NUMBER, TEXT)
def test_bars_are_well_formed_for_any_data(rows, low, high, reference, label):
    labels, values = [name for name, _ in rows], [value for _, value in rows]
    drawn = charts.bars(labels, values, low=low, high=high, reference=reference, reference_label=label, limit=5)
    assert_picture(drawn)


@quick
@given(SERIES, BANDS, TEXT)
def test_lines_over_numbers_are_well_formed_for_any_data(series, bands, label):
    around = {name: (y, x) for name, (x, y) in series.items()}
    assert_picture(charts.line(series, bands=bands, intervals=around, x_label=label, y_label=label))


@quick
@given(st.dictionaries(TEXT, st.tuples(st.lists(INSTANT, max_size=8), NUMBERS), max_size=5))
def test_lines_over_time_are_well_formed_for_any_data(series):
    assert_picture(charts.line(series, x_kind="date", bands=[charts.Band("2020-01-01", None, "x", "x")]))


@quick
@given(SERIES, st.booleans(), TEXT)
def test_curves_are_well_formed_for_any_data(series, diagonal, label):
    assert_picture(charts.curve(series, diagonal=diagonal, title=label, x_label=label, y_label=label))


@quick
@given(NUMBERS, NUMBERS, st.sampled_from([None, "diagonal", "zero"]), st.sampled_from([1, 400]))
def test_a_scatter_is_well_formed_for_any_data(x, y, reference, copies):
    assert_picture(charts.scatter(x * copies, y * copies, reference=reference))


@quick
@given(st.lists(NUMBERS, max_size=5), st.lists(TEXT, max_size=6), st.lists(TEXT, max_size=6))
def test_a_heat_map_is_well_formed_for_any_data(matrix, rows, columns):
    assert_picture(charts.heat(matrix, rows, columns))


@quick
@given(ANY_NUMBER, ANY_NUMBER, ANY_NUMBER, ANY_NUMBER, st.sampled_from(["at_least", "at_most"]))
def test_a_gauge_is_well_formed_for_any_data(value, low, high, bound, direction):
    assert_picture(charts.interval(value, low, high, bound, direction))


@quick
@given(NUMBERS, st.none() | NUMBERS)
@pytest.mark.parametrize("draw", [charts.spark_histogram, lambda values, _: charts.sparkline(values)])
def test_pictures_in_cells_are_well_formed_and_small_for_any_data(draw, values, reference):
    drawn = draw(values, reference)
    assert_picture(drawn)
    assert len(drawn) < 3_000


@quick
@given(st.lists(st.builds(charts.Span, TEXT, INSTANT, INSTANT, STATUS, TEXT), max_size=8))
def test_a_timeline_is_well_formed_for_any_data(spans):
    assert_picture(charts.timeline(spans))
