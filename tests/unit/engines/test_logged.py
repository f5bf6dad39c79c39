from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from inference_logs import origin, put, window

from mlops_mlflow.engines.inference_log import LogWriter
from mlops_mlflow.engines.logged import Counts, as_table, count, join_outcomes, moments

BEGIN, END = datetime(2013, 7, 1, tzinfo=UTC), datetime(2013, 7, 8, tzinfo=UTC)


def logged(
    tmp_path: Path,
    *,
    keys: list[Any] | None = None,
    classes: tuple[str, ...] | None = ("no", "yes"),
    inputs: dict[str, list[Any]] | None = None,
) -> Path:
    """A window of four rows, the third of them rejected."""
    table = pa.table(inputs or {"x": [1.0, 2.0, 3.0, 4.0], "flag": [True, False, True, None]})
    rows = table.num_rows
    scores = np.linspace(0, 1, rows)
    several = (
        None
        if classes is None
        else np.column_stack([1 - scores, *([scores / (len(classes) - 1)] * (len(classes) - 1))])
    )
    kinds = dict(zip(table.column_names, table.schema.types, strict=True))
    with LogWriter(tmp_path / "log", "job", origin(), inputs=kinds, classes=classes) as log:
        log.write(
            np.arange(rows),
            table.to_pandas(),
            keys=keys or [f"k{number}" for number in range(rows)],
            event_times=np.array([f"2013-07-0{number + 1}" for number in range(rows)], dtype="datetime64[us]"),
            predictions=scores if classes is None else np.array(classes)[(scores > 0.5).astype(int)],
            probabilities=several,
            reasons=[None, None, "x: too great", *[None] * (rows - 3)],
        )
    return window(tmp_path / "log", BEGIN, END).path


def outcomes(tmp_path: Path, **columns: list[Any]) -> Path:
    file = tmp_path / "labels.parquet"
    pq.write_table(pa.table(columns), file)
    return file


def test_rows_are_counted_by_their_state(tmp_path: Path) -> None:
    assert count(logged(tmp_path)) == Counts(3, 1, 0)
    assert count(window(tmp_path / "log", END, END).path) == Counts(0, 0, 0)


def test_a_window_is_a_table_of_what_the_model_took_and_gave(tmp_path: Path) -> None:
    out = tmp_path / "table.parquet"
    as_table(logged(tmp_path), {"x": "number", "flag": "boolean"}, score="(score)", decision="(decision)", out=out)
    found = pq.read_table(out)
    assert found.column_names == ["x", "flag", "(score)", "(decision)"]
    assert found.to_pydict() == {
        "x": [1.0, 2.0, 4.0],
        "flag": [True, False, None],
        "(score)": pytest.approx([0.0, 1 / 3, 1.0]),
        "(decision)": ["no", "no", "yes"],
    }


def test_of_several_classes_the_score_is_the_greatest_probability_and_of_none_the_number(tmp_path: Path) -> None:
    out = tmp_path / "table.parquet"
    for name, classes, expected in (
        ("several", ("a", "b", "c"), [1.0, 2 / 3, 0.5]),
        ("none", None, [0.0, 1 / 3, 1.0]),
    ):
        (tmp_path / name).mkdir()
        as_table(logged(tmp_path / name, classes=classes), {"x": "number"}, score="s", decision="d", out=out)
        found = pq.read_table(out)
        assert found.column("s").to_pylist() == pytest.approx(expected)
        assert ("d" in found.column_names) == bool(classes)


def test_columns_that_were_not_logged_are_not_there_and_others_are(tmp_path: Path) -> None:
    inputs = {"a b": [1, 2, 3, 4], 'quo"te': ["x", "y", "z", None]}
    out = tmp_path / "table.parquet"
    as_table(logged(tmp_path, inputs=inputs), {"a b": "integer", "away": "string"}, score="s", decision="d", out=out)
    assert pq.read_schema(out).names == ["a b", 'quo"te', "s", "d"]


