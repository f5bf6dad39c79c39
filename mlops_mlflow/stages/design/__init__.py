"""The stage design."""

from mlops_mlflow.stages.design.card import card
from mlops_mlflow.stages.design.run import Inputs, Output, run, table

__all__ = ["Inputs", "Output", "card", "run", "table"]
