from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from inference_logs import LOGGED, days, hidden, origin, put, table, values, window

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.engines.inference_log import LogWriter, writing

ODD = [
    "../../etc/passwd",
    'quo"te',
    "it's",
    "<b>x</b>",
    "ü 中 🙂",
    "a.b",
    "%2E",
    "new\nline",
    ".",
    "Case",
    "case",
    "$1;--",
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def write(folder: Path, frame: pd.DataFrame, inputs: dict[str, Any], **more: Any) -> None:
    with LogWriter(folder, "job", origin(), inputs=inputs) as log:
        log.write(np.arange(len(frame)), frame, **more)


def test_a_row_holds_what_was_known_of_it(log: Path) -> None:
    with LogWriter(
        log, "a/job", origin(role="canary"), inputs={"x": pa.int64(), "s": pa.string()}, classes=("no", "yes")
    ) as file:
        file.write(
            [3, 4],
            pd.DataFrame({"s": ["a", None], "x": [1.0, np.nan], "more": [1, 2]}, index=[9, 9]),
            keys=pd.Series([7.0, np.nan]),
            event_times=np.array(["2013-07-01T23:59:59.999999", "NaT"], dtype="datetime64[us]"),
            predictions=np.array(["yes", None], dtype=object),
            probabilities=np.array([[0.25, 0.75], [np.nan, np.nan]]),
            latency_ms=[1.5, np.nan],
            requests=["r1", "r2"],
        )
    first, second = table(window(log)).to_pylist()
    assert first == {
        "request_id": "r1",
        "row": 3,
        "logged_at": LOGGED,
        "model": "flights",
        "version": "1",
        "role": "canary",
        "status": "ok",
        "schema_version": 1,
        "entity_key": "7",
        "event_time": datetime(2013, 7, 1, 23, 59, 59, 999999, tzinfo=UTC),
        "reason": None,
        "latency_ms": 1.5,
        "in.x": 1,
        "in.s": "a",
        "prediction": "yes",
        "probability.no": 0.25,
        "probability.yes": 0.75,
    }
    missing = {name for name, value in second.items() if pd.isna(value)}
    assert missing >= {"entity_key", "event_time", "in.x", "in.s", "prediction", "probability.no", "probability.yes"}
    assert second["request_id"] == "r2"


def test_types_are_those_of_the_format_for_every_reader(log: Path) -> None:
    put(log, "job", days(1))
    (file,) = log.rglob("*.parquet")
    kinds = {field.name: field.type for field in pq.ParquetFile(file).schema_arrow}
    time = pa.timestamp("us", "UTC")
    assert kinds == {field.name: field.type for field in table(window(log)).schema}
    assert (kinds["row"], kinds["schema_version"], kinds["prediction"]) == (pa.int32(), pa.int16(), pa.float64())
    assert kinds["event_time"] == kinds["logged_at"] == time
    assert {kinds[name] for name in ("model", "version", "role", "status", "reason", "entity_key")} == {pa.string()}


def test_rows_with_a_reason_are_logged_as_rejected_and_the_job_is_their_request(log: Path) -> None:
    write(
        log, pd.DataFrame({"x": [1, 2, 3]}), {"x": pa.float64()}, reasons=np.array(["", "x: too small", None], object)
    )
    found = window(log)
    assert values(found, "status") == ["ok", "rejected", "ok"]
    assert values(found, "reason") == [None, "x: too small", None]
    assert set(values(found, "request_id")) == {"job"}


def test_rows_on_which_the_model_failed_are_logged_as_failed(log: Path) -> None:
    write(log, pd.DataFrame({"x": ["a", 2.5]}, dtype=object), {"x": pa.float64()}, failed=True)
    assert values(window(log), "status") == ["failed", "failed"]
    assert values(window(log)) == [None, 2.5]


def test_a_rejected_row_loses_only_the_values_that_are_not_of_their_type(log: Path) -> None:
    frame = pd.DataFrame({"x": ["abc", 1, np.nan, 3, 2**70, 5], "y": list("uvwxyz")}, dtype=object)
    write(log, frame, {"x": pa.int64(), "y": pa.string()}, reasons=["a", "", "b", "", "c", "d"])
    assert values(window(log)) == [None, 1, None, 3, None, 5]
    assert values(window(log), "in.y") == list("uvwxyz")


@pytest.mark.parametrize("reasons", [None, ["", "x: no number", ""]])
def test_a_scored_row_with_a_value_of_another_type_is_told(log: Path, reasons: Any) -> None:
    frame = pd.DataFrame({"x": [1, 2, "abc"]}, dtype=object)
    with pytest.raises(DataError, match="column `x` of the model's input cannot be logged"):
        write(log, frame, {"x": pa.int64()}, reasons=reasons)
    assert not hidden(log)
    assert window(log).rows == 0


@pytest.mark.parametrize(
    ("column", "kind", "expected"),
    [
        (pd.Series([1.0, np.nan]), pa.bool_(), [True, None]),
        (pd.Series(["a", None], dtype="category"), pa.string(), ["a", None]),
        (pd.Series([1, None], dtype="UInt8"), pa.uint8(), [1, None]),
        (pd.Series([2**60, 1]), pa.float64(), [2.0**60, 1.0]),
        (pd.Series([0.1, np.nan]), pa.float32(), [float(np.float32(0.1)), None]),
        (
            pd.to_datetime(pd.Series(["2013-07-01T00:00:00.123456789", None])),
            pa.timestamp("us"),
            [datetime(2013, 7, 1, 0, 0, 0, 123456), None],
        ),
    ],
)
def test_columns_come_in_the_types_that_pandas_has_for_them(
    log: Path, column: pd.Series[Any], kind: pa.DataType, expected: list[Any]
) -> None:
    write(log, pd.DataFrame({"x": column}), {"x": kind})
    assert values(window(log)) == expected
    assert table(window(log)).schema.field("in.x").type == kind


def test_an_input_that_is_absent_is_missing(log: Path) -> None:
    write(log, pd.DataFrame({"x": [1.0]}), {"x": pa.float64(), "y": pa.int8()})
    assert values(window(log), "in.y") == [None]


def test_outcomes_are_logged_by_their_names(log: Path) -> None:
    with LogWriter(log, "job", origin(), inputs={}, classes=("False", "True")) as file:
        file.write([0, 1], pd.DataFrame(index=[0, 1]), predictions=np.array([True, False]))
    assert values(window(log), "prediction") == ["True", "False"]


def test_what_the_caller_does_with_its_table_later_does_not_matter(log: Path) -> None:
    scores, decided, frame = np.array([[0.5]]), np.array(["a"], dtype=object), pd.DataFrame({"x": [1.0]})
    with LogWriter(log, "job", origin(), inputs={"x": pa.float64()}, classes=("a",)) as file:
        file.write([0], frame, predictions=decided, probabilities=scores)
        frame.loc[0, "x"], scores[0, 0], decided[0] = 9.0, 9.0, "b"
    assert table(window(log)).select(["in.x", "prediction", "probability.a"]).to_pylist() == [
        {"in.x": 1.0, "prediction": "a", "probability.a": 0.5}
    ]


def test_rows_of_thousands_of_days_are_written_in_bounded_memory(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "BUFFER_BYTES", 50_000)
    times = np.datetime64("2000-01-01", "us") + np.random.default_rng(1).permutation(2_000).astype("timedelta64[D]")
    gathered = []
    with LogWriter(log, "job", origin(), inputs={"x": pa.float64()}) as file:
        for begin in range(0, 2_000, 200):
            some = np.arange(begin, begin + 200)
            file.write(some, pd.DataFrame({"x": some.astype(float)}), event_times=times[some])
            gathered.append(file._bytes)
    assert max(gathered) < 50_000
    assert gathered.count(0) > 1
    assert len(list(log.rglob("*.parquet"))) == 2_000
    found = window(log, datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 2, 1, tzinfo=UTC))
    expected = np.flatnonzero((times >= np.datetime64("2001-01-01")) & (times < np.datetime64("2001-02-01")))
    assert sorted(values(found)) == expected.tolist()


