"""Models side by side: which is better, by how much, how sure, and what differs between them."""

from mlops_mlflow.lifecycle.compare.card import card
from mlops_mlflow.lifecycle.compare.result import Comparison, compare
from mlops_mlflow.lifecycle.compare.text import text

__all__ = ["Comparison", "card", "compare", "text"]
