"""Rows to score, in the types that a model takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlops_mlflow.core.errors import ContractError, SourceError
from mlops_mlflow.core.usecase.data import ColumnType, Source
from mlops_mlflow.engines.batch import MISFIT, Batch, open_batch

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
    return open_batch(source, takes=takes, also=["id"], folder=folder, environment=more, scratch=folder / "scratch")


def test_a_parquet_file_of_the_right_types_is_read_where_it_is(tmp_path: Path) -> None:
    ROWS.to_parquet(tmp_path / "rows.parquet")
    batch = opened(tmp_path, "rows.parquet")
    assert (batch.path, batch.rows, batch.misfits) == (tmp_path / "rows.parquet", 3, False)


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
    assert batch.misfits
    assert found["age"].tolist()[::2] == [31, 53]
    assert found[MISFIT].tolist() == [None, "age: not a whole number (forty)", None]


def test_a_missing_column_is_named_with_all_that_are_needed(tmp_path: Path) -> None:
    ROWS.drop(columns=["age", "rate"]).to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(ContractError, match="the batch has no column `age`, nor 1 others") as caught:
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
