"""The stage evaluate."""

from mlops_mlflow.stages.evaluate.card import card
from mlops_mlflow.stages.evaluate.facts import from_dict, to_dict
from mlops_mlflow.stages.evaluate.run import Candidate, Inputs, Output, run, table

__all__ = ["Candidate", "Inputs", "Output", "card", "from_dict", "run", "table", "to_dict"]
