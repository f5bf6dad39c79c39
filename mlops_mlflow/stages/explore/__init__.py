"""The stage explore."""

from mlops_mlflow.stages.explore.card import card
from mlops_mlflow.stages.explore.run import Inputs, Output, run, table

__all__ = ["Inputs", "Output", "card", "run", "table"]
