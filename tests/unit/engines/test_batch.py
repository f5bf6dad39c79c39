"""Rows to score, in the types that a model takes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlops_mlflow.core.errors import ContractError, SecretError, SourceError
from mlops_mlflow.core.usecase.data import ColumnType, Source
from mlops_mlflow.engines.batch import MISFIT, Batch, open_batch
from mlops_mlflow.engines.contract import Reason

TAKES: Mapping[str, ColumnType] = {"age": "integer", "plan": "string", "rate": "number", "since": "datetime"}
ROWS = pd.DataFrame(
    {
        "id": ["a", "b", "c"],
        "age": [31, 42, 53],
        "plan": ["basic", "family", "basic"],
        "rate": [0.5, 1.5, 2.5],
        "since": pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-03"]),
    }
)


def opened(folder: Path, name: str, takes: Mapping[str, ColumnType] = TAKES, **more: Any) -> Batch:
    (folder / "scratch").mkdir(exist_ok=True)
    source = more.pop("source", Source(path=name))
    told = {name: more.pop(name) for name in ("zoned", "zone") if name in more}
    return open_batch(
        source, takes=takes, also=["id"], folder=folder, environment=more, scratch=folder / "scratch", **told
    )


def times(folder: Path, written: Sequence[str], **told: Any) -> list[pd.Timestamp]:
    """What a CSV's times are read as."""
    lines = [f"{number},{time}" for number, time in enumerate(written)]
    (folder / "times.csv").write_text("\n".join(["id,t", *lines]))
    found = pd.read_parquet(opened(folder, "times.csv", {"t": "datetime"}, **told).path)["t"]
    return found.tolist()


def test_a_parquet_file_of_the_right_types_is_read_where_it_is(tmp_path: Path) -> None:
    ROWS.to_parquet(tmp_path / "rows.parquet")
    batch = opened(tmp_path, "rows.parquet")
    assert (batch.path, batch.rows, batch.misfits) == (tmp_path / "rows.parquet", 3, ())


@pytest.mark.parametrize("name", ["rows.csv", "rows.jsonl", "rows.parquet", "part-*.parquet"])
def test_every_kind_of_file_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    if name.startswith("part"):
        ROWS[:2].to_parquet(tmp_path / "part-1.parquet")
        ROWS[2:].to_parquet(tmp_path / "part-2.parquet")
    elif name.endswith("csv"):
        ROWS.to_csv(tmp_path / name, index=False)
    elif name.endswith("jsonl"):
        ROWS.to_json(tmp_path / name, orient="records", lines=True, date_format="iso")
    else:
        ROWS.to_parquet(tmp_path / name)
    found = pd.read_parquet(opened(tmp_path, name).path)
    assert found["age"].tolist() == [31, 42, 53]
    assert found["rate"].tolist() == [0.5, 1.5, 2.5]
    assert pd.to_datetime(found["since"]).dt.day.tolist() == [1, 2, 3]


def test_one_value_of_another_type_is_told_of_its_row_and_the_others_are_none_the_worse(tmp_path: Path) -> None:
    ROWS.astype({"age": object}).assign(age=[31, "forty", 53]).to_csv(tmp_path / "rows.csv", index=False)
    batch = opened(tmp_path, "rows.csv")
    found = pd.read_parquet(batch.path)
    assert batch.misfits == (Reason("age", "not a whole number", 1, "forty"),)
    assert found["age"].tolist()[::2] == [31, 53]
    assert found[MISFIT].tolist() == [None, "age: not a whole number (forty)", None]


def test_a_missing_column_is_named_with_all_that_are_needed(tmp_path: Path) -> None:
    ROWS.drop(columns=["age", "rate"]).to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(ContractError, match="the batch has no column `age`, nor 1 more") as caught:
        opened(tmp_path, "rows.parquet")
    assert "age, rate" in str(caught.value.hint)


def test_columns_that_nobody_asked_for_stay(tmp_path: Path) -> None:
    ROWS.assign(note="x").to_parquet(tmp_path / "rows.parquet")
    assert "note" in opened(tmp_path, "rows.parquet").columns


def test_a_column_of_a_type_that_cannot_be_read_as_the_models_is_refused(tmp_path: Path) -> None:
    ROWS.assign(age=ROWS["since"]).to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(ContractError, match="column `age` of the batch cannot be what the model takes"):
        opened(tmp_path, "rows.parquet")


