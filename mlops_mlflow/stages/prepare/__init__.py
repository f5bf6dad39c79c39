"""The stage prepare."""

from mlops_mlflow.stages.prepare.card import card
from mlops_mlflow.stages.prepare.facts import Setting, from_dict, to_dict
from mlops_mlflow.stages.prepare.run import Inputs, Output, run, table

__all__ = ["Inputs", "Output", "Setting", "card", "from_dict", "run", "table", "to_dict"]
