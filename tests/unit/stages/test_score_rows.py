"""A batch on its way: every row is scored or set aside, and both are told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from mlops_mlflow.core.errors import ContractError, StorageError, UseCaseError
from mlops_mlflow.core.records import Artifact, Dataset, Metric, ModelUse, Param, Progress
from mlops_mlflow.core.usecase.data import ColumnType, Source
from mlops_mlflow.core.usecase.parse import parse_use_case
from mlops_mlflow.engines import tables
from mlops_mlflow.engines.batch import open_batch
from mlops_mlflow.engines.contract import Reason
from mlops_mlflow.engines.inference_log import select_window, versions
from mlops_mlflow.engines.sinks import FileSink
from mlops_mlflow.learning.target import Outcomes
from mlops_mlflow.stages.score import Inputs, Output, ScoredBy, card, run, table

USE_CASE = """
version: 1
use_case: parcels
question: Which parcels will be late?
owners: {business: owner@example.com, technical: team@example.com}
card: {intended_use: Tests.}
entity_key: parcel
event_time: {column: sent, zone: Europe/Berlin}
sources: {rows: {path: rows.csv}}
target: {column: late, positive: 1}
contract:
  quarantine_at_most: 0.1
  columns:
    weight: {type: number, min: 0, max: 30, nullable: true}
    sent: {nullable: true}
    late: {allowed: [0, 1]}
    gone: {required: false}
