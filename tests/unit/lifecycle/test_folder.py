from __future__ import annotations

import os
from pathlib import Path

import pytest
import use_cases

from mlops_mlflow.core.errors import UseCaseError
from mlops_mlflow.engines.text import LARGEST
from mlops_mlflow.lifecycle.folder import load_folder

USE_CASE = """\
use_case: flights
question: Which flights will be late?
owners: {business: a@example.com, technical: b@example.com}
card: {intended_use: Warn passengers.}
target: {column: late}
sources: {flights: {path: flights.csv}}
candidates: {logistic: {estimator: sklearn.linear_model.LogisticRegression}}
success: [{metric: roc_auc, at_least: 0.6}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "flights"
    made.mkdir()
    (made / "usecase.yaml").write_text(USE_CASE, encoding="utf-8")
    return made


def say(folder: Path, more: str) -> None:
    (folder / "usecase.yaml").write_text(USE_CASE + more, encoding="utf-8")


def refusal(path: Path | str) -> UseCaseError:
    with pytest.raises(UseCaseError) as caught:
        load_folder(path)
    return caught.value


def test_a_folder_or_its_file_may_be_named(folder: Path):
    by_folder, by_file = load_folder(str(folder)), load_folder(folder / "usecase.yaml")
    assert by_folder == by_file
    assert by_folder.path == folder
    assert by_folder.spec.use_case == "flights"
    assert by_folder.text == USE_CASE
    assert (by_folder.sql, by_folder.sql_name) == (None, None)


def test_the_integrating_sql_is_read(folder: Path):
    say(folder, "extract: sql/join.sql\nfeatures: {module: features.py}\n")
    (folder / "sql").mkdir()
    (folder / "sql" / "join.sql").write_text("select 1\n", encoding="utf-8")
    (folder / "features.py").write_text("", encoding="utf-8")
    loaded = load_folder(folder)
    assert (loaded.sql, loaded.sql_name) == ("select 1\n", "sql/join.sql")


def test_byte_order_mark_and_windows_line_endings_do_not_matter(folder: Path):
    (folder / "usecase.yaml").write_bytes(b"\xef\xbb\xbf" + USE_CASE.replace("\n", "\r\n").encode())
    assert load_folder(folder).text == USE_CASE


def test_a_missing_use_case_lists_those_nearby(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(folder.parent)
    (folder.parent / ".hidden").mkdir()
    (folder.parent / ".hidden" / "usecase.yaml").write_text(USE_CASE, encoding="utf-8")
    error = refusal("fligths")
    assert error.what == "there is no use case at fligths"
    assert error.hint == "use one of those nearby: flights"
    assert "nearby: flights" in refusal(".").hint
    assert "nearby: flights" in refusal("nowhere/at/all").hint


def test_where_there_is_none_making_one_is_the_advice(tmp_path: Path):
    assert "mlops init" in refusal(tmp_path).hint


def test_the_search_for_use_cases_nearby_does_not_go_deep(folder: Path):
    deep = folder.parent / "a" / "b" / "c" / "d"
    deep.mkdir(parents=True)
    (deep / "usecase.yaml").write_text(USE_CASE, encoding="utf-8")
    assert "d" not in [Path(each).name for each in refusal(folder.parent).hint.split(": ")[1].split(", ")]


@pytest.mark.parametrize(
    "name", ["../outside.sql", "{folder}/outside.sql", "sub/../../outside.sql", '"a\\0.sql"', "link.sql"]
)
def test_the_sql_may_not_lie_outside_the_folder(folder: Path, name: str):
    (folder.parent / "outside.sql").write_text("select 1", encoding="utf-8")
    (folder / "link.sql").symlink_to(folder.parent / "outside.sql")
    say(folder, f"extract: {name.format(folder=folder.parent)}\n")
    error = refusal(folder)
    assert error.what.startswith("`extract`: ")
    assert "lies outside" in error.what
    assert error.place.line == 9


def test_the_feature_module_may_not_be_a_link_to_outside(folder: Path):
    (folder.parent / "outside.py").write_text("", encoding="utf-8")
    (folder / "features.py").symlink_to(folder.parent / "outside.py")
    say(folder, "features: {module: features.py}\n")
    assert "lies outside" in refusal(folder).what


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ("extract: gone.sql", "`extract`"),
        (f"extract: {'x' * 300}.sql", "`extract`"),
        ("features: {module: gone.py}", "`features.module`"),
    ],
)
def test_a_file_that_is_named_has_to_be_there(folder: Path, more: str, key: str):
    say(folder, more)
    error = refusal(folder)
    assert key in error.what
    assert "there is no file" in error.what
    assert error.place.line == 9


def test_an_empty_sql_file_is_refused_where_it_is_named(folder: Path):
    say(folder, "extract: e.sql\n")
    (folder / "e.sql").write_text(" \n", encoding="utf-8")
    error = refusal(folder)
    assert "is empty" in error.what
    assert error.place.line == 9


def test_text_that_is_not_utf_8_is_told_with_its_line(folder: Path):
    (folder / "usecase.yaml").write_bytes(b"a: 1\nb: \xe4\n")
    error = refusal(folder)
    assert (error.what, error.place.line) == ("is not UTF-8 (byte 0xe4)", 2)
    assert error.place.file.endswith("usecase.yaml")


def test_a_file_that_is_much_too_large_is_not_read(folder: Path):
    with (folder / "usecase.yaml").open("wb") as file:
        file.truncate(LARGEST + 1)
    assert "1,000,001 bytes" in refusal(folder).what


def test_problems_name_the_file_as_it_was_given(folder: Path, monkeypatch: pytest.MonkeyPatch):
    say(folder, "seed: x\n")
    monkeypatch.chdir(folder.parent)
    assert str(refusal("flights")).startswith(f"flights{os.sep}usecase.yaml:9:7: `seed`")


def test_a_module_that_is_a_link_out_of_the_folder_does_not_travel(tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("KEY = 1")
    folder = use_cases.tickets(tmp_path, features="from .other import KEY\n" + use_cases.TICKETS_FEATURES)
    (folder / "other.py").symlink_to(tmp_path / "secret.py")
    with pytest.raises(UseCaseError, match=r"other\.py lies outside the folder"):
        load_folder(folder).modules()


def test_only_modules_that_the_feature_module_imports_travel(tmp_path: Path) -> None:
    folder = use_cases.tickets(tmp_path, features="from . import near\nfrom .far import there\n")
    (folder / "near.py").write_text("def _late():\n    from .deep import x\n", encoding="utf-8")
    for name in ("far", "deep", "stranger"):
        (folder / f"{name}.py").write_text("there = 1\n", encoding="utf-8")
    assert list(load_folder(folder).modules()) == ["deep.py", "far.py", "features.py", "near.py"]