def test_a_window_without_rows_is_a_table_without_rows(tmp_path: Path) -> None:
    out = tmp_path / "table.parquet"
    empty = window(tmp_path / "log", BEGIN, END).path
    as_table(empty, {"x": "number"}, score="s", decision="d", out=out)
    assert pq.read_table(out).num_rows == 0
    found = join_outcomes(empty, outcomes(tmp_path, key=["k0"], actual=[1]), begin=BEGIN, end=END)
    assert (len(found.rows), found.classes, found.repeated) == (0, (), 0)


def test_outcomes_are_joined_by_key_to_scored_rows_alone(tmp_path: Path) -> None:
    labels = outcomes(tmp_path, key=["k3", "k2", "k0", "x"], actual=["yes", "no", "no", "yes"])
    found = join_outcomes(logged(tmp_path), labels, begin=BEGIN, end=END, also=["x", "away"])
    rows = found.rows
    assert list(rows.columns) == ["key", "event_time", "actual", "prediction", "probability.no", "probability.yes", "x"]
    assert rows[["key", "actual", "prediction", "x"]].to_numpy().tolist() == [
        ["k0", "no", "no", 1.0],
        ["k3", "yes", "yes", 4.0],
    ]
    assert found.classes == ("no", "yes")
    assert found.unknown == 0, "outcomes without a time may be of any window"


def test_outcomes_that_are_not_known_yet_do_not_count(tmp_path: Path) -> None:
    labels = outcomes(tmp_path, key=["k0", "k1", None], actual=[None, "yes", "no"])
    found = join_outcomes(logged(tmp_path), labels, begin=BEGIN, end=END)
    assert found.rows["key"].tolist() == ["k1"]
    assert (found.unknown, found.repeated) == (0, 0)


def test_of_several_outcomes_of_a_key_the_last_that_is_known_counts(tmp_path: Path) -> None:
    labels = outcomes(tmp_path, key=["k0", "k1", "k0", "k0", "z", "z"], actual=["no", "no", "yes", None, "no", "no"])
    found = join_outcomes(logged(tmp_path), labels, begin=BEGIN, end=END)
    assert found.rows.set_index("key")["actual"].to_dict() == {"k0": "yes", "k1": "no"}
    assert found.repeated == 1, "keys of other rows are not this window's matter"


def test_outcomes_of_the_windows_time_without_a_row_are_counted(tmp_path: Path) -> None:
    times = [datetime(2013, 6, 30, 23, tzinfo=UTC), BEGIN, datetime(2013, 7, 7, tzinfo=UTC), END, BEGIN]
    labels = outcomes(tmp_path, key=["a", "b", "c", "d", "k2"], actual=[1, 1, 1, 1, 1], moment=times)
    found = join_outcomes(logged(tmp_path), labels, begin=BEGIN, end=END)
    assert found.unknown == 2, "k2 was rejected, and is known for all that"


def test_keys_are_texts_on_both_sides(tmp_path: Path) -> None:
    labels = outcomes(tmp_path, key=[1, 2, 4], actual=["yes"] * 3)
    found = join_outcomes(logged(tmp_path, keys=[1.0, 2.0, 3.0, 4.0]), labels, begin=BEGIN, end=END)
    assert found.rows["key"].tolist() == ["1", "2", "4"]


def test_the_moment_of_a_row_is_its_event_time_or_that_of_its_job(tmp_path: Path) -> None:
    put(tmp_path / "log", "job", ["2013-07-01T00:00:00.000001", None])
    found = moments(window(tmp_path / "log").path)
    assert sorted(found.tolist()) == [
        pd.Timestamp("2013-07-01T00:00:00.000001").value,
        pd.Timestamp("2014-01-01T12:00").value,
    ]
    assert moments(window(tmp_path / "log", END, END).path).tolist() == []
