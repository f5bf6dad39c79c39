"""The stage score."""

from mlops_mlflow.stages.score.card import card
from mlops_mlflow.stages.score.job import MODEL, Inputs, Output, ScoredBy
from mlops_mlflow.stages.score.rows import REQUEST
from mlops_mlflow.stages.score.run import run, table

__all__ = ["MODEL", "REQUEST", "Inputs", "Output", "ScoredBy", "card", "run", "table"]
