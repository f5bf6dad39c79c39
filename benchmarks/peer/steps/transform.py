"""The peer's features: words become codes, numbers stay."""

from __future__ import annotations

from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import OrdinalEncoder


def transformer_fn() -> Any:
    """What Recipes fits before the estimator."""
    encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    return ColumnTransformer([("codes", encode, ["carrier", "origin", "dest"])], remainder="passthrough")
