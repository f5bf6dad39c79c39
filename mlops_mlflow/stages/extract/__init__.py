"""The stage extract."""

from mlops_mlflow.stages.extract.card import card
from mlops_mlflow.stages.extract.facts import from_dict, to_dict
from mlops_mlflow.stages.extract.run import Inputs, Output, run, table

__all__ = ["Inputs", "Output", "card", "from_dict", "run", "table", "to_dict"]
