"""What ``explain`` says, in words, and without writing; ``test_cache_hits`` compares it with what then happens."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from again import ALL, FROM_PREPARE, Place
from click.testing import CliRunner
from use_cases import tickets

from mlops_mlflow.cli.main import mlops
from mlops_mlflow.core.errors import MlopsError
from mlops_mlflow.lifecycle.explain import Forecast


@pytest.fixture(scope="module")
def once(migrated_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A lifecycle that has run as far as train."""
    root = tmp_path_factory.mktemp("explained")
    place = Place(root / "store", tickets(root, rows=500, tuning={"trials": 2, "folds": 2}), migrated_store)
    place.run("train")
    place.keep()
    return place


@pytest.fixture
def place(once: Place) -> Iterator[Place]:
    """The same for every test."""
    yield once
    once.restore()


def files(folder: Path) -> dict[str, int]:
    """Every file with the time of its last change."""
    return {
        str(file): file.stat().st_mtime_ns
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.endswith(("-shm", "-wal"))
    }


def statuses(told: dict[str, Forecast]) -> dict[str, str]:
    return {stage: one.status for stage, one in told.items()}


def edit_everything(place: Place) -> None:
    place.replace("features.py", "hours_left", "left_over")
    place.replace("extract.sql", "-- One row", "-- A row")
    place.client.delete_run(place.stage_run("train").info.run_id)


@pytest.mark.parametrize("change", [None, edit_everything], ids=["nothing changed", "much changed"])
@pytest.mark.parametrize("options", [{}, {"cache": False}, {"force": frozenset({"extract"})}], ids=str)
def test_nothing_is_written(place: Place, change: Any, options: dict[str, Any]) -> None:
    if change:
        change(place)
    database, artifacts = place.rows(), files(place.root / "artifacts")
    folder = files(place.folder)
    told = place.explain(**options)
    assert set(told) == ALL
    assert place.rows() == database
    assert files(place.root / "artifacts") == artifacts
    assert files(place.folder) == folder


