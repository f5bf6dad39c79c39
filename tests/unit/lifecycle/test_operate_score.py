"""Which version a batch is scored with, where its rows come from, and where they go."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from fake_registry import FakeRegistry

from mlops_mlflow.core.errors import RegistryError, SourceError, UseCaseError
from mlops_mlflow.engines.batch import Batch
from mlops_mlflow.engines.sinks import FileSink, TableSink
from mlops_mlflow.lifecycle.operate import score as module
from mlops_mlflow.lifecycle.operate.score import Asked, log_folder
from mlops_mlflow.lifecycle.operate.version import resolve


@pytest.fixture
def registry() -> FakeRegistry:
    made = FakeRegistry()
    for number, stage in {"1": "Archived", "2": "Production", "9": "Staging", "10": "Staging"}.items():
        made.put("parcels", number, stage=stage)
    made.aliases["parcels"] = {"champion": "2", "night": "1"}
    return made


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        ("Production", "2"),
        ("production", "2"),
        ("Staging", "10"),
        ("Archived", "1"),
        ("champion", "2"),
        ("@night", "1"),
        ("night", "1"),
        ("9", "9"),
    ],
)
def test_a_stage_means_its_newest_version_an_alias_and_a_number_themselves(
    registry: FakeRegistry, wanted: str, number: str
) -> None:
    assert resolve(registry, "parcels", wanted).number == number


@pytest.mark.parametrize("wanted", ["3", "challenger", "prod", "", "-1"])
def test_what_is_not_there_is_told_with_all_that_is(registry: FakeRegistry, wanted: str) -> None:
    with pytest.raises(RegistryError, match=f"parcels has no version {wanted}") as caught:
        resolve(registry, "parcels", wanted)
    assert "version 10 in Staging" in caught.value.got
    assert "alias night: version 1" in caught.value.got


def test_an_empty_stage_and_an_empty_registry_say_what_to_do() -> None:
    registry = FakeRegistry()
    with pytest.raises(RegistryError, match="parcels has no version in Production") as caught:
        resolve(registry, "parcels", "Production")
    assert "no versions at all" in caught.value.got
    assert "mlops run" in caught.value.hint
    registry.put("parcels", "1", stage="Staging")
    with pytest.raises(RegistryError) as caught:
        resolve(registry, "parcels", "production")
    assert "mlops request parcels --to Production" in caught.value.hint


def test_a_file_that_is_not_there_is_told_before_anything_begins() -> None:
    with pytest.raises(SourceError, match=r"there is no file absent\.parquet"):
        _ = Asked("absent.parquet", "out.parquet").source


def test_a_database_needs_the_name_of_a_table() -> None:
    with pytest.raises(UseCaseError, match="no table of it is named"):
        _ = Asked("sqlite:///shop.db", "out.parquet").source
    assert Asked("${SHOP}", "out.parquet", input_table="due").source.table == "due"


@pytest.mark.parametrize("given", ["week.parquet", "w*.parquet", "./week.parquet", "link.parquet"])
def test_the_rows_that_are_read_are_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "week.parquet").write_text("x")
    (tmp_path / "link.parquet").symlink_to("week.parquet")
    with pytest.raises(UseCaseError, match=r"the output week\.parquet is the input, too"):
        module._check_other(Asked(given, "week.parquet"), FileSink(Path("week.parquet")))
    module._check_other(Asked(given, "out.parquet"), FileSink(Path("out.parquet")))
    module._check_other(Asked(given, "sqlite:///week.parquet"), TableSink("sqlite:///week.parquet", "t", "request_id"))


def test_the_same_rows_and_version_are_the_same_job_and_others_are_not(registry: FakeRegistry) -> None:
    batch = Batch(Path("a.parquet"), 3, {}, "a.parquet", "digest")
    version = resolve(registry, "parcels", "2")
    job = module._request(batch, version)
    assert job == module._request(dataclasses.replace(batch, path=Path("b.parquet"), uri="b.parquet"), version)
    others = [
        module._request(dataclasses.replace(batch, digest="other"), version),
        module._request(batch, resolve(registry, "parcels", "1")),
        module._request(batch, dataclasses.replace(version, source="models:/m-other")),
    ]
    assert len({job, *others}) == 4
    assert len(job) == 24


def test_each_use_case_has_its_folder_of_the_log() -> None:
    assert log_folder("parcels", {}) == Path("inference_log/parcels")
    assert log_folder("parcels", {"MLOPS_INFERENCE_LOG": "/srv/log"}) == Path("/srv/log/parcels")