def test_the_same_rows_have_the_same_digest_and_others_another(tmp_path: Path) -> None:
    ROWS.to_parquet(tmp_path / "a.parquet")
    ROWS.to_parquet(tmp_path / "b.parquet")
    ROWS[:2].to_parquet(tmp_path / "c.parquet")
    first, second, third = (opened(tmp_path, f"{name}.parquet").digest for name in "abc")
    assert first == second != third


def test_a_table_of_a_database_is_read_with_a_secret_from_the_environment(tmp_path: Path) -> None:
    import sqlalchemy

    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    ROWS.to_sql("due", engine, index=False)
    engine.dispose()
    source = Source(sql="sqlite:///${PLACE}/shop.db", table="due")
    batch = opened(tmp_path, "", source=source, PLACE=str(tmp_path))
    assert batch.rows == 3
    assert str(tmp_path) not in batch.uri


def test_a_file_that_is_not_what_it_says_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_text("no parquet")
    with pytest.raises(SourceError, match=r"rows\.parquet"):
        opened(tmp_path, "rows.parquet")


@pytest.mark.parametrize("value", ["1.50", "TRUE", "2024-01-02", "1e3"])
def test_a_text_of_the_model_stays_as_it_is_written_whatever_it_looks_like(tmp_path: Path, value: str) -> None:
    (tmp_path / "rows.csv").write_text(f"id,code\n1,{value}\n2,{value}\n")
    batch = opened(tmp_path, "rows.csv", {"code": "string"})
    assert pd.read_parquet(batch.path)["code"].tolist() == [value, value]


MIXED = ["2024-07-01 10:00:00", "2024-07-01 10:00:00+00:00", "2024-07-01T10:00:00Z", "2024-07-01 10:00:00-04:00"]


def test_of_times_with_and_without_a_zone_each_is_read_as_it_is_written(tmp_path: Path) -> None:
    """Those without one are what the zone's clock shows, and so is what comes out, unless the model takes moments."""
    clock = times(tmp_path, MIXED, zone="Europe/Berlin")
    assert clock == [pd.Timestamp(f"2024-07-01 {hour}:00") for hour in (10, 12, 12, 16)]
    moments = times(tmp_path, MIXED, zone="Europe/Berlin", zoned={"t": True})
    assert moments == [pd.Timestamp(f"2024-07-01 {hour:02}:00", tz="UTC") for hour in (8, 10, 10, 14)]


def test_one_wrong_time_leaves_the_others_moments(tmp_path: Path) -> None:
    found = times(tmp_path, ["soon", *MIXED[1:]], zone="Europe/Berlin", zoned={"t": True})
    assert pd.isna(found[0])
    assert [time.hour for time in found[1:]] == [10, 10, 14]


def test_what_is_not_of_its_type_is_counted_whatever_it_says(tmp_path: Path) -> None:
    """Brackets, colons and semicolons in values and names are no structure."""
    names = {"age (years): now": "integer", "rate": "number"}
    rows = pd.DataFrame({"id": [1, 2, 3], "age (years): now": ["x; y: z (w", "4", "u"], "rate": ["n/a; b", "1", "2"]})
    rows.to_csv(tmp_path / "rows.csv", index=False)
    batch = opened(tmp_path, "rows.csv", names)  # type: ignore[arg-type]
    assert batch.misfits == (
        Reason("age (years): now", "not a whole number", 2, "u"),
        Reason("rate", "not a number", 1, "n/a; b"),
    )


def test_a_batch_with_our_own_column_is_refused(tmp_path: Path) -> None:
    ROWS.assign(_misfit="x").to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(ContractError, match="has a column `_misfit`"):
        opened(tmp_path, "rows.parquet")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (Source(path="absent.parquet"), "the input"),
        (Source(path="odd.xyz"), "the input"),
        (
            Source(sql="sqlite:///absent.db", table="due"),
            "the input: there is no SQLite database at sqlite:///absent.db",
        ),
        (Source(sql="sqlite:///${SHOP}", table="due"), "the input needs the environment variable `SHOP`"),
    ],
)
def test_messages_are_about_the_input_and_not_about_the_use_case(tmp_path: Path, source: Source, says: str) -> None:
    (tmp_path / "odd.xyz").write_text("x")
    with pytest.raises((SourceError, SecretError), match=re.escape(says)) as caught:
        opened(tmp_path, "", source=source)
    assert "sources." not in str(caught.value)
    assert "folder of the use case" not in str(caught.value)
