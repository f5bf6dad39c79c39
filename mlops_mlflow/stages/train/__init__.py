"""The stage train."""

from mlops_mlflow.stages.train.card import card
from mlops_mlflow.stages.train.run import Inputs, Output, run, table

__all__ = ["Inputs", "Output", "card", "run", "table"]
