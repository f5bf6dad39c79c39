from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from inference_logs import LOGGED, days, origin, put

from mlops_mlflow.core.errors import SourceError
from mlops_mlflow.engines.inference_log import Span, versions


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_each_version_of_the_model_is_told_with_its_first_and_last_row(log: Path) -> None:
    put(log, "a", days(3))
    put(log, "b", ["2013-07-09T01:00"])
    put(log, "c", ["2013-08-01T01:00"], origin=origin(version="12"))
    put(log, "d", ["2013-08-01T01:00"], origin=origin(model="other"))
    assert versions(log, model="flights") == {
        "1": Span(at("2013-07-01T08:00"), at("2013-07-09T01:00")),
        "12": Span(at("2013-08-01T01:00"), at("2013-08-01T01:00")),
    }
    assert versions(log, model="nobody") == {}


def test_rows_without_an_event_time_are_of_the_time_of_their_job(log: Path) -> None:
    put(log, "a", [None, None])
    assert versions(log, model="flights") == {"1": Span(LOGGED, LOGGED)}
    put(log, "b", ["2013-07-09T01:00", None])
    assert versions(log, model="flights") == {"1": Span(at("2013-07-09T01:00"), LOGGED)}


def test_days_before_the_first_that_is_asked_for_are_left_out(log: Path) -> None:
    put(log, "a", days(3))
    assert versions(log, model="flights", since=at("2013-07-03T23:00")) == {
        "1": Span(at("2013-07-03T08:00"), at("2013-07-03T08:00"))
    }
    assert versions(log, model="flights", since=at("2013-07-04")) == {}


def test_torn_and_foreign_files_are_passed_over(log: Path) -> None:
    put(log, "a", days(2))
    (first, second) = sorted(log.rglob("*.parquet"))
    first.write_bytes(first.read_bytes()[:-20])
    pd.DataFrame({"x": [1]}).to_parquet(second.with_name("theirs-0.parquet"))
    (second.parent / "empty-0.parquet").write_bytes(b"")
    assert versions(log, model="flights") == {"1": Span(at("2013-07-02T08:00"), at("2013-07-02T08:00"))}


def test_a_log_that_is_not_there_knows_no_version(log: Path) -> None:
    assert versions(log, model="flights") == {}
    assert not log.exists()


def test_a_log_that_is_no_folder_is_an_error(log: Path) -> None:
    log.write_text("not a folder")
    with pytest.raises(SourceError, match="cannot be read") as caught:
        versions(log, model="flights")
    assert str(log) in str(caught.value)
