from __future__ import annotations

import errno
from pathlib import Path

import duckdb
import pytest

from mlops_mlflow.core.errors import StorageError
from mlops_mlflow.engines.atomic import link, replacing


def fail(target: Path, error: Exception) -> None:
    with replacing(target, "the kept rows") as part:
        part.write_text("half")
        raise error


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a"
    with replacing(target, "a table") as part:
        part.write_text("half")
        assert not target.exists()
    assert [path.name for path in target.parent.iterdir()] == ["a"]
    assert target.read_text() == "half"


def test_after_a_failure_the_old_file_is_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_text("old")
    with pytest.raises(ZeroDivisionError):
        fail(target, ZeroDivisionError())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        duckdb.OutOfMemoryException("Out of Memory Error: failed to offload data block of size 256.0 KiB"),
        duckdb.IOException('IO Error: Could not write file "x": No space left on device'),
    ],
)
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, error: Exception) -> None:
    with pytest.raises(StorageError, match=r"the kept rows could not be written to .*: the disk is full"):
        fail(tmp_path / "a", error)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StorageError, match="a table could not be written"),
        replacing(tmp_path / "file" / "a", "a table"),
    ):
        pass


def test_a_missing_input_is_not_taken_for_a_storage_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a", "a table"):
        (tmp_path / "absent").read_text()


def test_a_link_shares_the_content(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    link(tmp_path / "a", tmp_path / "b", "a table")
    assert (tmp_path / "b").samefile(tmp_path / "a")
