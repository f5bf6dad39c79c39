"""The stage extract."""

from mlops_mlflow.stages.extract.card import card
from mlops_mlflow.stages.extract.run import Inputs, Output, run, table

__all__ = ["Inputs", "Output", "card", "run", "table"]
