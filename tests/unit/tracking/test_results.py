"""Results that runs keep, on a real store: found, verified, refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from mlops_mlflow.core.keys import Key
from mlops_mlflow.core.records import Artifact, Dataset, Model, ModelAgain, ModelFile
from mlops_mlflow.tracking import results
from mlops_mlflow.tracking.results import (
    FIT,
    FIT_SECONDS,
    KEY,
    PARTS,
    RESULT,
    GoneError,
    Result,
    StoredFile,
    check_model,
    fetch,
    fetch_model,
    find_fit,
    local_folder,
    nearest,
    of_run,
)
from mlops_mlflow.tracking.tracker import STAGE, Tracker, open_tracker
from mlops_mlflow.tracking.writer import Library, Writer

SEED = Key({"seed": "7", "use_case": "words"})
OTHER = Key({"seed": "8", "use_case": "words"})


@pytest.fixture
def tracker(tracking_uri: str) -> Tracker:
    return open_tracker("words", tracking_uri)


def finished(
    tracker: Tracker,
    scratch: Path,
    *records: Any,
    key: Key | None = SEED,
    status: Any = "FINISHED",
    stage: str = "train",
    library: Library | None = None,
    facts: Any = None,
    final: bool = True,
) -> str:
    """A stage's run that concluded; its id."""
    run_id = tracker.create_run(stage, {STAGE: stage})
    writer = Writer(
        tracker, run_id, tags={}, library=library or Library(), scratch=scratch / run_id, show=lambda _: None
    )
    for record in (Artifact("table.csv", "a,b\n"), Artifact("deep/down.bin", b"\x00\x01"), *records):
        writer(record)
    writer.conclude(facts or {"rows": 3}, headline="Three rows.", seconds=1.5, key=key, final=final)
    tracker.end_run(run_id, status)
    return run_id


def model(**tags: str) -> Model:
    table = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]})
    return Model("forest", LogisticRegression().fit(table, [0, 0, 1, 1]), table, tags=tags)


def folder_of(tracker: Tracker, run_id: str) -> Path:
    return Path(tracker.client.get_run(run_id).info.artifact_uri.removeprefix("file://"))


def model_of(tracker: Tracker, run_id: str) -> Any:
    """The logged model of a run."""
    (output,) = tracker.client.get_run(run_id).outputs.model_outputs
    return tracker.client.get_logged_model(output.model_id)


def find(tracker: Tracker, key: str, scratch: Path) -> tuple[Result | None, str]:
    """The result with a key, or why what there was cannot be trusted."""
    found = results.find(tracker, key, scratch)
    return (None, found.what) if isinstance(found, GoneError) else (found, "")


def found_by(tracker: Tracker, scratch: Path, key: Key = SEED) -> str | None:
    result, _ = find(tracker, key.digest, scratch / "found")
    return result.run_id if result else None


def test_a_result_is_found_by_its_key_with_everything_in_it(tracker: Tracker, tmp_path: Path) -> None:
    data = Dataset("words.train", "d" * 64, "here", "training", {"x": "DOUBLE"}, 3)
    run_id = finished(tracker, tmp_path, data, facts={"rows": 3, "share": float("nan")})
    result, gone = find(tracker, SEED.digest, tmp_path)
    assert result is not None
    assert gone == ""
    assert (result.run_id, result.key, result.headline, result.seconds) == (run_id, SEED.digest, "Three rows.", 1.5)
    assert result.facts["rows"] == 3
    assert np.isnan(result.facts["share"])
    assert set(result.files) == {"table.csv", "deep/down.bin"}
    assert result.files["deep/down.bin"].size == 2
    assert result.datasets == {"words.train": "d" * 36}
    assert result.ended == tracker.client.get_run(run_id).info.end_time


def test_there_is_nothing_for_another_key(tracker: Tracker, tmp_path: Path) -> None:
    finished(tracker, tmp_path)
    assert find(tracker, OTHER.digest, tmp_path) == (None, "")


def test_there_is_nothing_of_another_use_case(tracker: Tracker, tmp_path: Path, tracking_uri: str) -> None:
    finished(tracker, tmp_path)
    assert find(open_tracker("letters", tracking_uri), SEED.digest, tmp_path) == (None, "")


def test_a_result_without_a_key_is_not_found_but_can_be_asked_for(tracker: Tracker, tmp_path: Path) -> None:
    run_id = finished(tracker, tmp_path, key=None)
    tags = tracker.client.get_run(run_id).data.tags
    assert KEY not in tags
    assert PARTS not in tags
    assert find(tracker, SEED.digest, tmp_path) == (None, "")
    assert of_run(tracker, run_id, tmp_path).facts == {"rows": 3}


