"""The stage monitor."""

from mlops_mlflow.stages.monitor.card import card
from mlops_mlflow.stages.monitor.job import Inputs, Output, Reference
from mlops_mlflow.stages.monitor.overview import overview
from mlops_mlflow.stages.monitor.run import run, series, table

__all__ = ["Inputs", "Output", "Reference", "card", "overview", "run", "series", "table"]
