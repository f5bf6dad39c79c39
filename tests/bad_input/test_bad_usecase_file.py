"""What is wrong in usecase.yaml is told with its line, before any run is begun."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


def test_an_unknown_key_is_told_with_what_was_meant(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.save(tunning={"trials": 2})

    refuse(None, "uc/usecase.yaml:", "`tunning`", "did you mean `tuning`?")


def test_an_unknown_metric_is_told_with_what_was_meant(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.save(success=[{"metric": "roc_au", "at_least": 0.5}])

    refuse(None, "uc/usecase.yaml:", "`roc_au` is not a metric", "did you mean `roc_auc`?")


def test_a_bound_in_the_wrong_direction_is_refused(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.save(success=[{"metric": "roc_auc", "at_most": 0.5}])

    refuse(None, "uc/usecase.yaml:", "higher", "`at_least`")


def test_what_is_not_yaml_is_told_with_line_and_column(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.text("usecase.yaml", "version: 1\nuse_case: a: b\n")

    refuse(None, "uc/usecase.yaml:2:", "not YAML")


@pytest.mark.parametrize("command", [("run", "uc"), ("check", "uc"), ("run", "uc", "--stage", "train")])
def test_a_folder_without_a_use_case_is_told_by_every_command(
    use_case: Any, refuse: Callable[..., Any], command: tuple[str, ...]
) -> None:
    (use_case.path / "usecase.yaml").unlink()

    refuse(None, "there is no use case at uc", "a folder that holds usecase.yaml", command=command)


def test_no_candidate_at_all_is_refused(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.save(candidates={})

    refuse(None, "`candidates`", "at least one")


@pytest.mark.parametrize("name", ["features.py", "../features.py"])
def test_a_feature_module_that_is_not_in_the_folder_is_refused(
    use_case: Any, refuse: Callable[..., Any], name: str
) -> None:
    use_case.save(features={"module": name})

    refuse(None, "features")


def test_sql_outside_the_folder_is_refused(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.save(extract="../x.sql")

    refuse(None, "../x.sql lies outside the folder")


def test_an_option_that_does_not_exist_is_told_by_click(shell: Any) -> None:
    ended = shell("run", "uc", "--stages", "train")

    assert ended.code == 2
    assert "No such option" in ended.err
    assert "Traceback" not in ended.err
