"""``mlops row`` with what it cannot answer: one clear message each, nothing recorded, nothing shown that may not be."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest


def state(shell: Any) -> tuple[int, int, int]:
    """What a command that only reads leaves as it is."""
    experiments = shell.client.search_experiments()
    runs = shell.client.search_runs([one.experiment_id for one in experiments])
    models = shell.client.search_logged_models([one.experiment_id for one in experiments])
    return len(experiments), len(runs), len(models)


def refused(shell: Any, *words: str, says: tuple[str, ...]) -> Any:
    before = state(shell)
    ended = shell("row", "uc", *words)
    assert ended.code == 2, (words, ended.out, ended.err)
    assert ended.err.count("error: ") == 1
    assert "Traceback" not in ended.err
    assert not ended.out
    for part in says:
        assert part in ended.message, words
    assert state(shell) == before
    return ended


def test_before_anything_has_run_there_is_nothing_to_show(shell: Any, use_case: Any) -> None:
    refused(shell, "C0001", says=("nothing of tiny has run here", "no experiment `tiny`"))


def test_no_database_is_made_in_a_wrong_folder(
    shell: Any, use_case: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/elsewhere.db")
    ended = shell("row", "uc", "C0001")
    assert ended.code == 2
    assert f"there is no sqlite:///{tmp_path}/elsewhere.db" in ended.message
    assert not (tmp_path / "elsewhere.db").exists()


def test_a_lifecycle_that_stopped_before_the_model_does_not_count(shell: Any, use_case: Any) -> None:
    assert shell("run", "uc", "--stage", "prepare").code == 0
    refused(shell, "C0001", says=("no lifecycle of tiny has come as far as a model",))
    (lifecycle,) = shell.runs("lifecycle")
    refused(
        shell,
        "C0001",
        "--run",
        lifecycle.info.run_id,
        says=("did not come as far as a model", "none of evaluate"),
    )


def test_every_wrong_question_has_one_clear_answer(shell: Any, use_case: Any, tmp_path: Path) -> None:
    use_case.column("minutes", lambda row, value: -5 if row == 3 else value)
    use_case.save(contract={"columns": {"id": {"unique": True}, "minutes": {"min": 0}}})
    assert shell("run", "uc").code == 0
    (lifecycle,) = shell.runs("lifecycle")
    tags = {"mlops.kind": "lifecycle", "mlops.use_case": "others"}
    other = shell.client.create_run(lifecycle.info.experiment_id, tags=tags, run_name="others: main").info.run_id
    stage = shell.runs("stage")[0].info.run_id
    unfinished = {"mlops.kind": "lifecycle", "mlops.use_case": "tiny", "mlops.run.evaluate": stage}
    shell.client.create_run(lifecycle.info.experiment_id, tags=unfinished)
    assert f"of the lifecycle {lifecycle.info.run_id[:8]} " in shell("row", "uc", "C0004").out, (
        "the newest that finished"
    )
    refused(shell, "C9999", says=("no row has the id 'C9999'", "such as C0", "never gets this far"))
    refused(shell, "nothing like it", says=("no row has the id 'nothing like it'", "a value of `id`\n"))
    refused(shell, "C0003", says=("was set aside", "minutes: min 0", "minutes = -5", "quarantine.parquet"))
    refused(shell, "C0004", "--number", "2", says=("1 of the rows have the id", "from 1 to 1"))
    refused(shell, "C0004", "--version", "9", says=("tiny has no version 9", "a registered version: 1"))
    shell.client.create_model_version("tiny", str(tmp_path))
    refused(shell, "C0004", "--version", "2", says=("version 2 of tiny was not made by a lifecycle",))
    refused(shell, "C0004", "--run", "abc", says=("could not read the run abc",))
    refused(shell, "C0004", "--run", stage, says=("is not a lifecycle of tiny", "stage of tiny"))
    refused(shell, "C0004", "--run", other, says=("is not a lifecycle of tiny", "lifecycle of others: others: main"))
    for words in (("--number", "0"), ("--version", "x"), ("--run", "a", "--version", "1"), ("--html", ".")):
        ended = shell("row", "uc", "C0004", *words)
        assert (ended.code, ended.out) == (2, "")
        assert "Error: " in ended.err
    assert shell("row", "uc").code == 2
    assert shell("row", "nowhere", "C0004").code == 2


def test_a_model_that_was_not_registered_is_shown_as_such(shell: Any, use_case: Any) -> None:
    use_case.save(success=[{"metric": "roc_auc", "at_least": 1.5}])
    assert shell("run", "uc").code == 1
    assert "logistic, not registered, of the lifecycle" in shell("row", "uc", "C0004").out
    refused(shell, "C0004", "--version", "1", says=("tiny has no version 1", "no version is registered"))


def test_a_word_where_keys_are_numbers_is_told_of(shell: Any, use_case: Any) -> None:
    use_case.column("id", lambda row, value: 100 + row)
    assert shell("run", "uc").code == 0
    refused(shell, "C0004", says=("'C0004' cannot be a value of the key `id`", "whole numbers (BIGINT)"))
    refused(shell, "100.5", says=("'100.5' cannot be a value of the key `id`",))
    assert "row 4 of 300" in shell("row", "uc", "104").out


def files_of(uri: str) -> Path:
    return Path(urlparse(uri).path)


def test_what_the_runs_left_may_be_gone(shell: Any, use_case: Any) -> None:
    assert shell("run", "uc").code == 0
    assert "churned: predicted" in shell("row", "uc", "C0004").out
    (lifecycle,) = shell.runs("lifecycle")
    model = shell.client.get_logged_model(lifecycle.outputs.model_outputs[0].model_id)
    shutil.rmtree(files_of(model.artifact_location))
    refused(shell, "C0004", says=("could not load the model logistic",))
    tags = lifecycle.data.tags
    extract, design = (shell.client.get_run(tags[f"mlops.run.{name}"]) for name in ("extract", "design"))
    shutil.rmtree(files_of(extract.info.artifact_uri))
    refused(shell, "C0004", says=("could not read dataset.parquet, which extract left",))
    shutil.rmtree(files_of(design.info.artifact_uri))
    refused(shell, "C0004", says=("could not read use_case/usecase.yaml, which design left",))


def test_rows_are_not_shown_where_examples_are_switched_off(shell: Any, use_case: Any, tmp_path: Path) -> None:
    use_case.save(card={"intended_use": "Tests.", "examples": False})
    assert shell("run", "uc").code == 0
    says = ("values of single rows may not be shown", "card: {examples: false}")
    for key in ("C0004", "C9999"):
        ended = refused(shell, key, "--html", "card.html", says=says)
        assert "C000" not in ended.err.replace(key, "")
    assert not (tmp_path / "card.html").exists()
    use_case.save(card={"intended_use": "Tests."})  # not even after a change of mind: that was of then
    refused(shell, "C0004", says=(*says, "the use case of the run"))


def test_who_switches_examples_off_later_is_heard_at_once(shell: Any, use_case: Any) -> None:
    assert shell("run", "uc").code == 0
    use_case.save(card={"intended_use": "Tests.", "examples": False})
    refused(shell, "C0004", says=("values of single rows may not be shown", "usecase.yaml"))


def test_a_card_that_cannot_be_written_is_told_of(shell: Any, use_case: Any, tmp_path: Path) -> None:
    assert shell("run", "uc").code == 0
    (tmp_path / "file").write_text("")
    ended = shell("row", "uc", "C0004", "--html", "file/card.html")
    assert ended.code == 2
    assert "the card could not be written" in ended.message
    assert "churned: predicted" in ended.out, "the answer itself is there"
