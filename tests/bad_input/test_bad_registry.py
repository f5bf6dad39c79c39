"""A registry that refuses leaves nothing half-registered."""

from __future__ import annotations

from typing import Any

import pytest
from mlflow.exceptions import RestException
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore


def refusing(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RestException({"error_code": "PERMISSION_DENIED", "message": "versions are frozen"})

    monkeypatch.setattr(SqlAlchemyStore, method, refuse)


@pytest.mark.parametrize(
    "method",
    [
        "create_model_version",
        "transition_model_version_stage",
        "set_registered_model_alias",
    ],
)
def test_whatever_the_registry_refuses_is_taken_back(
    use_case: Any, shell: Any, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    refusing(monkeypatch, method)

    ended = shell("run", "uc")

    assert ended.code == 2, ended.err
    assert ended.err.count("error: ") == 1
    assert "PERMISSION_DENIED: versions are frozen" in ended.message
    assert "Traceback" not in ended.err
    assert shell.registered() == 0
    assert set(shell.statuses().values()) == {"FINISHED"}
    (lifecycle,) = shell.runs("lifecycle")
    assert lifecycle.info.status == "FAILED"
    assert "versions are frozen" in lifecycle.data.tags["mlops.error"]


def test_a_version_in_staging_stays_there_when_its_successor_is_refused(
    use_case: Any, shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shell("run", "uc").code == 0
    refusing(monkeypatch, "set_registered_model_alias")

    use_case.save(seed=8)  # otherwise the result would be the same, and have its version
    assert shell("run", "uc").code == 2
    monkeypatch.undo()

    (version,) = shell.client.search_model_versions("name = 'tiny'")
    assert (str(version.version), version.current_stage) == ("1", "Staging")
    assert shell.client.get_model_version_by_alias("tiny", "challenger").version == version.version