def test_nothing_is_left_in_the_temporary_folder(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    place.replace("features.py", "hours_left", "left_over")
    place.explain()
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_a_dead_process_is_left_for_a_run_to_end(place: Place) -> None:
    """Explaining is no reason to change somebody's runs."""
    run_id = place.client.create_run(place.experiment, tags={"mlops.process": "elsewhere 1 1", "mlops.alive": "0"})
    place.explain()
    assert place.client.get_run(run_id.info.run_id).info.status == "RUNNING"


def test_stages_that_have_not_run_say_so(place: Place) -> None:
    told = place.explain()
    assert statuses(told) == {
        "design": "hit",
        "extract": "hit",
        "explore": "miss",
        "prepare": "hit",
        "train": "hit",
        "evaluate": "miss",
        "validate": "miss",
    }
    for stage in ("explore", "evaluate", "validate"):
        assert told[stage].reasons == ("it has not run before",)
        assert told[stage].run_id == ""


def test_a_hit_names_the_run_and_when_it_ended(place: Place) -> None:
    run = place.stage_run("prepare")
    told = place.explain("prepare")["prepare"]
    assert (told.run_id, told.ended) == (run.info.run_id, run.info.end_time)
    assert told.reasons == ()


def test_only_stages_up_to_the_target_are_told(place: Place) -> None:
    assert list(place.explain("prepare")) == ["design", "extract", "prepare"]
    assert list(place.explain("explore")) == ["design", "extract", "explore"]


def test_nothing_ever_ran(migrated_store: Path, tmp_path: Path) -> None:
    fresh = Place(tmp_path / "store", tickets(tmp_path, rows=300), migrated_store)
    told, ran = fresh.foretold("prepare")
    assert set(statuses(told).values()) == {"miss"}
    assert {one.reasons for one in told.values()} == {("it has not run before",)}
    assert ran.again == {"design", "extract", "prepare"}


def test_a_change_is_told_against_the_nearest_of_the_earlier_runs(place: Place) -> None:
    """Not the newest: the one from which least has changed."""
    first = place.stage_run("train").info.run_id
    place.edit(lambda document: document["tuning"].update(trials=1, folds=3, algorithm="random"))
    place.run("train")
    place.edit(lambda document: document["tuning"].update(trials=3, folds=2, algorithm="tpe"))
    told = place.explain("train")["train"]
    assert told.run_id == first
    assert told.reasons[0] == "tuning.trials: 2 → 3"


def test_what_changed_at_the_root_is_told_of_the_stages_behind_it_as_what_they_stand_on(place: Place) -> None:
    place.replace("features.py", "hours_left", "left_over")
    told = place.explain("train")
    assert told["prepare"].reasons == ("file features.py changed",)
    assert told["train"].reasons[0] == "prepare runs"
    assert "logistic: 0 of 2 trials known" in told["train"].reasons


def test_a_stage_that_may_come_out_as_before_is_open_and_says_on_what_it_depends(place: Place) -> None:
    place.replace("extract.sql", "-- One row", "-- A row")
    told, ran = place.foretold("train")
    assert statuses(told) == {"design": "miss", "extract": "miss", "prepare": "open", "train": "open"}
    assert told["prepare"].reasons == ("if extract gives the same as before",)
    assert told["prepare"].run_id == place.stage_run("prepare").info.run_id
    assert ran.again == {"design", "extract"}


def test_a_stage_that_was_open_may_run_all_the_same(place: Place) -> None:
    place.replace("extract.sql", "t.channel, ", "")
    told, ran = place.foretold("prepare")
    assert told["prepare"].status == "open"
    assert ran.again == {"design", "extract", "prepare"}


def test_many_changes_are_cut(place: Place) -> None:
    more = {f"c{number}": {"estimator": "sklearn.naive_bayes.GaussianNB"} for number in range(9)}
    place.edit(lambda document: document["candidates"].update(more))
    reasons = place.explain("train")["train"].reasons
    assert any(one.startswith("and ") and one.endswith(" more") for one in reasons)
    assert "logistic: 2 of 2 trials known" in reasons
    assert "c0: 0 of 1 trial known" in reasons


def test_force_and_no_cache_are_told_as_the_reason(place: Place) -> None:
    forced = place.explain("train", force=frozenset({"prepare"}))
    assert statuses(forced) == {"design": "hit", "extract": "hit", "prepare": "miss", "train": "miss"}
    assert "forced" in forced["prepare"].reasons[0]
    nothing = place.explain("train", cache=False)
    assert set(statuses(nothing).values()) == {"miss"}


def test_a_deleted_extract_leaves_what_follows_to_what_it_will_give(place: Place) -> None:
    place.client.delete_run(place.stage_run("extract").info.run_id)
    told, ran = place.foretold("train")
    assert "was deleted" in told["extract"].reasons[0]
    assert ran.again == {"extract"}
    assert {told["prepare"].status, told["train"].status} <= {"open", "hit"}


def test_a_killed_search_tells_how_many_trials_are_known(place: Place) -> None:
    """As a lifecycle leaves it that was killed in its second candidate."""
    place.edit(lambda document: document["tuning"].update(trials=6, folds=3))
    stop: list[str] = []

    def interrupt(what: str) -> None:
        if what == "train works":
            stop.append(what)
            if len(stop) == 10:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        place.run("train", at=interrupt)
    told, ran = place.foretold("train")
    known = [int(one.split(": ")[1].split(" ")[0]) for one in told["train"].reasons if "trials known" in one]
    assert sum(known) > 0
    assert len(ran.trials) == 12 - sum(known)


def test_a_source_that_is_gone_is_an_error_in_words(place: Place) -> None:
    (place.folder / "data" / "tickets.csv").unlink()
    with pytest.raises(MlopsError, match="source `tickets`: no file"):
        place.explain()


def test_the_command_prints_a_line_for_each_stage(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", place.uri)
    place.replace("features.py", "hours_left", "left_over")
    before = place.rows()
    done = CliRunner().invoke(mlops, ["explain", str(place.folder)])
    assert done.exit_code == 0, done.output
    lines = {line.split()[1]: line for line in done.output.splitlines() if line[:1].strip()}
    assert set(lines) == ALL
    assert "hit" in lines["extract"]
    assert "miss" in lines["prepare"]
    assert "file features.py changed" in lines["prepare"]
    assert place.stage_run("extract").info.run_id[:8] in lines["extract"]
    assert place.rows() == before


def test_the_option_of_a_stage_says_the_same_and_runs_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", place.uri)
    before = place.rows()
    done = CliRunner().invoke(
        mlops, ["run", str(place.folder), "--stage", "prepare", "--explain", "--force", "prepare"]
    )
    assert done.exit_code == 0, done.output
    assert [line.split()[1:3] for line in done.output.splitlines() if line[:1].strip()] == [
        ["design", "hit"],
        ["extract", "hit"],
        ["prepare", "miss"],
    ]
    assert place.rows() == before


def test_a_secret_in_the_url_of_a_source_is_not_told(place: Place, tmp_path: Path) -> None:
    """Though it should have stood in the environment."""
    import sqlite3
    from contextlib import closing

    other = Path(shutil.copytree(place.folder, tmp_path / "copy" / "tickets"))
    for name in ("hunter2", "hunter3"):
        with closing(sqlite3.connect(other / f"{name}.db")) as database:
            database.execute("create table customers (customer_id text, plan text, age integer)")
            database.executemany("insert into customers values (?, 'small', 30)", [(f"K{n:03}",) for n in range(60)])
            database.commit()
    mine, place.folder = place.folder, other
    try:
        for name in ("hunter2", "hunter3"):
            source = {"sql": f"sqlite:///{name}.db", "table": "customers"}
            place.edit(lambda document, source=source: document["sources"].update(customers=source))
            told = place.explain("extract")
            assert name not in str(told["extract"].reasons)
            assert told["extract"].status == "miss"
            place.run("extract")
            tags = place.stage_run("extract").data.tags
            assert not [one for one, value in tags.items() if name in value and one.startswith("mlops.key")]
    finally:
        place.folder = mine


def test_all_behind_a_changed_feature_module_are_misses_before_they_have_run(place: Place) -> None:
    place.run()
    place.replace("features.py", "hours_left", "left_over")
    told = place.explain()
    assert {stage for stage, one in told.items() if one.status == "miss"} == FROM_PREPARE | {"design"}
