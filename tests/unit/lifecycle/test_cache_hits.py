"""What is run again and what is not, each through a real lifecycle; and that ``explain`` foretells it."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from again import AFTER_EXTRACT, ALL, FROM_PREPARE, FROM_TRAIN, Place, Ran, later
from mlflow.entities import Run
from use_cases import LOGISTIC, tickets

from mlops_mlflow.lifecycle.cache import versions as versions_module
from mlops_mlflow.lifecycle.cache.code import code_of
from mlops_mlflow.lifecycle.explain import Forecast

CLOCK = "def hours(delta):\n    return delta.dt.total_seconds() / 3600\n"
FEATURES = '''\
"""Features of a ticket."""

import pandas as pd

from .clock import hours


def derive(table: pd.DataFrame) -> pd.DataFrame:
    """Add the time that is left."""
    return table.assign(left_over=hours(table["due"] - table["opened"]))
'''
ROWS = 1200
NONE: frozenset[str] = frozenset()
BUT_DESIGN = ALL - {"design"}


@pytest.fixture(scope="module")
def once(migrated_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A lifecycle that has run, registered, and been remembered."""
    root = tmp_path_factory.mktemp("again")
    place = Place(root / "store", tickets(root, features=FEATURES, rows=ROWS), migrated_store)
    (place.folder / "clock.py").write_text(CLOCK)
    ran = place.run()
    assert ran.again == ALL
    assert ran.result is not None
    assert ran.result.version is not None
    place.keep()
    return place


@pytest.fixture
def place(once: Place) -> Iterator[Place]:
    """The same for every test."""
    yield once
    once.restore()


def check(place: Place, again: frozenset[str], **options: Any) -> tuple[dict[str, Forecast], Ran]:
    """Explain and run: only these stages run; then once more, and none does."""
    told, ran = place.foretold(**options)
    assert ran.again == again
    assert ran.stages_made() == again
    following = place.run()
    assert following.again == NONE
    assert following.new == []
    return told, ran


def edited(place: Place, again: frozenset[str], *path: str, to: Any) -> tuple[dict[str, Forecast], Ran]:
    """The same after one place of ``usecase.yaml`` was changed, which ``design`` always shows."""

    def change(document: dict[str, Any]) -> None:
        *sections, last = path
        for section in sections:
            document = document.setdefault(section, {})
        document[last] = to

    place.edit(change)
    return check(place, again | {"design"})


def models(place: Place, run: Run) -> set[str]:
    """Ids of the models that a run gave."""
    return {one.model_id for one in place.client.get_run(run.info.run_id).outputs.model_outputs}


def why(told: dict[str, Forecast], stage: str) -> str:
    return "; ".join(told[stage].reasons)


# --- nothing changed ---


def test_the_same_again_runs_nothing_and_gives_the_same(place: Place, once: Place) -> None:
    first = {run.data.tags["mlops.stage"]: run.info.run_id for run in place.runs() if is_stage(run)}
    told, ran = check(place, NONE)
    assert {stage: one.run_id for stage, one in ran.done.items()} == first
    assert {one.status for one in told.values()} == {"hit"}
    assert ran.result is not None
    assert ran.result.version is not None
    assert ran.result.version.number == "1"
    assert len(place.client.search_model_versions("name = 'tickets'")) == 1


def is_stage(run: Run) -> bool:
    return run.data.tags.get("mlops.kind") == "stage"


def test_the_lifecycle_names_the_runs_that_it_stands_on(place: Place) -> None:
    ran = place.run()
    tags = place.client.get_run(ran.run_id).data.tags
    assert {stage: tags[f"mlops.run.{stage}"] for stage in ALL} == {
        stage: one.run_id for stage, one in ran.done.items()
    }


def test_touching_files_runs_nothing(place: Place) -> None:
    touched = [file for file in place.folder.rglob("*") if file.is_file()]
    assert len(touched) >= 6
    for file in touched:
        os.utime(file, (later(), later()))
    check(place, NONE)


