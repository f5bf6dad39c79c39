from __future__ import annotations

import csv
import importlib.util
from pathlib import Path

import pandas as pd
import pytest
import yaml
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from mlops_mlflow import __version__
from mlops_mlflow.core.errors import StorageError, UseCaseError
from mlops_mlflow.core.usecase.schema import json_schema
from mlops_mlflow.lifecycle import scaffold
from mlops_mlflow.lifecycle.folder import load_folder
from mlops_mlflow.lifecycle.scaffold import EXAMPLE_ROWS, create_use_case

STAGES = ("design", "extract", "explore", "prepare", "train", "evaluate", "validate")


def test_it_makes_a_use_case_that_loads(tmp_path: Path):
    files = create_use_case("leavers", tmp_path)
    assert {str(file.relative_to(tmp_path / "leavers")) for file in files} == {
        ".gitignore",
        "MLproject",
        "README.md",
        "conda.yaml",
        "data/example.csv",
        "features.py",
        "usecase.schema.json",
        "usecase.yaml",
    }
    loaded = load_folder(tmp_path / "leavers")
    assert loaded.spec.use_case == "leavers"
    assert [path.name for path in tmp_path.iterdir()] == ["leavers"]


def test_no_placeholder_is_left(tmp_path: Path):
    for file in create_use_case("leavers", tmp_path):
        assert "USE_CASE" not in file.read_text(encoding="utf-8")
        assert "VERSION" not in file.read_text(encoding="utf-8")


def test_the_editor_finds_the_schema_that_the_first_line_names(tmp_path: Path):
    create_use_case("leavers", tmp_path)
    text = (tmp_path / "leavers" / "usecase.yaml").read_text(encoding="utf-8")
    schema = text.splitlines()[0].partition("$schema=")[2]
    assert yaml.safe_load((tmp_path / "leavers" / schema).read_text(encoding="utf-8")) == json_schema()


def test_mlproject_has_every_stage_and_main_for_the_folder_itself(tmp_path: Path):
    create_use_case("leavers", tmp_path)
    project = yaml.safe_load((tmp_path / "leavers" / "MLproject").read_text(encoding="utf-8"))
    assert (project["name"], project["conda_env"]) == ("leavers", "conda.yaml")
    assert set(project["entry_points"]) == {"main", *STAGES, "promote", "score", "monitor"}
    assert project["entry_points"]["main"]["command"] == "mlops run {use_case}"
    for stage in STAGES:
        assert project["entry_points"][stage]["command"] == f"mlops run {{use_case}} --stage {stage}"
    for entry in project["entry_points"].values():
        assert entry["parameters"]["use_case"] == {"type": "string", "default": "."}


def test_the_environment_pins_this_version(tmp_path: Path):
    create_use_case("leavers", tmp_path)
    environment = yaml.safe_load((tmp_path / "leavers" / "conda.yaml").read_text(encoding="utf-8"))
    assert environment["dependencies"][-1] == {"pip": [f"mlops-mlflow=={__version__}"]}


def test_the_example_table_is_the_same_each_time(tmp_path: Path):
    tables = []
    for name in ("one", "two"):
        create_use_case(name, tmp_path)
        tables.append((tmp_path / name / "data" / "example.csv").read_bytes())
    assert tables[0] == tables[1]


def test_the_example_table_keeps_the_contract_and_holds_every_column_that_is_named(tmp_path: Path):
    create_use_case("leavers", tmp_path)
    spec = load_folder(tmp_path / "leavers").spec
    with (tmp_path / "leavers" / "data" / "example.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == EXAMPLE_ROWS
    assert {spec.entity_key, spec.event_time.column, spec.target.column, *spec.contract.columns} <= set(rows[0])
    assert not set(spec.forbidden) & set(rows[0])
    assert len({row["customer_id"] for row in rows}) == EXAMPLE_ROWS
    assert {row["plan"] for row in rows} == set(spec.contract.columns["plan"].allowed)
    assert [row["signed"] for row in rows] == sorted(row["signed"] for row in rows)
    assert 0.2 < sum(int(row["churned"]) for row in rows) / EXAMPLE_ROWS < 0.4


def test_the_example_table_meets_its_criterion_with_a_margin(tmp_path: Path):
    create_use_case("leavers", tmp_path)
    table = pd.read_csv(tmp_path / "leavers" / "data" / "example.csv")
    columns = pd.get_dummies(table[["plan", "monthly_minutes", "support_calls"]])
    train, test = slice(0, int(0.7 * EXAMPLE_ROWS)), slice(int(0.85 * EXAMPLE_ROWS), None)
    model = LogisticRegression(max_iter=2000).fit(columns[train], table["churned"][train])
    assert roc_auc_score(table["churned"][test], model.predict_proba(columns[test])[:, 1]) > 0.8


def test_the_features_of_a_row_do_not_depend_on_other_rows(tmp_path: Path):
    create_use_case("leavers", tmp_path)
    found = importlib.util.spec_from_file_location("made_features", tmp_path / "leavers" / "features.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    table = pd.read_csv(tmp_path / "leavers" / "data" / "example.csv")
    whole, part = module.derive(table), module.derive(table.tail(3))
    pd.testing.assert_frame_equal(whole.tail(3), part)
    assert set(whole.columns) - set(table.columns) == {"calls_per_hour"}


@pytest.mark.parametrize("name", ["", "my case", "1st", "../up", "a/b", "a" * 65, "-x", "churn\n", "é"])
def test_names_that_do_not_do_are_refused_before_anything_is_made(tmp_path: Path, name: str):
    with pytest.raises(UseCaseError, match="cannot be the name"):
        create_use_case(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_is_filled(tmp_path: Path):
    (tmp_path / "leavers").mkdir()
    create_use_case("leavers", tmp_path)
    assert (tmp_path / "leavers" / "usecase.yaml").is_file()


def test_nothing_is_ever_overwritten(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    for name in ("folder", "file", "link"):
        with pytest.raises(UseCaseError, match="is there already"):
            create_use_case(name, tmp_path)
    assert (tmp_path / "folder" / "mine.txt").read_text(encoding="utf-8") == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "link"]


def test_a_missing_parent_is_told(tmp_path: Path):
    with pytest.raises(StorageError, match="cannot make the folder"):
        create_use_case("leavers", tmp_path / "nowhere")


def test_a_failure_half_way_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full_disk():
        yield ("a",)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scaffold, "_example", full_disk)
    with pytest.raises(StorageError, match="No space left"):
        create_use_case("leavers", tmp_path)
    assert list(tmp_path.iterdir()) == []
