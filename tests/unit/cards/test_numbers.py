from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pytest

from mlops_mlflow.cards.numbers import aligned, figure


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (None, None, "–"),
        (math.nan, "%", "–"),
        (math.inf, None, "∞"),
        (-math.inf, None, "−∞"),
        (0, None, "0"),
        (-0.0, None, "0"),
        (336_776, None, "336,776"),
        (np.int64(5000), None, "5,000"),
        (np.float32(0.5), None, "0.5"),
        (Decimal("2.5"), None, "2.5"),
        (0.74123456, None, "0.7412"),
        (-0.0021, None, "−0.0021"),
        (1234.567, None, "1,235"),
        (999.96, None, "1,000"),
        (3.0, None, "3"),
        (1.234e-9, None, "1.23e−9"),
        (10**400, None, "1e400"),
        (1.84, "USD", "1.84 USD"),
        (0.1234, "%", "12.3%"),
        (1.0, "%", "100%"),
        (0.9997, "%", "99.97%"),
        (0.9999999, "%", ">99.99%"),
        (0.0000001, "%", "<0.001%"),
        (0, "%", "0%"),
        (0.0342, "s", "34.2 ms"),
        (0.0000012, "s", "1.2 µs"),
        (12.34, "s", "12.3 s"),
        (59.97, "s", "1 min"),
        (200.3, "s", "3 min 20 s"),
        (3600, "s", "1 h"),
        (100_000, "s", "1 d 3 h"),
        (-2, "s", "−2 s"),
        (143, "ms", "143 ms"),
        (999, "bytes", "999 B"),
        (1_234_567, "bytes", "1.23 MB"),
        (5e18, "bytes", "5,000 PB"),
    ],
)
def test_a_figure_is_written_for_a_reader(value, unit, shown):
    assert figure(value, unit).replace("\u00a0", " ") == shown


def test_figures_of_a_column_have_the_same_decimals():
    assert aligned([0.7412, 0.7, None, -0.0512]) == ["0.7412", "0.7000", "–", "−0.0512"]


def test_decimals_that_all_figures_lack_are_left_out():
    assert aligned([0.5, 1.25, 12.0]) == ["0.50", "1.25", "12.00"]
    assert aligned([2.0, 3.0]) == ["2", "3"]


def test_a_column_of_integers_keeps_its_digits():
    assert aligned([12, 168_388]) == ["12", "168,388"]


def test_small_figures_do_not_vanish_beside_large_ones():
    assert aligned([0.0001, 5000.0]) == ["0.0001", "5,000"]


def test_what_is_not_finite_does_not_spoil_its_column():
    assert aligned([math.nan, math.inf, 0.25, 1.5]) == ["–", "∞", "0.25", "1.50"]