def test_a_result_that_is_not_final_is_not_found_but_what_decided_it_is_told(tracker: Tracker, tmp_path: Path) -> None:
    run_id = finished(tracker, tmp_path, final=False)
    assert KEY not in tracker.client.get_run(run_id).data.tags
    assert find(tracker, SEED.digest, tmp_path) == (None, "")
    assert [(one, parts) for one, _, parts in nearest(tracker, "train")] == [(run_id, dict(SEED.parts))]


def test_the_newest_of_several_is_taken(tracker: Tracker, tmp_path: Path) -> None:
    runs = [finished(tracker, tmp_path) for _ in range(3)]
    assert found_by(tracker, tmp_path) == runs[-1]


def test_the_newest_that_can_be_trusted_is_taken(tracker: Tracker, tmp_path: Path) -> None:
    first, second, third = (finished(tracker, tmp_path) for _ in range(3))
    tracker.client.delete_run(third)
    (folder_of(tracker, second) / "table.csv").unlink()
    result, gone = find(tracker, SEED.digest, tmp_path)
    assert result is not None
    assert (result.run_id, gone) == (first, "")


@pytest.mark.parametrize("status", ["FAILED", "KILLED", "RUNNING"])
def test_a_run_that_did_not_finish_is_no_result(tracker: Tracker, tmp_path: Path, status: str) -> None:
    run_id = finished(tracker, tmp_path)
    tracker.client.update_run(run_id, status=status)
    assert found_by(tracker, tmp_path) is None
    with pytest.raises(GoneError, match=f"{run_id[:8]} did not finish"):
        of_run(tracker, run_id, tmp_path)


def test_a_run_that_was_cut_before_it_concluded_is_no_result(tracker: Tracker, tmp_path: Path) -> None:
    run_id = finished(tracker, tmp_path)
    tracker.client.delete_tag(run_id, RESULT)
    assert found_by(tracker, tmp_path) is None


def test_a_deleted_run_is_gone_and_says_so(tracker: Tracker, tmp_path: Path) -> None:
    run_id = finished(tracker, tmp_path)
    tracker.client.delete_run(run_id)
    assert find(tracker, SEED.digest, tmp_path) == (None, f"the run {run_id[:8]} was deleted")


def test_a_deleted_run_that_was_restored_is_found(tracker: Tracker, tmp_path: Path) -> None:
    run_id = finished(tracker, tmp_path)
    tracker.client.delete_run(run_id)
    tracker.client.restore_run(run_id)
    assert found_by(tracker, tmp_path) == run_id


def test_a_run_that_never_was_is_gone(tracker: Tracker, tmp_path: Path) -> None:
    with pytest.raises(GoneError, match="is gone"):
        of_run(tracker, "0" * 32, tmp_path)


@pytest.mark.parametrize("path", ["table.csv", "deep/down.bin", "result.json"])
def test_a_missing_file_is_told(tracker: Tracker, tmp_path: Path, path: str) -> None:
    run_id = finished(tracker, tmp_path)
    (folder_of(tracker, run_id) / path).unlink()
    assert find(tracker, SEED.digest, tmp_path) == (None, f"{path} of the run {run_id[:8]} is gone")


@pytest.mark.parametrize("path", ["table.csv", "deep/down.bin", "result.json"])
@pytest.mark.parametrize("how", ["flipped", "cut", "longer", "empty"])
def test_a_changed_file_is_told(tracker: Tracker, tmp_path: Path, path: str, how: str) -> None:
    run_id = finished(tracker, tmp_path)
    file = folder_of(tracker, run_id) / path
    before = file.read_bytes()
    changed = {
        "cut": before[:-1],
        "longer": before + b" ",
        "empty": b"",
        "flipped": bytes([before[0] ^ 1]) + before[1:],
    }
    file.write_bytes(changed[how])
    result, gone = find(tracker, SEED.digest, tmp_path)
    assert result is None
    assert gone.startswith(f"{path} of the run {run_id[:8]} ")


def test_a_result_that_was_rewritten_to_fit_its_changed_files_is_refused(tracker: Tracker, tmp_path: Path) -> None:
    run_id = finished(tracker, tmp_path)
    folder = folder_of(tracker, run_id)
    (folder / "table.csv").write_text("a,c\n")
    plain = json.loads((folder / "result.json").read_text())
    plain["files"]["table.csv"]["sha256"] = StoredFile.of(folder / "table.csv").sha256
    (folder / "result.json").write_text(json.dumps(plain))
    assert found_by(tracker, tmp_path) is None


