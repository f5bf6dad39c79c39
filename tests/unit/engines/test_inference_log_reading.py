from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from inference_logs import LOGGED, days, origin, put, table, values, window

from mlops_mlflow.core.errors import SourceError, StorageError
from mlops_mlflow.engines.inference_log import LogWriter, format


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log [1]*"  # what DuckDB would take for a pattern


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_window_is_closed_at_its_begin_and_open_at_its_end(log: Path) -> None:
    put(log, "job", ["2013-07-01T23:59:59.999999", "2013-07-02", "2013-07-02T23:59:59.999999", "2013-07-03"])
    assert values(window(log, at("2013-07-02"), at("2013-07-03"))) == [1, 2]
    assert values(window(log, at("2013-07-03"), at("2013-07-04"))) == [3]
    assert values(window(log, at("2013-07-02"), at("2013-07-02"))) == []


@pytest.mark.parametrize("zone", [UTC, ZoneInfo("America/New_York"), timezone(timedelta(hours=5, minutes=45))])
def test_the_ends_of_a_window_are_moments_whatever_zone_they_are_told_in(log: Path, zone: Any) -> None:
    # The clocks of New York show the hour before 06:00 UTC twice on this day.
    put(log, "job", [f"2013-11-03T{hour:02}:30" for hour in range(24)])
    begin, end = (at(f"2013-11-03T{hour:02}:30").astimezone(zone) for hour in (5, 7))
    assert values(window(log, begin, end)) == [5, 6]


def test_a_row_without_an_event_time_counts_at_the_time_of_its_job(log: Path) -> None:
    put(log, "job", [None, "2013-07-01"])
    assert values(window(log, LOGGED, LOGGED + timedelta(microseconds=1))) == [0]
    assert values(window(log, at("2013-07-01"), at("2013-07-02"))) == [1]


def test_only_the_version_that_was_asked_for_is_read_and_only_in_its_role(log: Path) -> None:
    put(log, "a", days(1), first=1)
    put(log, "b", days(1), first=2, origin=origin(version="2"))
    put(log, "c", days(1), first=3, origin=origin(role="shadow"))
    put(log, "d", days(1), first=4, origin=origin(model="other"))
    assert sorted(values(window(log))) == [1, 3]
    assert values(window(log, role="shadow")) == [3]
    assert values(window(log, version="2")) == [2]
    assert window(log, version="3").rows == 0


def test_files_of_other_days_are_not_opened(log: Path) -> None:
    put(log, "job", days(5))
    for path in log.rglob("*.parquet"):
        if path.parent.name != "date=2013-07-02":
            path.write_bytes(b"torn")
    found = window(log, at("2013-07-02"), at("2013-07-03"))
    assert (found.rows, len(found.files), found.skipped) == (1, 1, ())


def test_of_a_row_logged_again_the_last_counts(log: Path) -> None:
    newer, same = origin(LOGGED + timedelta(hours=1)), {"request": "r"}
    put(log, "z", days(2), values=[1, 2], **same)
    put(log, "a", days(2)[:1], values=[10], origin=newer, **same)
    put(log, "b", days(2)[:1], values=[100], origin=origin(LOGGED - timedelta(hours=1)), **same)
    put(log, "c", days(2)[:1], values=[1000], origin=origin(role="shadow"), **same)
    found = window(log, role="batch")
    assert values(found) == [10, 2]
    assert found.duplicates == 2
    assert sorted(values(window(log))) == [2, 10, 1000], "another role is another prediction"


def test_a_folder_is_no_pattern(log: Path) -> None:
    put(log, "job", days(1))
    put(log.with_name("log 1 other"), "job", days(1), first=7)
    assert values(window(log)) == [0]


def test_rows_are_in_the_order_of_their_times(log: Path) -> None:
    put(log, "b", days(3)[::-1])
    put(log, "a", days(3), first=10)
    assert values(window(log)) == [10, 2, 11, 1, 12, 0]


