"""The stage validate."""

from mlops_mlflow.stages.validate.card import card
from mlops_mlflow.stages.validate.facts import from_dict, to_dict
from mlops_mlflow.stages.validate.run import Champion, Inputs, Output, run, table

__all__ = ["Champion", "Inputs", "Output", "card", "from_dict", "run", "table", "to_dict"]
