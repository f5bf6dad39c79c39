"""The stage validate."""

from mlops_mlflow.stages.validate.card import card
from mlops_mlflow.stages.validate.run import Champion, Inputs, Output, run, table

__all__ = ["Champion", "Inputs", "Output", "card", "run", "table"]
