"""Versions of libraries, and the source of what has none or is being worked on."""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlops_mlflow.engines import distributions
from mlops_mlflow.lifecycle.cache import versions as module
from mlops_mlflow.lifecycle.cache.versions import versions

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What one test found out is no other's."""
    forget()
    yield
    forget()


def forget() -> None:
    for cached in (module._versions, distributions._providers):
        cached.cache_clear()
    importlib.invalidate_caches()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """A folder of this name on Python's path."""

    def made(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir(parents=True, exist_ok=True)
        monkeypatch.syspath_prepend(str(folder))
        return folder

    return made


def package(folder: Path, name: str, text: str = "VALUE = 1\n") -> None:
    for file, content in {"__init__.py": text, "inner/deep.py": "DEEP = 1\n", "inner/__init__.py": ""}.items():
        path = folder / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def distribution(folder: Path, name: str, version: str, *modules: str) -> None:
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA.format(name=name, version=version))
    (info / "top_level.txt").write_text("\n".join(modules))
    (info / "RECORD").write_text("".join(f"{one}/__init__.py,,\n" for one in modules))


def test_modules_are_told_by_their_distributions() -> None:
    found = versions(["sklearn", "numpy", "yaml"])
    assert found["scikit-learn"] == importlib.metadata.version("scikit-learn")
    assert found["numpy"] == importlib.metadata.version("numpy")
    assert found["PyYAML"] == importlib.metadata.version("PyYAML")


def test_scikit_learn_brings_the_library_that_does_its_work() -> None:
    assert "scipy" in versions(["sklearn"])


def test_nothing_gives_nothing() -> None:
    assert versions([]) == {}


def test_a_module_that_is_not_there_is_missing_and_found_once_it_is(place: Callable[[str], Path]) -> None:
    assert versions(["invented_things"]) == {"invented_things": "missing"}
    package(place("work"), "invented_things")
    forget()
    assert versions(["invented_things"])["invented_things"].startswith("source ")


@pytest.mark.parametrize("file", ["__init__.py", "inner/deep.py"])
def test_edits_of_a_module_without_a_distribution_are_noticed(place: Callable[[str], Path], file: str) -> None:
    folder = place("work")
    package(folder, "invented_things")
    before = versions(["invented_things"])
    (folder / "invented_things" / file).write_text("VALUE = 2\n")
    forget()
    assert versions(["invented_things"]) != before


def test_a_single_file_is_a_module_too(place: Callable[[str], Path]) -> None:
    file = place("work") / "invented_thing.py"
    file.write_text("VALUE = 1\n")
    before = versions(["invented_thing"])
    file.write_text("VALUE = 2\n")
    forget()
    assert versions(["invented_thing"]) != before


def test_two_files_that_change_their_content_with_each_other_are_noticed(place: Callable[[str], Path]) -> None:
    folder = place("work")
    package(folder, "invented_things", "DEEP = 1\n")
    (folder / "invented_things" / "inner" / "deep.py").write_text("VALUE = 1\n")
    before = versions(["invented_things"])
    package(folder, "invented_things", "VALUE = 1\n")
    forget()
    assert versions(["invented_things"]) != before


def test_files_of_one_name_that_change_their_content_with_each_other_are_noticed(place: Callable[[str], Path]) -> None:
    folder = place("work") / "invented_things"
    package(folder.parent, "invented_things")
    (folder / "other").mkdir()
    one, other = folder / "inner" / "deep.py", folder / "other" / "deep.py"
    one.write_text("VALUE = 1\n")
    other.write_text("VALUE = 2\n")
    before = versions(["invented_things"])
    one.write_text("VALUE = 2\n")
    other.write_text("VALUE = 1\n")
    forget()
    assert versions(["invented_things"]) != before


def test_what_is_installed_is_told_by_its_version_alone(place: Callable[[str], Path]) -> None:
    folder = place("lib/site-packages")
    package(folder, "invented_things")
    distribution(folder, "invented-things", "1.2", "invented_things")
    before = versions(["invented_things"])
    assert before == {"invented-things": "1.2"}
    (folder / "invented_things" / "__init__.py").write_text("# compiled again\n")
    forget()
    assert versions(["invented_things"]) == before


def test_another_version_is_noticed(place: Callable[[str], Path]) -> None:
    folder = place("lib/site-packages")
    package(folder, "invented_things")
    distribution(folder, "invented-things", "1.2", "invented_things")
    before = versions(["invented_things"])
    (folder / "invented_things-1.2.dist-info").rename(folder / "gone")
    distribution(folder, "invented-things", "1.3", "invented_things")
    forget()
    assert versions(["invented_things"]) != before


def test_a_distribution_of_another_name_is_found(place: Callable[[str], Path]) -> None:
    folder = place("lib/site-packages")
    package(folder, "invented_things")
    distribution(folder, "inventors-toolbox", "7", "invented_things")
    assert versions(["invented_things"]) == {"inventors-toolbox": "7"}


def test_what_is_worked_on_in_its_folder_is_told_by_version_and_source(place: Callable[[str], Path]) -> None:
    """``pip install -e``: the version stays while the code changes."""
    work, site = place("work"), place("lib/site-packages")
    package(work, "invented_things")
    distribution(site, "invented-things", "1.2", "invented_things")
    before = versions(["invented_things"])
    assert before["invented-things"].startswith("1.2 source ")
    (work / "invented_things" / "inner" / "deep.py").write_text("DEEP = 2\n")
    forget()
    assert versions(["invented_things"]) != before


def test_a_module_in_the_way_of_an_installed_one_is_noticed(place: Callable[[str], Path]) -> None:
    """A file called like a library, first on the path, is what is imported."""
    site = place("lib/site-packages")
    package(site, "invented_things")
    distribution(site, "invented-things", "1.2", "invented_things")
    before = versions(["invented_things"])
    package(place("work"), "invented_things", "VALUE = 3\n")
    forget()
    assert versions(["invented_things"]) != before


def test_modules_without_a_spec_are_no_trouble() -> None:
    import types

    sys.modules["invented_in_memory"] = types.ModuleType("invented_in_memory")
    try:
        assert versions(["invented_in_memory"]) == {"invented_in_memory": "missing"}
    finally:
        del sys.modules["invented_in_memory"]
