"""The stage evaluate."""

from mlops_mlflow.stages.evaluate.card import card
from mlops_mlflow.stages.evaluate.run import Candidate, Inputs, Output, run, table

__all__ = ["Candidate", "Inputs", "Output", "card", "run", "table"]