def test_files_beside_those_that_were_written_do_no_harm(tracker: Tracker, tmp_path: Path) -> None:
    run_id = finished(tracker, tmp_path)
    tracker.client.log_text(run_id, "a note of somebody", "note.txt")
    assert found_by(tracker, tmp_path) == run_id


def test_all_artifacts_gone_is_told(tracker: Tracker, tmp_path: Path) -> None:
    run_id = finished(tracker, tmp_path)
    shutil.rmtree(folder_of(tracker, run_id))
    assert find(tracker, SEED.digest, tmp_path)[0] is None


def test_a_file_is_fetched_and_verified_once_more(tracker: Tracker, tmp_path: Path) -> None:
    finished(tracker, tmp_path)
    result, _ = find(tracker, SEED.digest, tmp_path)
    assert result is not None
    assert fetch(tracker, result, "deep/down.bin", tmp_path).read_bytes() == b"\x00\x01"
    (folder_of(tracker, result.run_id) / "deep" / "down.bin").write_bytes(b"\x00\x02")
    with pytest.raises(GoneError, match="not what was written"):
        fetch(tracker, result, "deep/down.bin", tmp_path)


def test_a_file_that_no_run_wrote_cannot_be_fetched(tracker: Tracker, tmp_path: Path) -> None:
    finished(tracker, tmp_path)
    result, _ = find(tracker, SEED.digest, tmp_path)
    assert result is not None
    with pytest.raises((KeyError, GoneError)):
        fetch(tracker, result, "nowhere.txt", tmp_path)


# --- nearest runs ---


def test_the_nearest_runs_are_those_of_the_stage_newest_first(tracker: Tracker, tmp_path: Path) -> None:
    first = finished(tracker, tmp_path)
    second = finished(tracker, tmp_path, key=OTHER)
    finished(tracker, tmp_path, stage="prepare")
    deleted = finished(tracker, tmp_path)
    tracker.client.delete_run(deleted)
    tracker.client.update_run(finished(tracker, tmp_path), status="FAILED")
    found = list(nearest(tracker, "train"))
    assert [run_id for run_id, _, _ in found] == [second, first]
    assert [parts for _, _, parts in found] == [dict(OTHER.parts), dict(SEED.parts)]


def test_without_runs_none_is_near(tracker: Tracker) -> None:
    assert list(nearest(tracker, "train")) == []


# --- models ---


def test_the_files_of_a_model_are_known_with_those_that_were_added(tracker: Tracker, tmp_path: Path) -> None:
    finished(tracker, tmp_path, model(), ModelFile("forest", "split.json", "{}"))
    result, _ = find(tracker, SEED.digest, tmp_path)
    assert result is not None
    stored = result.models["forest"]
    assert {"MLmodel", "split.json"} <= set(stored.files)
    folder = fetch_model(tracker, "forest", stored, tmp_path / "saved", tmp_path / "fetched")
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} >= set(stored.files)
    check_model(tracker, "forest", stored)


def test_models_of_other_stages_are_not_kept_as_its_own(tracker: Tracker, tmp_path: Path) -> None:
    library = Library()
    finished(tracker, tmp_path, model(), library=library)
    finished(tracker, tmp_path, key=OTHER, stage="evaluate", library=library)
    result, _ = find(tracker, OTHER.digest, tmp_path)
    assert result is not None
    assert result.models == {}


@pytest.mark.parametrize("how", ["gone", "changed", "one gone"])
def test_a_model_that_is_not_what_was_written_is_not_loaded(tracker: Tracker, tmp_path: Path, how: str) -> None:
    run_id = finished(tracker, tmp_path, model())
    stored = of_run(tracker, run_id, tmp_path).models["forest"]
    folder = local_folder(stored.location)
    assert folder is not None
    if how == "gone":
        shutil.rmtree(folder)
    elif how == "one gone":
        next(folder.rglob("*.skops")).unlink()
    else:
        (folder / "MLmodel").write_text((folder / "MLmodel").read_text().replace("forest", "grove") + " ")
    with pytest.raises(GoneError, match="forest"):
        fetch_model(tracker, "forest", stored, tmp_path / "saved", tmp_path / "fetched")


def test_a_deleted_model_is_told(tracker: Tracker, tmp_path: Path) -> None:
    run_id = finished(tracker, tmp_path, model())
    stored = of_run(tracker, run_id, tmp_path).models["forest"]
    tracker.client.delete_logged_model(stored.model_id)
    with pytest.raises(GoneError, match=f"the model forest .{stored.model_id}. was deleted"):
        check_model(tracker, "forest", stored)


