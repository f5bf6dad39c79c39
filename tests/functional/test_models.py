"""A registered version serves where this project is not installed, and beside other versions of itself."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import use_cases
from lifecycles import newest, store_of, tracking, versions
from processes import mlops, run

OTHER_FEATURES = use_cases.TICKETS_FEATURES.replace("/ 3600", "/ -60").replace("hours_left", "minutes_over")


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with two versions of one use case that differ in ``features.py``."""
    folder = tmp_path_factory.mktemp("versions")
    mlops("run", use_cases.tickets(folder), cwd=folder)
    mlops("run", use_cases.tickets(folder, features=OTHER_FEATURES), cwd=folder)
    assert [str(version.version) for version in versions(store_of(folder), "tickets")] == ["1", "2"]
    return store_of(folder)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """New tickets, as extract.sql would give them."""
    tickets, customers = use_cases.ticket_tables(300)
    joined = tickets.merge(customers, on="customer_id")
    return joined[["opened", "due", "channel", "words", "plan", "age"]].tail(50).reset_index(drop=True)


def test_two_versions_in_one_process_compute_their_own_features(two_versions: str, rows: pd.DataFrame) -> None:
    with tracking(two_versions):
        models = [mlflow.pyfunc.load_model(f"models:/tickets/{number}") for number in (1, 2)]
        first, second = [model.get_raw_model() for model in models]
    first, second = (getattr(model, "estimator_", model) for model in (first, second))
    assert "hours_left" in first[0][0].transform(rows)
    assert "minutes_over" in second[0][0].transform(rows)
    assert "minutes_over" not in first[0][0].transform(rows)
    scores = [model.predict_proba(rows)[:, 1] for model in (first, second)]
    assert np.isfinite(scores).all()


ELSEWHERE = """
import importlib.util, json, sys
import pandas as pd
import mlflow.pyfunc, mlflow.sklearn

assert importlib.util.find_spec("mlops_mlflow") is None
rows = pd.read_json(sys.argv[2], orient="table")
plain = mlflow.pyfunc.load_model(sys.argv[1])
model = mlflow.sklearn.load_model(sys.argv[1])
print(json.dumps({
    "pyfunc": plain.predict(rows).tolist(),
    "sklearn": model.predict(rows).tolist(),
    "scores": model.predict_proba(rows)[:, 1].tolist(),
}))
"""


@pytest.mark.slow
def test_a_version_serves_in_a_fresh_environment_without_this_project(
    two_versions: str, rows: pd.DataFrame, tmp_path: Path
) -> None:
    with tracking(two_versions):
        model = Path(mlflow.artifacts.download_artifacts("models:/tickets/1", dst_path=str(tmp_path / "model")))
        expected = mlflow.sklearn.load_model(str(model))
    requirements = (model / "requirements.txt").read_text()
    assert "mlops" not in requirements
    assert all("==" in line for line in requirements.split()), "pinned"
    python = tmp_path / "venv" / "bin" / "python"
    run("uv", "venv", "--quiet", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    run(*("uv", "pip", "install", "--quiet", "--python", python), "-r", model / "requirements.txt", cwd=tmp_path)
    rows.to_json(tmp_path / "rows.json", orient="table")
    read = pd.read_json(tmp_path / "rows.json", orient="table")
    (tmp_path / "elsewhere.py").write_text(ELSEWHERE)
    ended = run(python, "-W", "ignore", "elsewhere.py", model, "rows.json", cwd=tmp_path)
    told = json.loads(ended.out.splitlines()[-1])
    assert told["pyfunc"] == told["sklearn"] == expected.predict(read).tolist()
    assert told["scores"] == pytest.approx(expected.predict_proba(read)[:, 1].tolist(), abs=1e-9)
    assert len(set(told["sklearn"])) == 2, "both outcomes, so that equal answers say something"
    assert newest(two_versions, "tickets").run.data.tags["mlops.version"] == "2"
