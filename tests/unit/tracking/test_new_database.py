"""A new SQLite database appears whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlops_mlflow.core.errors import MlopsError
from mlops_mlflow.tracking.new_database import make_database
from mlops_mlflow.tracking.tracker import open_tracker


def test_it_is_a_store_that_mlflow_opens_and_nothing_lies_beside_it(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/deep/mlflow.db"
    tracker = open_tracker("churn", uri)
    run = tracker.create_run("first", {})
    assert tracker.client.get_run(run).info.run_name == "first"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["mlflow.db"]


def test_the_file_of_whoever_was_quicker_stays(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    file.write_text("theirs", encoding="utf-8")
    make_database(f"sqlite:///{file}", file)
    assert file.read_text(encoding="utf-8") == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]


def test_where_none_can_be_made_nothing_is_left(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.touch()
    with pytest.raises(MlopsError, match="could not make the database"):
        make_database("sqlite:///nowhere", blocked / "mlflow.db")
    assert list(tmp_path.iterdir()) == [blocked]


def test_two_processes_that_begin_at_once_share_one_store(tmp_path: Path) -> None:
    code = (
        "from mlops_mlflow.tracking.tracker import open_tracker\n"
        f"print(open_tracker('churn', 'sqlite:///{tmp_path}/mlflow.db').create_run('one', {{}}))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    ended = [(*process.communicate(timeout=120), process.returncode) for process in both]
    assert [code for *_, code in ended] == [0, 0], ended
    tracker = open_tracker("churn", f"sqlite:///{tmp_path}/mlflow.db")
    assert {tracker.client.get_run(out.strip()).info.experiment_id for out, *_ in ended} == {tracker.experiment_id}
