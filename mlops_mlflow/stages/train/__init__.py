"""The stage train."""

from mlops_mlflow.stages.train.before import Before, KeptModel
from mlops_mlflow.stages.train.card import card
from mlops_mlflow.stages.train.facts import from_dict, to_dict
from mlops_mlflow.stages.train.run import Inputs, Output, run, table

__all__ = ["Before", "Inputs", "KeptModel", "Output", "card", "from_dict", "run", "table", "to_dict"]
