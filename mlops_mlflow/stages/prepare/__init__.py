"""The stage prepare."""

from mlops_mlflow.stages.prepare.card import card
from mlops_mlflow.stages.prepare.run import Inputs, Output, run, table

__all__ = ["Inputs", "Output", "card", "run", "table"]
