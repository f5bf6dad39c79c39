"""Disks that are full or may not be written to."""

from __future__ import annotations

import errno
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest


@pytest.fixture
def mounted() -> Iterator[Callable[[Path, str], Path]]:
    """Mounts small file systems in memory; skips where that is not allowed."""
    done: list[Path] = []

    def mount(path: Path, options: str) -> Path:
        path.mkdir(exist_ok=True)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], capture_output=True, check=False)
        if made.returncode:
            pytest.skip(f"this user may not mount a tmpfs: {made.stderr.decode().strip()}")
        done.append(path)
        return path

    yield mount
    for path in done:
        subprocess.run(["umount", "-l", path], check=True)


def fill(folder: Path, *, leave: int) -> None:
    """Leave so many bytes free."""
    there = os.statvfs(folder)
    (folder / "ballast").write_bytes(b"x" * (there.f_bavail * there.f_frsize - leave))


def test_a_full_artifact_store_fails_the_stage_with_its_card(
    use_case: Any, refuse: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = mlflow.MlflowClient.log_artifact

    def full(client: Any, run_id: str, file: str, path: str | None = None) -> None:
        if file.endswith("dataset.parquet"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file)
        log(client, run_id, file, path)

    monkeypatch.setattr(mlflow.MlflowClient, "log_artifact", full)

    refuse("extract", "could not store the artifact dataset.parquet", "No space left", "free some space")


def test_a_disk_of_artifacts_that_really_is_full_is_told(
    use_case: Any, shell: Any, tmp_path: Path, mounted: Callable[[Path, str], Path]
) -> None:
    fill(mounted(tmp_path / "mlruns", "size=2m"), leave=48_000)

    ended = shell("run", "uc")

    assert ended.code == 2, ended.err
    assert ended.err.count("error: ") == 1
    assert "No space left" in ended.message
    assert "free some space" in ended.message
    assert [one.info.status for one in shell.runs("lifecycle")] == ["FAILED"]
    assert list(shell.statuses().values()).count("FAILED") == 1
    assert "RUNNING" not in shell.statuses().values()
    assert shell.registered() == 0


def test_a_full_temporary_folder_is_told(
    use_case: Any,
    shell: Any,
    tmp_path: Path,
    mounted: Callable[[Path, str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scratch = mounted(tmp_path / "scratch", "size=2m")
    fill(scratch, leave=8_000)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))

    ended = shell("run", "uc")

    assert ended.code == 2, ended.err
    assert ended.err.count("error: ") == 1
    assert "free" in ended.message
    assert [one.info.status for one in shell.runs("lifecycle")] == ["FAILED"]
    assert "RUNNING" not in shell.statuses().values()


def test_no_temporary_folder_at_all_is_told(
    use_case: Any, refuse: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_usable(prefix: str) -> str:
        raise FileNotFoundError(errno.ENOENT, f"No usable temporary directory for {prefix}")

    monkeypatch.setattr(tempfile, "mkdtemp", none_usable)

    refuse(None, "no temporary folder to work in", "TMPDIR")


def test_a_read_only_folder_for_the_database_is_told(
    use_case: Any,
    shell: Any,
    tmp_path: Path,
    mounted: Callable[[Path, str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = mounted(tmp_path / "fixed", "ro")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")

    ended = shell("run", "uc")

    assert ended.code == 2, ended.err
    assert "could not make the database mlflow.db" in ended.message
    assert "unable to open database file" in ended.message
    assert "Traceback" not in ended.err