candidates: {logistic: {estimator: sklearn.linear_model.LogisticRegression}}
success: [{metric: roc_auc, at_least: 0.6}]
"""
TAKES: Mapping[str, ColumnType] = {"weight": "number", "city": "string"}
NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def rows(count: int = 10) -> pd.DataFrame:
    hours = pd.date_range("2024-03-01", periods=count, freq="h")
    cities = [("Bonn", "Köln")[number % 2] for number in range(count)]
    weights = [float(number % 30) for number in range(count)]
    return pd.DataFrame(
        {"parcel": [f"P{n}" for n in range(count)], "sent": hours, "weight": weights, "city": cities, "note": "x"}
    )


def predict(frame: pd.DataFrame) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any] | None]:
    """Late where it is heavy; columns come as the model takes them."""
    assert list(frame.columns) == list(TAKES)
    positive = frame["weight"].fillna(0).to_numpy() / 30
    return np.where(positive >= 0.5, 1, 0).astype(object), np.column_stack([1 - positive, positive])


BINARY = ScoredBy("parcels", "3", "Production", TAKES, predict, Outcomes("binary", (0, 1)))


class Scene:
    """A batch in a folder, and what became of it."""

    def __init__(self, folder: Path, frame: pd.DataFrame, *, name: str = "batch.parquet", **changes: Any) -> None:
        self.folder, self.records = folder, []
        (folder / "scratch").mkdir(exist_ok=True)
        frame.to_csv(folder / name, index=False) if name.endswith("csv") else frame.to_parquet(folder / name)
        spec = parse_use_case(USE_CASE, file="usecase.yaml")
        batch = open_batch(
            Source(path=name),
            takes=TAKES | {"sent": "datetime"},
            also=["parcel"],
            folder=folder,
            environment={},
            scratch=folder / "scratch",
            zone="Europe/Berlin",
        )
        given = {"model": BINARY, "sink": FileSink(folder / "out.parquet")} | changes
        self.inputs = Inputs(
            spec=spec,
            batch=batch,
            log=folder / "log",
            quarantine=folder / "scratch" / "quarantine.parquet",
            request="job",
            now=NOW,
            environment={},
            **given,
        )

    def run(self) -> Output:
        return run(self.inputs, self.records.append)

    @property
    def out(self) -> pd.DataFrame:
        return pd.read_parquet(self.folder / "out.parquet")

    @property
    def aside(self) -> pd.DataFrame:
        return pd.read_parquet(self.inputs.quarantine)

    @property
    def logged(self) -> pd.DataFrame:
        (span,) = versions(self.inputs.log, model="parcels").values()
        ends = {"begin": span.first, "end": span.last + pd.Timedelta(microseconds=1)}
        found = select_window(self.inputs.log, model="parcels", version="3", out=self.folder / "window.parquet", **ends)
        return pd.read_parquet(found.path)


@pytest.fixture(params=[3, 65_536], ids=["batches of 3", "one batch"])
def parts(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "BATCH", request.param)


@pytest.mark.usefixtures("parts")
def test_all_columns_of_the_batch_and_ours_are_in_the_output(tmp_path: Path) -> None:
    scene = Scene(tmp_path, rows(40))
    output = scene.run()
    assert (output.rows, output.scored, output.aside, output.reasons) == (40, 40, 0, ())
    pd.testing.assert_frame_equal(scene.out[list(rows().columns)], rows(40), check_dtype=False)
    assert scene.out["prediction"].tolist() == [int(weight >= 15) for weight in rows(40)["weight"]]
    assert scene.out["probability"].tolist() == pytest.approx((rows(40)["weight"] / 30).tolist())
    assert set(scene.out["model_version"]) == {"3"}
    assert set(scene.out["scored_at"]) == {pd.Timestamp(NOW)}
    assert set(scene.out["request_id"]) == {"job"}
    assert scene.out["request_row"].tolist() == list(range(40))
    assert output.decided == (("0", 25), ("1", 15))
    assert (output.first, output.last) == (
        datetime(2024, 2, 29, 23, tzinfo=UTC),
        datetime(2024, 3, 2, 14, tzinfo=UTC),
    )
    assert table(output)["share"].tolist() == [25 / 40, 15 / 40]


@pytest.mark.usefixtures("parts")
def test_broken_rows_are_nowhere_but_aside_and_in_the_log_as_rejected(tmp_path: Path) -> None:
    frame = rows()
    frame.loc[2, "weight"] = -1
    frame.loc[4, "parcel"] = None
    frame.loc[7, "weight"] = 31
    scene = Scene(tmp_path, frame)
    output = scene.run()
    assert scene.out["request_row"].tolist() == [0, 1, 3, 5, 6, 8, 9]
    assert scene.aside["_reason"].tolist() == ["weight: min 0", "parcel: missing", "weight: max 30"]
    assert scene.aside["weight"].tolist() == [-1, 4, 31]
    assert sum(one.count for one in output.reasons) == output.aside == 3
    kept = scene.logged.sort_values("row")
    assert kept["status"].value_counts().to_dict() == {"ok": 7, "rejected": 3}
    assert kept.loc[kept["status"] == "rejected", "row"].tolist() == [2, 4, 7]
    assert kept.loc[kept["status"] == "rejected", "prediction"].isna().all()
    assert card(scene.inputs, output).word == "many rows set aside"


@pytest.mark.usefixtures("parts")
def test_a_row_without_time_is_set_aside_even_where_the_contract_allows_it(tmp_path: Path) -> None:
    """Its window could not be told."""
    frame = rows()
    frame.loc[3, "sent"] = None
    frame.loc[5, "weight"] = None
    scene = Scene(tmp_path, frame)
    assert scene.run().reasons == (Reason("sent", "missing", 1, ""),)
    assert scene.out["request_row"].tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9]


@pytest.mark.usefixtures("parts")
def test_all_that_is_wrong_with_a_row_is_told_and_each_thing_once(tmp_path: Path) -> None:
    frame = rows(8).astype({"weight": object, "sent": object})
    frame.loc[1, "weight"] = "heavy; (very): 40"
    frame.loc[1, "parcel"] = None
    frame.loc[2, "sent"] = "soon"
    frame.loc[3, "sent"] = None
    frame.loc[4, "weight"] = "50"
    scene = Scene(tmp_path, frame, name="batch.csv")
    output = scene.run()
    assert scene.aside["_reason"].tolist() == [
        "weight: not a number (heavy; (very): 40); parcel: missing",
        "sent: not a time (soon)",
        "sent: missing",
        "weight: max 30",
    ]
    assert set(output.reasons) == {
        Reason("weight", "not a number", 1, "heavy; (very): 40"),
        Reason("parcel", "missing", 1, ""),
        Reason("sent", "not a time", 1, "soon"),
        Reason("sent", "missing", 1, ""),
        Reason("weight", "max 30", 1, "50.0"),
    }
    assert "_misfit" not in {*scene.out.columns, *scene.aside.columns}


def test_rows_that_were_set_aside_before_get_their_new_reason(tmp_path: Path) -> None:
    scene = Scene(tmp_path, rows(4).assign(_reason="weight: max 30", weight=[1.0, 40.0, 2.0, -3.0]))
    scene.run()
    assert scene.aside["_reason"].tolist() == ["weight: max 30", "weight: min 0"]
    assert scene.aside.columns.tolist() == [*rows().columns, "_reason"]


def test_a_batch_of_which_no_row_can_be_scored_is_an_error_that_leaves_the_reasons(tmp_path: Path) -> None:
    scene = Scene(tmp_path, rows(5).assign(weight=99.0))
    with pytest.raises(ContractError, match="none of the 5 rows can be scored") as caught:
        scene.run()
    assert "weight: max 30 (5 rows)" in str(caught.value.got)
    assert not (tmp_path / "out.parquet").exists()
    assert not versions(tmp_path / "log", model="parcels")
    assert scene.records[-1] == Artifact("quarantine.parquet", scene.inputs.quarantine)
    assert len(scene.aside) == 5, "the file is whole when it is logged"


def test_an_empty_batch_gives_an_empty_output_of_the_same_columns(tmp_path: Path) -> None:
    scene = Scene(tmp_path, rows()[:0])
    output = scene.run()
    assert (output.rows, output.scored, output.mean) == (0, 0, None)
    assert scene.out.columns.tolist()[-6:] == [
        "prediction",
        "probability",
        "model_version",
        "scored_at",
        "request_id",
        "request_row",
    ]
    assert card(scene.inputs, output).word == "no rows"


def test_the_run_is_told_the_batch_the_model_and_the_figures_and_shows_progress(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BATCH", 4)
    scene = Scene(tmp_path, rows(10).assign(weight=[40.0, *[20.0] * 9]))
    scene.run()
    (dataset,) = [one for one in scene.records if isinstance(one, Dataset)]
    assert dataset.rows == 10
    assert dataset.context == "scoring"
    assert ModelUse("scored_by", "input") in scene.records
    figures = {one.name: one.value for one in scene.records if isinstance(one, Metric)}
    assert figures | {"rows": 10, "rows_scored": 9, "rows_quarantined": 1, "quarantined_share": 0.1} == figures
    assert figures["positive_rate"] == 1.0
    assert Param("model_version", "3") in scene.records
    told = [one.done for one in scene.records if isinstance(one, Progress)]
    assert told == [0, 4, 8, 10]


def test_a_category_column_goes_through(tmp_path: Path) -> None:
    frame = rows(6).astype({"city": "category", "note": "category"})
    scene = Scene(tmp_path, frame)
    scene.run()
    assert scene.out["city"].astype(str).tolist() == frame["city"].astype(str).tolist()


def test_a_regression_has_a_number_and_no_probability(tmp_path: Path) -> None:
    model = ScoredBy(
        "parcels",
        "3",
        "Production",
        TAKES,
        lambda frame: (frame["weight"].to_numpy() * 2, None),
        Outcomes("regression"),
    )
    scene = Scene(tmp_path, rows(5), model=model)
    output = scene.run()
    assert scene.out["prediction"].tolist() == [0, 2, 4, 6, 8]
    assert "probability" not in scene.out.columns
    assert (output.mean, output.decided) == (4, ())


def test_several_classes_have_a_probability_each(tmp_path: Path) -> None:
    def three(frame: pd.DataFrame) -> tuple[Any, Any]:
        scores = np.tile([0.2, 0.5, 0.3], (len(frame), 1))
        return np.full(len(frame), "b", dtype=object), scores

    model = ScoredBy("parcels", "3", "Production", TAKES, three, Outcomes("multiclass", ("a", "b", "c")))
    scene = Scene(tmp_path, rows(4), model=model)
    output = scene.run()
    assert set(scene.out["probability of b"]) == {0.5}
    assert (output.decided, output.mean) == ((("b", 4),), None)


@pytest.mark.parametrize("name", ["prediction", "request_id", "model_version"])
def test_a_batch_with_a_column_of_ours_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(UseCaseError, match=f"the batch has a column `{name}`"):
        Scene(tmp_path, rows().assign(**{name: 1})).run()
    assert not (tmp_path / "out.parquet").exists()


def test_an_error_while_writing_beside_ends_the_job_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "BATCH", 2)
    scene = Scene(tmp_path, rows(20))

    def full(writer: Any, batch: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_batch", full)
    with pytest.raises(StorageError, match="the disk is full"):
        scene.run()
    assert not (tmp_path / "out.parquet").exists()
    assert not list(tmp_path.glob("*.part"))
    assert not versions(tmp_path / "log", model="parcels")