@pytest.mark.parametrize("name", ODD)
def test_odd_names_of_jobs_and_models_stay_inside_the_folder_and_come_back(
    log: Path, tmp_path: Path, name: str
) -> None:
    put(log, name, days(1), origin=origin(model=name, version=name))
    put(log, name + "x" * 300, days(1), origin=origin(model=name, version=name))
    assert {path.parent.name for path in tmp_path.rglob("*.parquet")} == {"date=2013-07-01"}
    found = window(log, model=name, version=name)
    assert values(found, "model") == [name, name]
    assert window(log).rows == 0


def test_jobs_of_different_names_never_share_a_file(log: Path) -> None:
    names = [*ODD, "a", "a-0", "a-0-0", "x" * 300, "x" * 301]
    for number, name in enumerate(names):
        put(log, name, days(1), first=number)
    assert sorted(values(window(log))) == list(range(len(names)))


def test_odd_names_of_columns_and_classes_come_back(log: Path) -> None:
    frame = pd.DataFrame({name: [float(place)] for place, name in enumerate(ODD)})
    with LogWriter(log, "job", origin(), inputs=dict.fromkeys(ODD, pa.float64()), classes=ODD) as file:
        file.write([0], frame, predictions=[ODD[1]], probabilities=np.arange(len(ODD))[None, :] / 16)
    (row,) = table(window(log)).to_pylist()
    assert [row[f"in.{name}"] for name in ODD] == list(range(len(ODD)))
    assert [row[f"probability.{name}"] for name in ODD] == [place / 16 for place in range(len(ODD))]
    assert row["prediction"] == ODD[1]


def test_times_far_away_are_logged_like_any_other(log: Path) -> None:
    put(log, "job", ["20224-01-01T00:00", "0007-01-01T00:00", "-044-03-15T12:00"])
    assert sorted(path.name for path in log.glob("date=*")) == [
        "date=-044-03-15",
        "date=0007-01-01",
        "date=20224-01-01",
    ]
    assert values(window(log)) == [1.0]


def test_a_job_without_a_name_or_a_time_without_a_zone_is_a_defect(log: Path) -> None:
    with pytest.raises(ValueError, match="needs a name"):
        put(log, "", days(1))
    with pytest.raises(ValueError, match="needs a zone"):
        origin(datetime(2014, 1, 1))


def test_importing_the_log_is_light() -> None:
    code = "import sys, mlops_mlflow.engines.inference_log; print({'pandas', 'pyarrow', 'duckdb'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
