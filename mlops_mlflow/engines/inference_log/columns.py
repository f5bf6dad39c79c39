"""What a model saw and said of some rows, as columns of the inference log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.engines.inference_log.format import probability_column

if TYPE_CHECKING:
    import pandas as pd


def outcomes(given: ArrayLike | None, classes: Sequence[str] | None) -> Any:
    """Predictions: names of classes, or numbers where there are none.

    Raises:
        ValueError: An outcome is none of the classes.
    """
    import pandas as pd
    import pyarrow as pa

    if given is None:
        return None
    if classes is None:
        return pa.array(np.array(given, dtype=float), from_pandas=True)
    codes, distinct = pd.factorize(np.asarray(given))
    names = [str(one) for one in distinct]
    if unknown := set(names) - set(classes):
        raise ValueError(f"outcomes {sorted(unknown)} are none of the classes {tuple(classes)}")
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype("int32"), mask=codes < 0), pa.array(names, pa.string()))


def scores(given: NDArray[np.float64] | None, classes: Sequence[str] | None) -> dict[str, Any]:
    """A column of probabilities for each class, by its name in the log."""
    import pyarrow as pa

    if given is None or classes is None:
        return {}
    columns = np.array(given, dtype=float).T
    return {
        probability_column(name): pa.array(column, from_pandas=True)
        for name, column in zip(classes, columns, strict=True)
    }


def constant(text: str, count: int) -> Any:
    """The same text in every row."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype="int32")), pa.array([text], pa.string()))


def statuses(count: int, reasons: Sequence[str | None] | None, *, failed: bool) -> tuple[Any, Any, NDArray[np.bool_]]:
    """Reasons and states as Arrow columns, and which rows were not scored."""
    import pandas as pd
    import pyarrow as pa

    if reasons is None:
        return None, constant("failed" if failed else "ok", count), np.full(count, failed)
    given = pd.Series(np.asarray(reasons, dtype=object))
    given = given.where(given.notna() & (given != ""), None)
    unscored = given.notna().to_numpy() | failed
    states = pa.array(["ok", "failed" if failed else "rejected"])
    return (
        pa.Array.from_pandas(given, type=pa.string()).dictionary_encode(),
        pa.DictionaryArray.from_arrays(pa.array(unscored.astype("int32")), states),
        unscored,
    )


def keys_as_texts(given: Sequence[Any] | pd.Series[Any] | None) -> Any:
    """Keys as texts; whole numbers, which a missing one makes floats, are written without a point."""
    import pandas as pd
    import pyarrow as pa

    return None if given is None else pa.Array.from_pandas(pd.Series(given)).cast(pa.string())


def typed(column: pd.Series[Any], kind: Any, unscored: NDArray[np.bool_]) -> Any:
    """A column of the input as Arrow; of rows that were not scored, values of another type become missing.

    Raises:
        DataError: A scored row holds a value of another type.
    """
    import pyarrow as pa

    try:
        return _converted(column, kind)
    except DataError:
        if not unscored.any():
            raise
    parts = [
        _converted(column[~unscored], kind),
        pa.array([_fitting(value, kind) for value in column[unscored]], kind),
    ]
    places = np.argsort(unscored, kind="stable")
    return pa.concat_arrays(parts).take(pa.array(np.argsort(places)))


def _converted(column: pd.Series[Any], kind: Any) -> Any:
    """A copy, for it is written later than the caller may change it."""
    import pyarrow as pa

    # Times are cut to the log's microseconds, and numbers take the digits that the type has: both are no other values.
    rounds = pa.types.is_timestamp(kind) or pa.types.is_floating(kind)
    try:
        return pa.Array.from_pandas(column.copy(), type=kind, safe=not rounds)
    except (pa.ArrowException, OverflowError) as error:
        raise DataError(
            f"column `{column.name}` of the model's input cannot be logged: {error}",
            expected=f"values of the type {kind}",
            hint="score rows as the model's signature says",
        ) from error


def _fitting(value: Any, kind: Any) -> Any:
    import pyarrow as pa

    try:
        return pa.scalar(value, kind, from_pandas=True)
    except (pa.ArrowException, OverflowError):
        return None
