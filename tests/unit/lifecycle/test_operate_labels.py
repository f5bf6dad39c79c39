from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import use_cases

from mlops_mlflow.core.errors import DataError
from mlops_mlflow.lifecycle.folder import load_folder
from mlops_mlflow.lifecycle.operate.labels import read_labels, read_rows_between

SQL = "select ticket_id, opened, escalated from tickets where opened >= :since and opened < :until order by opened"
BEGIN, END = datetime(2024, 3, 30, 23, tzinfo=UTC), datetime(2024, 3, 31, 22, tzinfo=UTC)
"""The day on which Berlin's clocks skip the hour from two to three."""


def folder(tmp_path: Path, *, sql: str = SQL, tickets: pd.DataFrame | None = None, **changes: Any) -> Any:
    sources = {"sources": {"tickets": {"path": "data/tickets.csv"}}}
    path = use_cases.tickets(tmp_path, sql=sql, rows=3000, **sources | changes)
    if tickets is not None:
        tickets.to_csv(path / "data" / "tickets.csv", index=False)
    return load_folder(path)


def labels(of: Any, tmp_path: Path, begin: datetime = BEGIN, end: datetime = END) -> pd.DataFrame:
    scratch = tmp_path / "scratch"
    scratch.mkdir(parents=True, exist_ok=True)
    file = read_labels(of, begin, end, environment={}, scratch=scratch)
    assert not (scratch / "outcomes.parquet").exists(), "the whole rows are not kept"
    return pq.read_table(file).to_pandas()


def some(**columns: Any) -> pd.DataFrame:
    hours = pd.date_range("2024-03-30 22:00", periods=4, freq="h")
    return pd.DataFrame(
        {"ticket_id": [f"T{n}" for n in range(4)], "opened": hours, "escalated": [0, 1, 0, 1]} | columns
    )


def test_labels_are_those_of_the_day_in_the_use_cases_zone_and_their_times_moments(tmp_path: Path) -> None:
    found = labels(folder(tmp_path), tmp_path)
    assert list(found.columns) == ["key", "actual", "moment"]
    assert len(found) == 24, "rows of a table that has every hour, also the one that clocks skip"
    assert (found["moment"].iloc[0], str(found["moment"].dt.tz)) == (pd.Timestamp(BEGIN), "UTC")
    assert found["moment"].iloc[2] == found["moment"].iloc[3] == pd.Timestamp("2024-03-31T01:00", tz="UTC")
    assert set(found["actual"]) <= {0, 1}


def test_sql_without_bounds_gives_everything(tmp_path: Path) -> None:
    of = folder(tmp_path, sql="select ticket_id, opened, escalated from tickets order by opened")
    assert len(labels(of, tmp_path)) == 3000


def test_keys_are_texts_as_in_the_log(tmp_path: Path) -> None:
    whole = labels(folder(tmp_path / "a", tickets=some(ticket_id=[1, 2, 3, 4])), tmp_path)
    broken = labels(folder(tmp_path / "b", tickets=some(ticket_id=[1.0, None, 3.0, 4.5])), tmp_path)
    assert whole["key"].tolist() == ["3", "4"]
    assert broken["key"].tolist() == ["3", "4.5"], "a missing one makes all of them floats"


def test_rows_without_a_time_have_no_moment(tmp_path: Path) -> None:
    of = folder(
        tmp_path,
        sql="select ticket_id, opened, escalated from tickets",
        tickets=some(opened=["2024-03-31 00:00", None, "2024-03-31 12:00", None]),
    )
    assert labels(of, tmp_path)["moment"].isna().sum() == 2


def test_no_row_between_the_bounds_is_no_error(tmp_path: Path) -> None:
    late = datetime(2030, 1, 1, tzinfo=UTC), datetime(2030, 1, 2, tzinfo=UTC)
    assert len(labels(folder(tmp_path), tmp_path, *late)) == 0


@pytest.mark.parametrize("name", ["ticket_id", "opened", "escalated"])
def test_a_column_that_the_sql_does_not_give_is_named(tmp_path: Path, name: str) -> None:
    columns = ", ".join({"ticket_id", "opened", "escalated", "channel"} - {name})
    of = folder(tmp_path, sql=f"select {columns} from tickets where opened >= :since and opened < :until")
    with pytest.raises(DataError, match=f"the labels have no column `{name}`") as caught:
        labels(of, tmp_path)
    assert "select it in the extract's SQL" in str(caught.value)


def test_a_source_that_is_gone_is_told(tmp_path: Path) -> None:
    of = folder(tmp_path)
    (of.path / "data" / "tickets.csv").unlink()
    with pytest.raises(DataError, match="tickets"):
        labels(of, tmp_path)


def test_rows_between_two_moments_may_be_read_whole(tmp_path: Path) -> None:
    out = tmp_path / "rows.parquet"
    made = read_rows_between(folder(tmp_path), BEGIN, END, environment={}, scratch=tmp_path, out=out)
    assert set(made.columns) == {"ticket_id", "opened", "escalated"}
    assert pq.read_metadata(out).num_rows == 24
