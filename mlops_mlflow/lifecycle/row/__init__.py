"""One row through the pipeline: found, explained, shown."""

from mlops_mlflow.lifecycle.row.card import row_card
from mlops_mlflow.lifecycle.row.follow import RowStory, follow_row

__all__ = ["RowStory", "follow_row", "row_card"]
