"""The stage explore."""

from mlops_mlflow.stages.explore.card import card
from mlops_mlflow.stages.explore.facts import from_dict, to_dict
from mlops_mlflow.stages.explore.run import Inputs, Output, run, table

__all__ = ["Inputs", "Output", "card", "from_dict", "run", "table", "to_dict"]
