from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest

from mlops_mlflow.cards.scales import date_axis, drawable, instants, log_axis, number_axis


def labels(axis):
    return [label for _, label in axis.ticks]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0, 1], ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        ([-40, 37], ["−40", "−20", "0", "20"]),
        ([0, 95_000], ["0", "20k", "40k", "60k", "80k"]),
        ([0, 4e9], ["0", "1,000M", "2,000M", "3,000M", "4,000M"]),
    ],
)
def test_ticks_are_round_numbers(values, shown):
    assert labels(number_axis(drawable(values))) == shown


def test_one_value_gets_room_on_both_sides():
    axis = number_axis(drawable([5, 5]))
    assert axis.low < 5 < axis.high


def test_a_snapped_axis_ends_on_ticks():
    axis = number_axis(drawable([0.03, 0.97]), snap=True)
    assert (axis.ticks[0][0], axis.ticks[-1][0]) == (axis.low, axis.high)


def test_what_is_no_finite_number_is_not_drawable():
    assert np.isnan(drawable([None, "x", float("nan"), float("inf"), 10**400])).all()


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2013, 1, 1, 12),
        datetime(2013, 1, 1, 12, tzinfo=UTC),
        datetime(2013, 1, 1, 7, tzinfo=timezone(timedelta(hours=-5))),
        pd.Timestamp("2013-01-01T12:00:00"),
        np.datetime64("2013-01-01T12:00"),
        "2013-01-01T12:00:00",
        1_357_041_600,
    ],
)
def test_an_instant_is_the_same_in_every_form(moment):
    assert instants([moment]).tolist() == [1_357_041_600.0]


def test_what_is_no_instant_is_not_drawable():
    assert np.isnan(
        instants([None, "soon", pd.NaT, np.datetime64("NaT"), 1e300, datetime.min.replace(tzinfo=UTC)])
    ).all()


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        (date(2013, 1, 1), date(2013, 6, 30), ["Jan 2013", "Feb", "Mar", "Apr", "May", "Jun"]),
        (date(2012, 11, 1), date(2013, 11, 1), ["Nov 2012", "Jan 2013", "Mar", "May", "Jul", "Sep", "Nov"]),
        (date(2003, 5, 1), date(2013, 5, 1), ["2004", "2006", "2008", "2010", "2012"]),
        (date(2013, 3, 1), date(2013, 3, 5), ["1 Mar 2013", "2 Mar", "3 Mar", "4 Mar", "5 Mar"]),
    ],
)
def test_ticks_of_time_are_whole_days_months_and_years(first, last, shown):
    assert labels(date_axis(instants([first, last]))) == shown


def test_ticks_within_a_day_name_the_day_once():
    axis = date_axis(instants(["2013-03-01T10:00", "2013-03-01T14:00"]))
    assert labels(axis) == ["10:00 1 Mar", "11:00", "12:00", "13:00", "14:00"]


def test_whole_numbers_have_no_ticks_between_them():
    assert labels(number_axis(drawable([1, 3]), whole=True)) == ["1", "2", "3"]
    assert "1.5" in labels(number_axis(drawable([1, 3])))


@pytest.mark.parametrize(
    ("ends", "shown"),
    [
        ([0.01, 10], ["0.01", "0.03", "0.1", "0.3", "1", "3", "10"]),
        ([0.02, 0.1], ["0.02", "0.05", "0.1"]),
        ([1e-6, 10], ["1e−6", "1e−5", "0.0001", "0.001", "0.01", "0.1", "1", "10"]),
        ([0.31, 0.33], ["0.31", "0.33"]),
    ],
)
def test_ticks_of_a_logarithmic_axis_are_the_numbers_themselves(ends, shown):
    assert labels(log_axis(np.log10(ends))) == shown


def test_a_logarithmic_axis_of_astronomic_range_says_exponents():
    axis = log_axis(drawable([-300, 300]), label="C")
    assert axis.label == "log₁₀ C"
    assert len(axis.ticks) < 10