def test_another_folder_with_the_same_content_runs_nothing(place: Place, tmp_path: Path) -> None:
    """Two people with a checkout each share hits."""
    other = Path(shutil.copytree(place.folder, tmp_path / "elsewhere" / "tickets"))
    mine, place.folder = place.folder, other
    try:
        assert place.run().again == NONE
    finally:
        place.folder = mine


def test_files_that_nobody_names_run_nothing(place: Place) -> None:
    (place.folder / "notes.md").write_text("# Ideas\n")
    (place.folder / "explore.ipynb").write_text("{}")
    (place.folder / "old.sql").write_text("select 1")
    (place.folder / "scripts").mkdir()
    (place.folder / "scripts" / "clean.py").write_text("print('clean')\n")
    check(place, NONE)


def test_the_hint_of_a_folder_on_the_path_runs_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a notebook beside ``usecase.yaml`` its modules can be imported; from elsewhere they cannot."""
    monkeypatch.chdir(place.folder)
    monkeypatch.syspath_prepend(str(place.folder))
    versions_module._versions.cache_clear()
    try:
        check(place, NONE)
    finally:
        versions_module._versions.cache_clear()


# --- the use case changed ---


def test_another_search_space_runs_train_and_later_and_only_its_own_trials(place: Place) -> None:
    before = models(place, place.stage_run("train"))
    told, ran = edited(place, FROM_TRAIN, "candidates", "logistic", "space", "C", to={"loguniform": [0.1, 5]})
    assert ran.trials == ["logistic", "logistic"]
    assert "candidates.logistic.space.C" in why(told, "train")
    assert "tree: 2 of 2 trials known" in why(told, "train")
    assert "logistic: 0 of 2 trials known" in why(told, "train")
    assert len(before & models(place, place.stage_run("train"))) == 1, "the tree is taken over"


def test_another_candidate_keeps_trials_and_models_of_the_others(place: Place) -> None:
    before = models(place, place.stage_run("train"))
    more = {"estimator": "sklearn.naive_bayes.GaussianNB"}
    told, ran = edited(place, FROM_TRAIN, "candidates", "bayes", to=more)
    assert ran.trials == ["bayes"]
    assert "candidates.bayes" in why(told, "train")
    assert "logistic: 2 of 2 trials known" in why(told, "train")
    after = models(place, place.stage_run("train"))
    kept = {name: place.client.get_logged_model(one).name for one in before for name in [one]}
    searched = {one for one, name in kept.items() if name in {"logistic", "tree"}}
    assert len(searched) == 2
    assert searched <= after
    assert {one["name"] for one in ran.done["train"].facts["fitted"]} > {"logistic", "tree", "bayes"}


def test_a_candidate_less_keeps_the_trials_of_the_others(place: Place) -> None:
    _, ran = edited(place, FROM_TRAIN, "candidates", to={"logistic": LOGISTIC})
    assert ran.trials == []


def test_more_trials_keep_those_that_were_tried(place: Place) -> None:
    _, ran = edited(place, FROM_TRAIN, "tuning", "trials", to=4)
    assert ran.trials == ["logistic", "logistic", "tree", "tree"]
    numbers = sorted(run.info.run_name for run in ran.of_kind("trial"))
    assert numbers == ["logistic-002", "logistic-003", "tree-002", "tree-003"]


def test_edits_of_the_feature_module_run_prepare_and_later(place: Place) -> None:
    place.replace("features.py", "left_over", "time_left")
    told, ran = check(place, FROM_PREPARE | {"design"})
    assert "file features.py" in why(told, "prepare")
    assert len(ran.trials) == 4


def test_edits_of_a_module_that_it_imports_run_prepare_and_later(place: Place) -> None:
    place.replace("clock.py", "3600", "86400")
    told, _ = check(place, FROM_PREPARE | {"design"})
    assert "file clock.py" in why(told, "prepare")


def test_an_edit_taken_back_finds_the_first_result(place: Place) -> None:
    before = place.stage_run("prepare").info.run_id
    place.replace("clock.py", "3600", "86400")
    assert place.run("prepare").again == {"design", "prepare"}
    place.replace("clock.py", "86400", "3600")
    assert place.run("prepare").done["prepare"].run_id == before


def test_prices_run_evaluate_and_validate(place: Place) -> None:
    told, ran = edited(place, frozenset({"evaluate", "validate"}), "value", "true_positive", to=80)
    assert "value.true_positive" in why(told, "evaluate")
    assert ran.trials == []


def test_prices_run_the_search_again_where_trials_are_judged_by_them(place: Place) -> None:
    place.edit(lambda document: document["tuning"].update(metric="value_per_row"))
    assert len(place.run().trials) == 4
    _, ran = edited(place, FROM_TRAIN, "value", "true_positive", to=80)
    assert len(ran.trials) == 4


def test_a_limit_on_the_card_runs_design_and_validate(place: Place) -> None:
    told, _ = edited(place, frozenset({"validate"}), "card", "limits", to=["Only tickets in English."])
    assert "card.limits" in why(told, "validate")


def test_a_criterion_runs_validate_alone(place: Place) -> None:
    to = [{"metric": "roc_auc", "at_least": 0.65}]
    told, _ = edited(place, frozenset({"validate"}), "success", to=to)
    assert "success" in why(told, "validate")


def test_a_slice_runs_evaluate_and_validate(place: Place) -> None:
    edited(place, frozenset({"evaluate", "validate"}), "evaluation", "slices", to=["channel"])


def test_the_seed_runs_all_that_draws(place: Place) -> None:
    edited(place, AFTER_EXTRACT, "seed", to=8)


def test_a_comment_in_the_file_runs_design_alone(place: Place) -> None:
    place.replace("usecase.yaml", "version: 1", "# Ours.\nversion: 1")
    check(place, frozenset({"design"}))


def test_whether_examples_are_shown_runs_all_that_shows_them(place: Place) -> None:
    edited(place, BUT_DESIGN - {"prepare"}, "card", "examples", to=False)


# --- the data changed ---


def test_rows_appended_run_all(place: Place) -> None:
    with (place.folder / "data" / "tickets.csv").open("a") as file:
        file.write("T99999,K001,2024-01-20 00:00:00,2024-01-22 00:00:00,mail,still broken,1\n")
    told, ran = check(place, BUT_DESIGN)
    assert "source tickets" in why(told, "extract")
    assert "extract" in why(told, "train") or "prepare" in why(told, "train")
    assert ran.done["extract"].facts["rows"] == ROWS + 1


def test_rows_in_another_order_run_extract_alone_where_it_puts_them_in_one_of_its_own(place: Place) -> None:
    file = place.folder / "data" / "tickets.csv"
    head, *rows = file.read_text().splitlines()
    file.write_text("\n".join([head, *reversed(rows)]) + "\n")
    check(place, frozenset({"extract"}))


def test_rows_that_the_sql_puts_in_another_order_run_all(place: Place) -> None:
    """Which part a row belongs to is kept by its place."""
    with (place.folder / "extract.sql").open("a") as file:
        file.write("order by t.ticket_id desc\n")
    check(place, ALL)


def test_a_comment_in_the_sql_runs_extract_alone(place: Place) -> None:
    place.replace("extract.sql", "-- One row", "-- Exactly one row")
    told, ran = check(place, frozenset({"design", "extract"}))
    assert "extract.sql" in why(told, "extract")
    assert ran.done["prepare"].reused
    assert {told[stage].status for stage in AFTER_EXTRACT} == {"open"}


def test_a_column_of_another_type_runs_all(place: Place) -> None:
    """The values are the same; the types of later stages' columns are not."""
    place.replace("extract.sql", "c.age", "cast(c.age as double) as age")
    check(place, ALL)