def test_a_model_that_failed_is_no_model(tracker: Tracker, tmp_path: Path) -> None:
    run_id = finished(tracker, tmp_path, model())
    stored = of_run(tracker, run_id, tmp_path).models["forest"]
    tracker.client.finalize_logged_model(stored.model_id, "FAILED")
    with pytest.raises(GoneError, match="FAILED"):
        check_model(tracker, "forest", stored)


def fitted(tracker: Tracker, scratch: Path, **given: Any) -> str:
    return finished(tracker, scratch, model(**{FIT: "f" * 32, FIT_SECONDS: "0.25"}), **given)


def test_a_fit_is_found_with_its_files_and_time(tracker: Tracker, tmp_path: Path) -> None:
    run_id = fitted(tracker, tmp_path)
    found = find_fit(tracker, "f" * 32, tmp_path)
    assert found is not None
    stored, seconds = found
    assert (stored.model_id, seconds) == (model_of(tracker, run_id).model_id, 0.25)
    assert "MLmodel" in stored.files
    assert find_fit(tracker, "0" * 32, tmp_path) is None


@pytest.mark.parametrize("status", ["FAILED", "KILLED", "RUNNING"])
def test_a_fit_of_a_run_that_did_not_finish_is_none(tracker: Tracker, tmp_path: Path, status: str) -> None:
    tracker.client.update_run(fitted(tracker, tmp_path), status=status)
    assert find_fit(tracker, "f" * 32, tmp_path) is None


@pytest.mark.parametrize("what", ["run", "model"])
def test_a_deleted_fit_is_none(tracker: Tracker, tmp_path: Path, what: str) -> None:
    run_id = fitted(tracker, tmp_path)
    if what == "run":
        tracker.client.delete_run(run_id)
    else:
        tracker.client.delete_logged_model(model_of(tracker, run_id).model_id)
    assert find_fit(tracker, "f" * 32, tmp_path) is None


def test_a_fit_of_a_cut_search_is_found_though_its_run_has_no_key(tracker: Tracker, tmp_path: Path) -> None:
    fitted(tracker, tmp_path, key=None)
    assert find_fit(tracker, "f" * 32, tmp_path) is not None


def test_an_older_fit_is_taken_where_the_newest_is_gone(tracker: Tracker, tmp_path: Path) -> None:
    first, second = fitted(tracker, tmp_path), fitted(tracker, tmp_path)
    tracker.client.delete_run(second)
    found = find_fit(tracker, "f" * 32, tmp_path)
    assert found is not None
    assert found[0].model_id == model_of(tracker, first).model_id


def test_a_model_taken_over_is_the_result_of_both_runs(tracker: Tracker, tmp_path: Path) -> None:
    first = fitted(tracker, tmp_path)
    stored = of_run(tracker, first, tmp_path).models["forest"]
    second = finished(tracker, tmp_path, ModelAgain("forest", stored), key=OTHER)
    assert of_run(tracker, second, tmp_path).models == {"forest": stored}
    assert model_of(tracker, second).model_id == stored.model_id


# --- places ---


@pytest.mark.parametrize(
    ("uri", "folder"),
    [
        ("file:///srv/a%20b/c", Path("/srv/a b/c")),
        ("/srv/artifacts", Path("/srv/artifacts")),
        ("mlflow-artifacts:/1/abc/artifacts", None),
        ("s3://bucket/1", None),
        ("https://host/api", None),
        ("dbfs:/a", None),
    ],
)
def test_which_places_are_on_this_machine(uri: str, folder: Path | None) -> None:
    assert local_folder(uri) == folder


@pytest.mark.parametrize("name", ["with space", "50%", "ünï", "a#b", "a?b"])
def test_a_folder_with_an_odd_name_is_found(migrated_store: Path, tmp_path: Path, name: str) -> None:
    """MLflow writes the artifacts where it thinks; the result has to be found there."""
    place = tmp_path / name
    place.mkdir()
    shutil.copyfile(migrated_store, tmp_path / "mlflow.db")
    tracker = open_tracker("words", f"sqlite:///{tmp_path / 'mlflow.db'}")
    odd = tracker.client.create_experiment("odd", artifact_location=str(place))
    tracker = Tracker(tracker.client, tracker.uri, odd)
    assert found_by(tracker, tmp_path) is None
    run_id = finished(tracker, tmp_path / "scratch")
    assert found_by(tracker, tmp_path / "scratch") == run_id
