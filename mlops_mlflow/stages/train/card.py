"""The card of train."""

from __future__ import annotations

from mlops_mlflow.cards.blocks import Card
from mlops_mlflow.stages.train.run import Inputs, Output


def card(inputs: Inputs, output: Output) -> Card:
    """The page of this stage."""
    return Card("train", "", "ok", "train is done")
