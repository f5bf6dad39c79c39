"""The stage design."""

from mlops_mlflow.stages.design.card import card
from mlops_mlflow.stages.design.facts import from_dict, to_dict
from mlops_mlflow.stages.design.run import Inputs, Output, run, table

__all__ = ["Inputs", "Output", "card", "from_dict", "run", "table", "to_dict"]
