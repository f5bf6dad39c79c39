"""``mlops compare`` with what it cannot compare: one clear message each, or figures and the reason why no more."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CARD = "comparison.html"


def refused(shell: Any, *words: str, says: tuple[str, ...]) -> None:
    before = len(shell.runs("lifecycle")), len(shell.runs("stage"))
    ended = shell("compare", "uc", *words)
    assert ended.code == 2, (words, ended.out, ended.err)
    assert ended.err.count("error: ") == 1
    assert "Traceback" not in ended.err
    assert "Warning" not in ended.err
    assert not ended.out
    for part in says:
        assert part in ended.message, words
    assert not os.path.exists(CARD)
    assert (len(shell.runs("lifecycle")), len(shell.runs("stage"))) == before


@pytest.fixture
def run(shell: Any, use_case: Any) -> Callable[..., Any]:
    """Runs the use case with some of its sections replaced; the run of its lifecycle."""

    def run(**changed: Any) -> Any:
        use_case.save(**changed)
        assert shell("run", "uc").code == 0
        return shell.runs("lifecycle")[-1]

    return run


def files(shell: Any, lifecycle: Any, stage: str) -> Path:
    """Folder of a stage's artifacts."""
    of = shell.client.get_run(lifecycle.data.tags[f"mlops.run.{stage}"])
    return Path(of.info.artifact_uri.removeprefix("file://"))


def shifted(seed: int) -> dict[str, Any]:
    """Another model on the same rows."""
    tree = {"estimator": "sklearn.tree.DecisionTreeClassifier", "fixed": {"max_depth": seed}}
    return {"candidates": {"tree": tree}}


def test_before_anything_has_run_there_is_nothing_to_compare(shell: Any, use_case: Any) -> None:
    refused(shell, says=("nothing of tiny", "run it first"))
    assert not shell.client.get_experiment_by_name("tiny"), "nothing was made"


def test_what_names_no_run_is_refused(shell: Any, run: Callable[..., Any]) -> None:
    lifecycle = run()
    good = lifecycle.info.run_id
    refused(shell, good, "deadbeef", says=("no run begins with deadbeef", "enough of its first digits"))
    refused(shell, good, "0" * 32, says=("could not read the run", "RESOURCE_DOES_NOT_EXIST"))
    refused(shell, good, "logistic", says=("`logistic` names no run", "version:N"))
    refused(shell, good, "version:7", says=("tiny has no version 7", "one of: 1"))
    refused(shell, good, good[:9], says=("are the same model",))
    refused(shell, good, lifecycle.data.tags["mlops.run.prepare"], says=("cannot be compared", "a stage of prepare"))


def test_a_run_of_another_use_case_is_refused(shell: Any, run: Callable[..., Any]) -> None:
    first = run()
    other = run(use_case="other")
    refused(shell, other.info.run_id, first.info.run_id, says=("is not one of other", "the use case tiny"))


def test_a_failed_and_a_killed_run_are_refused_with_the_reason(
    shell: Any, use_case: Any, run: Callable[..., Any]
) -> None:
    good = run()
    use_case.save(target={"column": "nobody"})
    assert shell("run", "uc").code == 2
    failed = shell.runs("lifecycle")[-1]
    refused(shell, failed.info.run_id, good.info.run_id, says=("did not finish", "FAILED: ", "nobody"))
    shell.client.set_terminated(failed.info.run_id, "KILLED")
    refused(shell, failed.info.run_id, says=("did not finish", "KILLED"))


def test_a_lifecycle_that_stopped_before_a_choice_is_refused(shell: Any, use_case: Any) -> None:
    assert shell("run", "uc", "--stage", "train").code == 0
    (stopped,) = shell.runs("lifecycle")
    refused(shell, stopped.info.run_id, says=("chose no model", "asked for train"))
    refused(shell, says=("there is nothing to compare",))


def test_a_page_that_cannot_be_written_is_refused(shell: Any, run: Callable[..., Any]) -> None:
    run()
    Path("folder").mkdir()
    ended = shell("compare", "uc", "--html", "folder")
    assert ended.code == 2
    assert "is a directory" in ended.err
    Path("file").write_text("")
    ended = shell("compare", "uc", "--html", "file/page.html")
    assert ended.code == 2
    assert ended.err.count("error: ") == 1
    assert "could not be written" in ended.message


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (lambda folder: (folder / "predictions.parquet").unlink(), "kept no predictions"),
        (shutil.rmtree, "are gone"),
        (lambda folder: (folder / "predictions.parquet").write_bytes(b"broken"), "does not hold predictions"),
    ],
)
def test_without_predictions_there_are_figures_and_the_reason(
    shell: Any, run: Callable[..., Any], breaks: Callable[[Path], None], says: str
) -> None:
    old, new = run(), run(**shifted(2))
    breaks(files(shell, old, "validate"))
    ended = shell("compare", "uc", new.info.run_id, old.info.run_id)
    assert ended.code == 0, ended.err
    assert "These are validation rows: of test rows, the predictions are not there" in ended.out
    assert says in ended.out

    breaks(files(shell, old, "evaluate"))
    ended = shell("compare", "uc", new.info.run_id, old.info.run_id)
    assert ended.code == 0, ended.err
    assert "how surely is not known" in ended.out, "the rows are the same, as their digest says"
    assert says in ended.out
    assert "roc_auc" in ended.out
    assert Path(CARD).exists()


def test_without_the_dataset_there_are_figures_but_no_intervals(shell: Any, run: Callable[..., Any]) -> None:
    old, new = run(), run(**shifted(2))
    shutil.rmtree(files(shell, new, "extract"))
    ended = shell("compare", "uc", new.info.run_id, old.info.run_id)
    assert ended.code == 0, ended.err
    assert "the dataset is gone" in ended.out


def test_data_of_nothing_but_features_has_intervals_too(shell: Any, run: Callable[..., Any]) -> None:
    old, new = run(entity_key=None, features={}), run(**shifted(2))
    ended = shell("compare", "uc", new.info.run_id, old.info.run_id)
    assert ended.code == 0, ended.err
    assert "95 % interval" in ended.out
    assert "drawing single rows" in Path(CARD).read_text()


def test_runs_of_early_versions_are_compared_by_what_they_hold(shell: Any, run: Callable[..., Any]) -> None:
    old, new = run(), run(**shifted(2))
    for name in [name for name in old.data.tags if name.startswith("mlops.run.")]:
        shell.client.delete_tag(old.info.run_id, name)
    ended = shell("compare", "uc", new.info.run_id, old.info.run_id)
    assert ended.code == 0, ended.err
    assert "it ran before predictions were kept" in ended.out
    assert "the settings of logistic" in ended.out


def test_other_rows_give_figures_without_a_difference(shell: Any, run: Callable[..., Any]) -> None:
    old, new = run(), run(seed=8)
    ended = shell("compare", "uc", new.info.run_id, old.info.run_id)
    assert ended.code == 0, ended.err
    answer = ended.out.strip().splitlines()[0]
    assert "no difference can be told, as they were judged on different test rows" in answer
    assert "difference" not in "".join(ended.out.strip().splitlines()[2:6])