def test_bounds_of_the_call_run_all(place: Place) -> None:
    from datetime import datetime

    told, ran = place.foretold(until=datetime(2024, 1, 25))
    assert ran.again == BUT_DESIGN
    assert "bounds" in why(told, "extract")
    assert place.run().again == NONE


def test_sql_that_asks_for_the_time_is_read_every_time(place: Place) -> None:
    place.replace("extract.sql", "where", "where t.opened < now() and")
    first = place.run()
    assert first.again == {"design", "extract"}, "the rows are the same, so what follows is reused"
    told, second = place.foretold()
    assert second.again == {"extract"}
    assert "now" in why(told, "extract")
    assert "mlops.key" not in place.stage_run("extract").data.tags


# --- the machinery changed ---


def another_version(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """As if a library had been upgraded."""
    honest = versions_module._versions

    def told(name: str) -> tuple[tuple[str, str], ...]:
        found = honest(name)
        return tuple((one, f"{version}.post1") for one, version in found) if name == module else found

    monkeypatch.setattr(versions_module, "_versions", told)


def test_another_scikit_learn_runs_what_it_decides(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "sklearn" not in code_of("extract").libraries
    another_version(monkeypatch, "sklearn")
    told, ran = check(place, ran_with(place, "sklearn"))
    assert ran.again >= FROM_TRAIN
    assert "extract" not in ran.again
    assert "library scikit-learn" in why(told, "train")
    assert len(ran.trials) == 4, "figures of another version are not comparable"


def ran_with(place: Place, module: str) -> frozenset[str]:
    """Stages whose code, or candidates, take a library, and those behind them."""
    own = {stage for stage in ALL if module in code_of(stage).libraries} | {"design"}
    return frozenset(own | FROM_TRAIN | (FROM_PREPARE if "prepare" in own else set()))


def test_another_duckdb_reads_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    another_version(monkeypatch, "duckdb")
    _, ran = place.foretold()
    assert "extract" in ran.again


def test_a_library_that_nothing_takes_runs_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    another_version(monkeypatch, "pytest")
    check(place, NONE)


def test_other_code_of_a_stage_runs_it_and_later(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from mlops_mlflow.lifecycle.cache import keys

    honest = keys.code_of

    def told(stage: str, *, optional: bool = False) -> Any:
        code = honest(stage, optional=optional)
        return replace(code, digest="0" * 64) if stage == "evaluate" else code

    monkeypatch.setattr(keys, "code_of", told)
    forecast, _ = check(place, frozenset({"evaluate", "validate"}))
    assert "code of the stage" in why(forecast, "evaluate")


# --- the champion changed ---


def promote(place: Place, number: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # MLflow on registry stages
        place.client.transition_model_version_stage("tickets", number, "Production")


def test_another_champion_runs_validate(place: Place) -> None:
    promote(place, "1")
    told, ran = check(place, frozenset({"validate"}))
    assert why(told, "validate").startswith("champion: none → version 1")
    assert ran.done["validate"].facts["findings"]


def test_a_champion_with_the_number_of_a_deleted_one_is_another(place: Place) -> None:
    """MLflow gives numbers again once a registered model was deleted."""
    promote(place, "1")
    assert place.run().again == {"validate"}
    place.client.delete_registered_model("tickets")
    other_candidate = {"estimator": LOGISTIC["estimator"], "fixed": {"max_iter": 500, "C": 0.5}}
    place.edit(lambda document: document.update(candidates={"logistic": other_candidate}))
    other = place.run()
    assert other.result is not None
    assert other.result.version is not None
    assert other.result.version.number == "1"
    promote(place, "1")
    shutil.rmtree(place.folder)
    shutil.copytree(place.kept / "usecase", place.folder)
    assert "validate" in place.run().again, "it was compared with a model that is gone"


# --- asked for ---


def test_force_runs_a_stage_and_what_follows_from_it(place: Place) -> None:
    told, ran = check(place, FROM_TRAIN, force=frozenset({"train"}))
    assert "forced" in why(told, "train")
    assert len(ran.trials) == 4, "a forced search tries everything again"


def test_force_of_the_last_stage_runs_it_alone(place: Place) -> None:
    check(place, frozenset({"validate"}), force=frozenset({"validate"}))


def test_force_of_extract_runs_all_that_follows(place: Place) -> None:
    check(place, BUT_DESIGN, force=frozenset({"extract"}))


def test_without_the_cache_everything_runs(place: Place) -> None:
    told, ran = check(place, ALL, cache=False)
    assert "asked for" in why(told, "design")
    assert len(ran.trials) == 4


def test_what_ran_by_force_is_what_later_calls_stand_on(place: Place) -> None:
    ran = place.run(force=frozenset({"train"}))
    assert {stage: one.run_id for stage, one in place.run().done.items()} == {
        stage: one.run_id for stage, one in ran.done.items()
    }


def test_a_stage_asked_for_alone_is_reused(place: Place) -> None:
    ran = place.run("train")
    assert set(ran.done) == {"design", "extract", "prepare", "train"}
    assert ran.again == NONE


# --- what was there is gone ---


def again_with(stage: str) -> frozenset[str]:
    """What runs where the run of a stage is gone; a model that is made again has to be given what validate adds."""
    return frozenset({stage, "validate"} if stage == "evaluate" else {stage})


@pytest.mark.parametrize("stage", sorted(ALL))
def test_a_deleted_run_is_a_miss_that_says_so(place: Place, stage: str) -> None:
    gone = place.stage_run(stage).info.run_id
    place.client.delete_run(gone)
    told, ran = check(place, again_with(stage))
    assert why(told, stage).startswith(f"the run {gone[:8]} was deleted")
    assert f"{stage} runs again: the run {gone[:8]} was deleted" in ran.said


@pytest.mark.parametrize(
    ("stage", "path"),
    [
        ("extract", "dataset.parquet"),
        ("explore", "profile.json"),
        ("prepare", "parts.parquet"),
        ("train", "leaderboard.csv"),
        ("evaluate", "predictions.parquet"),
        ("validate", "predictions.parquet"),
        ("design", "card.html"),
        ("prepare", "result.json"),
    ],
)
def test_a_deleted_artifact_is_a_miss_that_says_so(place: Place, stage: str, path: str) -> None:
    run = place.stage_run(stage)
    (place.artifacts(run) / path).unlink()
    told, ran = check(place, again_with(stage))
    assert why(told, stage).startswith(f"{path} of the run {run.info.run_id[:8]} is gone")
    assert any(line.startswith(f"{stage} runs again: {path}") for line in ran.said)


@pytest.mark.parametrize(
    ("stage", "path"),
    [
        ("extract", "dataset.parquet"),
        ("prepare", "parts.parquet"),
        ("validate", "verdict.json"),
        ("train", "result.json"),
    ],
)
def test_a_changed_artifact_is_a_miss_that_says_so(place: Place, stage: str, path: str) -> None:
    run = place.stage_run(stage)
    file = place.artifacts(run) / path
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1  # the size stays
    file.write_bytes(bytes(content))
    told, _ = check(place, frozenset({stage}))
    assert path in why(told, stage)
    assert "changed" in why(told, stage) or "not what was written" in why(told, stage)


def chosen(place: Place) -> tuple[str, Path]:
    """Id and folder of the model that evaluate logged."""
    (model,) = models(place, place.stage_run("evaluate"))
    found = place.client.get_logged_model(model)
    return model, Path(found.artifact_location.removeprefix("file://"))


def test_a_deleted_chosen_model_is_a_miss_that_says_so_and_another_is_registered(place: Place) -> None:
    gone, _ = chosen(place)
    place.client.delete_logged_model(gone)
    told, ran = check(place, again_with("evaluate"))
    assert "was deleted" in why(told, "evaluate")
    assert any("evaluate runs again" in line and "was deleted" in line for line in ran.said)
    assert ran.result is not None
    assert ran.result.version is not None
    assert gone not in ran.result.version.source
    assert (chosen(place)[1] / "reference_performance.json").is_file()
    assert (chosen(place)[1] / "model_card.html").is_file()


@pytest.mark.parametrize("how", ["gone", "changed"])
def test_a_chosen_model_whose_files_are_not_what_was_written_is_a_miss(place: Place, how: str) -> None:
    _, folder = chosen(place)
    file = folder / "MLmodel"
    if how == "gone":
        shutil.rmtree(folder)
    else:
        file.write_text(file.read_text() + "\n# changed\n")
    _, ran = check(place, again_with("evaluate"))
    assert any("evaluate runs again" in line for line in ran.said)


def trained(place: Place, name: str) -> str:
    """Id of the model that train logged under a name."""
    run = place.stage_run("train")
    return next(one for one in models(place, run) if place.client.get_logged_model(one).name == name)


def test_a_deleted_model_of_a_candidate_is_fitted_again_where_it_is_needed(place: Place) -> None:
    place.client.delete_logged_model(trained(place, "tree"))
    shutil.rmtree(next(place.root.rglob(trained_folder(place, "tree"))))
    place.edit(lambda document: document["evaluation"].update(slices=["channel"]))
    ran = place.run()
    assert {"evaluate", "validate"} <= ran.again
    assert any("train runs again" in line for line in ran.said)
    assert ran.trials == [], "finished trials are kept"
    assert place.run().again == NONE


def trained_folder(place: Place, name: str) -> str:
    """Name of the folder of a model, deleted or not."""
    import json

    run = place.stage_run("train")
    result = json.loads((place.artifacts(run) / "result.json").read_text())
    return str(result["models"][name]["model_id"])


def test_a_model_whose_files_changed_is_never_loaded(place: Place) -> None:
    folder = next(place.root.rglob(trained_folder(place, "logistic")))
    (file,) = folder.rglob("*.skops")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    place.edit(lambda document: document["evaluation"].update(slices=["channel"]))
    ran = place.run()
    assert any("train runs again" in line and "logistic" in line for line in ran.said)
    assert ran.result is not None
    assert ran.result.verdict == "passed"


def test_everything_gone_from_the_disk_runs_everything(place: Place) -> None:
    shutil.rmtree(place.root / "artifacts")
    (place.root / "artifacts").mkdir()
    check(place, ALL)


def test_a_run_that_did_not_finish_is_no_hit(place: Place) -> None:
    run = place.stage_run("validate").info.run_id
    place.client.update_run(run, status="FAILED")
    check(place, frozenset({"validate"}))


# --- what changed while it worked ---


def test_features_edited_while_an_earlier_stage_works_are_not_kept_as_what_they_were(place: Place) -> None:
    place.replace("extract.sql", "-- One row", "-- Each row")
    place.replace("features.py", "left_over", "second")
    second = (place.folder / "features.py").read_text()

    def edit(stage: str) -> None:
        if stage == "extract":
            place.replace("features.py", "second", "third")

    place.run("prepare", at=edit)
    (place.folder / "features.py").write_text(second)
    ran = place.run("prepare")
    assert "second" in str(ran.done["prepare"].facts["features"])
    assert "third" not in str(ran.done["prepare"].facts["features"])


def test_features_edited_between_the_stages_of_a_notebook_are_not_kept_as_what_they_were(place: Place) -> None:
    from mlops_mlflow.lifecycle.execute import run_stages

    place.replace("features.py", "left_over", "second")
    with place.session() as session, session.working():
        run_stages(session, "extract")
        place.replace("features.py", "second", "third")
        run_stages(session, "prepare")
    place.replace("features.py", "third", "second")
    assert "third" not in str(place.run("prepare").done["prepare"].facts["features"])


def test_a_dataset_that_had_to_be_made_again_of_other_rows_is_not_kept_as_the_one_before(place: Place) -> None:
    """In a notebook hours may lie between the two."""
    from mlops_mlflow.lifecycle.execute import run_stages

    file = place.folder / "data" / "tickets.csv"
    before = file.read_text()
    place.replace("features.py", "left_over", "second")
    with place.session() as session, session.working():
        run_stages(session, "extract")
        assert session.done["extract"].reused
        (place.artifacts(place.stage_run("extract")) / "dataset.parquet").unlink()
        file.write_text(before + "T99999,K001,2024-01-20 00:00:00,2024-01-22 00:00:00,mail,broken,1\n")
        run_stages(session, "prepare")
    file.write_text(before)
    ran = place.run("prepare")
    assert ran.done["extract"].facts["rows"] == ROWS
    parts = pq.read_table(place.artifacts(place.client.get_run(ran.done["prepare"].run_id)) / "parts.parquet")
    assert parts.num_rows == ROWS


def test_files_edited_while_design_begins_are_not_kept_as_those_before(place: Place) -> None:
    place.replace("features.py", "left_over", "second")
    second = (place.folder / "features.py").read_text()

    def edit(stage: str) -> None:
        if stage == "design":
            place.replace("features.py", "second", "third")

    place.run("design", at=edit)
    (place.folder / "features.py").write_text(second)
    ran = place.run("design")
    kept = place.artifacts(place.client.get_run(ran.done["design"].run_id)).rglob("*")
    texts = [file.read_text() for file in kept if file.is_file()]
    assert any("second" in text for text in texts)
    assert not any("third" in text for text in texts)


def test_rows_appended_while_extract_begins_are_not_kept_as_those_before(place: Place) -> None:
    file = place.folder / "data" / "tickets.csv"
    before = file.read_text()
    place.replace("extract.sql", "-- One row", "-- Each row")

    def append(stage: str) -> None:
        if stage == "extract":
            file.write_text(before + "T99999,K001,2024-01-20 00:00:00,2024-01-22 00:00:00,mail,broken,1\n")

    assert place.run("extract", at=append).done["extract"].facts["rows"] == ROWS + 1
    file.write_text(before)
    assert place.run("extract").done["extract"].facts["rows"] == ROWS


def test_a_champion_promoted_while_validate_works_is_not_kept_as_the_one_before(place: Place) -> None:
    """What was compared with nobody must not stand for a comparison with version 1."""
    promoted: list[str] = []

    def act(stage: str) -> None:
        if stage == "validate works" and not promoted:
            promoted.append(stage)
            promote(place, "1")

    place.run(at=act, force=frozenset({"validate"}))
    assert promoted
    assert "validate" in place.run().again


# --- a search that was cut ---


def test_a_search_that_was_cut_is_no_hit_and_goes_on(place: Place) -> None:
    place.edit(lambda document: document["tuning"].update(trials=30, timeout="PT0.1S"))
    place.edit(lambda document: document["candidates"].pop("tree"))
    tried = 2 + len(place.run("train").trials)
    tags = place.stage_run("train").data.tags
    assert tags["mlops.truncated"] == "logistic"
    assert "mlops.key" not in tags
    told, ran = place.foretold("train")
    assert ran.again == {"train"}
    assert "cut by the time guard" in why(told, "train")
    assert f"logistic: {tried} of 30 trials known" in why(told, "train")
    tried += len(ran.trials)
    assert tried < 30
    place.edit(lambda document: document["tuning"].pop("timeout"))
    told, ran = check_train(place)
    assert f"logistic: {tried} of 30 trials known" in why(told, "train")
    assert len(ran.trials) == 30 - tried, "none is tried twice, and in the end all were"


def check_train(place: Place) -> tuple[dict[str, Forecast], Ran]:
    told, ran = place.foretold("train")
    assert place.run("train").again == NONE
    return told, ran


def test_what_follows_from_a_cut_search_is_never_a_hit(place: Place) -> None:
    place.edit(lambda document: document["tuning"].update(trials=30, timeout="PT0.1S"))
    assert place.run("evaluate").again == {"design", "train", "evaluate"}
    assert place.run("evaluate").again == {"train", "evaluate"}


# --- people ---


def test_results_of_others_are_told_apart_by_use_case(place: Place, migrated_store: Path, tmp_path: Path) -> None:
    """Another use case of the same content has runs of its own."""
    copy = Path(shutil.copytree(place.folder, tmp_path / "letters"))
    other = Place(tmp_path / "store", copy, migrated_store)
    other.edit(lambda document: document.update(use_case="letters"))
    ran = other.run("extract")
    assert ran.again == {"design", "extract"}
