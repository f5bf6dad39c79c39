"""Secrets in messages, days of a zone, outcomes of another spelling, one registration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import use_cases
from builders import spec
from mlflow.exceptions import MlflowException

from mlops_mlflow.core.errors import DataError, TrackingError, UseCaseError
from mlops_mlflow.learning.predict import in_order
from mlops_mlflow.learning.problem import blocks
from mlops_mlflow.learning.target import Outcomes
from mlops_mlflow.lifecycle.usecase import UseCase
from mlops_mlflow.tracking.errors import translated, without_password


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("postgresql://ann:p@ss@db/shop", "postgresql://ann@db/shop"),
        ("postgresql://ann@db/shop?password=s3cret&x=1", "postgresql://ann@db/shop?password=***&x=1"),
        ("GET http://ann:s3cret@h/x failed for me@example.com", "GET http://ann@h/x failed for me@example.com"),
    ],
)
def test_secrets_are_taken_out_of_texts(uri: str, shown: str) -> None:
    assert without_password(uri) == shown


def test_what_mlflow_says_is_told_without_the_password() -> None:
    with pytest.raises(TrackingError) as caught, translated("ask", uri="http://ann@h"):
        raise MlflowException("API request to http://ann:s3cret@h/api failed")
    assert "s3cret" not in str(caught.value)


def test_days_are_those_of_the_declared_zone() -> None:
    times = pd.date_range("2024-01-01 23:30", periods=10, freq="D", tz="UTC")
    late = times.append(times + pd.Timedelta(hours=1))  # in Berlin both are of one day, in UTC of two
    case = spec(event_time={"column": "t", "zone": "Europe/Berlin"})
    numbers, what = blocks(case, pd.DataFrame({"t": late}))
    assert what == "day"
    np.testing.assert_array_equal(numbers[:10], numbers[10:])


def test_a_model_that_spells_its_outcomes_otherwise_is_refused() -> None:
    with pytest.raises(DataError, match="none of the outcomes"):
        in_order([[0.4, 0.6]], np.array(["0", "1"]), Outcomes("binary", (0, 1)))


def test_a_version_is_registered_once(tmp_path: Path) -> None:
    folder = use_cases.breast_cancer(tmp_path, candidates={"logistic": use_cases.LOGISTIC})
    with UseCase(folder, tracking_uri=f"sqlite:///{tmp_path}/mlflow.db") as case:
        assert case.run() is case.run()


def test_run_after_single_stages_does_what_has_not_been_done(tmp_path: Path, tracking_uri: str) -> None:
    with UseCase(use_cases.breast_cancer(tmp_path), tracking_uri=tracking_uri) as case:
        case.validate()
        result = case.run()
    assert (result.verdict, result.version and result.version.registry_stage) == ("passed", "Staging")


def test_a_closed_use_case_says_so(tmp_path: Path, tracking_uri: str) -> None:
    with UseCase(use_cases.breast_cancer(tmp_path), tracking_uri=tracking_uri) as case:
        pass
    with pytest.raises(UseCaseError, match="was closed"):
        case.design()


def test_an_approval_before_staging_keeps_a_version_out_of_it(tmp_path: Path, tracking_uri: str) -> None:
    needed = [{"approval": "works council", "subject": "use on queues", "before": "Staging"}]
    with UseCase(use_cases.breast_cancer(tmp_path, requirements=needed), tracking_uri=tracking_uri) as case:
        result = case.run()
    assert result.verdict == "passed"
    assert result.version is not None
    assert result.version.registry_stage == "None"