def test_torn_and_foreign_files_are_told_and_the_others_read(log: Path) -> None:
    put(log, "job", days(1))
    day = log / "date=2013-07-01"
    whole = (day / "job-0.parquet").read_bytes()
    pq.write_table(pa.table({"request_id": ["x"], "schema_version": [1]}), day / "foreign.parquet")
    (day / "half-0.parquet").write_bytes(whole[: len(whole) // 2])
    (day / "empty-0.parquet").write_bytes(b"")
    (day / "zeros-0.parquet").write_bytes(whole[:-200] + bytes(200))
    (day / "notes.txt").write_text("hello")
    (day / "folder.parquet").mkdir()
    (day / "gone.parquet").symlink_to("nowhere")
    (day / "_SUCCESS").write_text("")
    (log / "date=yesterday").mkdir()
    (log / "README").write_text("")
    shutil.copy(day / "job-0.parquet", day / "copied by hand.parquet")
    found = window(log)
    assert values(found) == [0]
    assert found.duplicates == 1
    reasons = {one.path.name: one.reason for one in found.skipped}
    assert reasons.pop("foreign.parquet") == "not a file of the inference log"
    assert set(reasons) == {
        *("half-0.parquet", "empty-0.parquet", "zeros-0.parquet", "notes.txt", "folder.parquet", "gone.parquet")
    }
    assert all(reason.startswith("torn, or no Parquet file: ") for reason in reasons.values())


@pytest.mark.parametrize("column", ["in.x", "request_id"])
def test_a_file_whose_middle_is_torn_is_told_and_the_others_read(log: Path, column: str) -> None:
    put(log, "whole", days(1))
    put(log, "torn", days(1) * 5_000, values=np.random.default_rng(1).normal(size=5_000), first=1, request="torn")
    path = log / "date=2013-07-01" / "torn-0.parquet"
    with pq.ParquetFile(path) as file:
        place = file.schema_arrow.names.index(column)
        page = file.metadata.row_group(0).column(place)
        begin = page.dictionary_page_offset or page.data_page_offset
        end = begin + page.total_compressed_size
    content = bytearray(path.read_bytes())
    content[begin:end] = bytes(end - begin)
    path.write_bytes(content)
    found = window(log)
    assert values(found) == [0]
    assert [(one.path.name, one.reason[:6]) for one in found.skipped] == [("torn-0.parquet", "torn: ")]
    assert [file.name for file in found.files] == ["whole-0.parquet"]


def test_what_a_later_release_wrote_is_told(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(log, "old", days(1))
    with monkeypatch.context() as later:
        later.setattr(format, "SCHEMA_VERSION", 2)
        put(log, "new", days(1))
    found = window(log)
    assert found.rows == 1
    assert [one.reason for one in found.skipped] == ["written by a later release (schema 2, this one reads 1)"]


@pytest.mark.parametrize("told", [b"{", b"[]", b"{}", b'{"schema_version": 1, "logged_at": "never"}'])
def test_metadata_that_make_no_sense_are_told(log: Path, told: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(format.Origin, "to_bytes", lambda self: told)
        put(log, "job", days(1))
    found = window(log)
    assert [one.reason for one in found.skipped] == ["its metadata are not those of the inference log"]


def test_files_with_other_inputs_are_read_by_the_names_of_their_columns(log: Path) -> None:
    put(log, "old", days(1), first=0)
    inputs = {"y": pa.string(), "x": pa.float64()}
    with LogWriter(log, "new", origin(LOGGED + timedelta(1)), inputs=inputs, classes=("a",)) as file:
        file.write([1], pd.DataFrame({"x": [5.0], "y": ["new"]}), event_times=np.array(["2013-07-02"], "M8[us]"))
    found = window(log)
    assert (values(found), values(found, "in.y")) == ([0, 5], [None, "new"])
    assert table(found).column_names[-4:] == ["in.y", "in.x", "prediction", "probability.a"]


def test_a_column_of_another_type_than_in_newer_files_is_told_and_read_as_far_as_it_fits(log: Path) -> None:
    kinds = [(pa.string(), ["1.5", "abc"]), (pa.date32(), [datetime(2013, 7, 1)] * 2), (pa.float64(), [1.0, 2.0])]
    for number, (kind, column) in enumerate(kinds):
        with LogWriter(log, f"{9 - number}", origin(LOGGED + timedelta(number)), inputs={"x": kind}) as file:
            file.write(
                [0, 1], pd.DataFrame({"x": column}), event_times=np.array(["2013-07-01", "2013-07-02"], "M8[us]")
            )
    found = window(log)
    assert values(found) == [1.0, None, 1.5, 2.0, None, None]
    assert table(found).schema.field("in.x").type == pa.float64()
    assert [(one.path.name, one.reason) for one in found.skipped] == [
        (
            f"{9 - number}-1.parquet",
            f"column `in.x` is {kind} here (and 1 more files) and DOUBLE in newer files"
            ": values that do not fit are missing",
        )
        for number, kind in enumerate(["VARCHAR", "DATE"])
    ]


def test_other_versions_may_have_other_types(log: Path) -> None:
    put(log, "one", days(1))
    with LogWriter(log, "two", origin(version="2"), inputs={"x": pa.string()}, classes=("a",)) as file:
        file.write([0], pd.DataFrame({"x": ["text"]}))
    assert window(log).skipped == ()
    assert values(window(log, version="2")) == ["text"]


def test_a_window_without_a_row_is_an_empty_file(log: Path) -> None:
    for found in (window(log), window(log, role="canary")):
        assert (found.rows, found.duplicates, found.files, found.skipped) == (0, 0, (), ())
        assert table(found).schema.field("event_time").type == pa.timestamp("us", "UTC")
    assert not log.exists(), "reading makes nothing"


def test_a_log_that_was_copied_without_its_lists_is_read(log: Path, tmp_path: Path) -> None:
    put(log, "job", days(2))
    shutil.rmtree(log / "_commits")
    assert values(window(log)) == [0, 1]
    assert not (log / "_commits").exists()


def test_a_window_needs_a_zone(log: Path) -> None:
    with pytest.raises(ValueError, match="zone"):
        window(log, datetime(2013, 7, 1), at("2013-07-02"))


def test_a_log_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match=r"the inference log .*file cannot be read: Not a directory"):
        window(tmp_path / "file")


def test_an_output_that_cannot_be_written_is_told(log: Path, tmp_path: Path) -> None:
    put(log, "job", days(1))
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="the window's rows of the inference log could not be written"):
        window(log, out=tmp_path / "file" / "window.parquet")
