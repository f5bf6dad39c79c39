"""Every picture that a card can show: functions of plain values that return SVG, which follows the page's theme."""

from __future__ import annotations

from mlops_mlflow.cards.bands import Band
from mlops_mlflow.cards.categories import Span, bars, heat, timeline
from mlops_mlflow.cards.curves import curve, line, scatter
from mlops_mlflow.cards.gauges import interval, spark_histogram, sparkline
from mlops_mlflow.cards.histograms import histogram
from mlops_mlflow.cards.svg import Svg

__all__ = [
    "Band",
    "Span",
    "Svg",
    "bars",
    "curve",
    "heat",
    "histogram",
    "interval",
    "line",
    "scatter",
    "spark_histogram",
    "sparkline",
    "timeline",
]
