"""An MLflow server whose registry store has the policy inside, and `mlops` on another machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mlflow
import pytest
import use_cases
from lifecycles import client, versions
from mlflow.exceptions import MlflowException
from mlflow_server import running_server
from processes import Ended, mlops

NAME = "wine"
SAYS = "has the policy in its registry store, and its ledger is in the server's database"


@dataclass(frozen=True)
class Place:
    """A server under a policy, its database, and somebody's folder."""

    uri: str
    database: str
    folder: Path

    def over_the_network(self, *words: str | Path, code: int) -> Ended:
        return mlops(*words, cwd=self.folder, code=code, MLFLOW_TRACKING_URI=self.uri)

    def by_the_database(self, person: str, *words: str | Path, code: int = 0) -> Ended:
        addresses = {"MLFLOW_TRACKING_URI": self.uri, "MLFLOW_REGISTRY_URI": self.database}
        return mlops(*words, cwd=self.folder, code=code, LOGNAME=person, **addresses)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("guarded")
    database = f"sqlite:///{folder / 'mlflow.db'}"
    with running_server(folder, database, registry=f"mlops+{database}") as server:
        yield Place(server.uri, database, folder)


@pytest.fixture(scope="module")
def use_case(place: Place) -> Path:
    return use_cases.wine(place.folder)


@pytest.mark.parametrize(
    "words",
    [("status", NAME), ("request", NAME), ("approve", "R1"), ("adopt", NAME, "--reason", "x"), ("audit", "verify")],
)
def test_over_the_network_nothing_is_decided_beside_the_servers_own_ledger(
    place: Place, words: tuple[str, ...]
) -> None:
    ended = place.over_the_network(*words, code=2)
    assert SAYS in ended.err
    assert "set MLFLOW_REGISTRY_URI" in ended.err
    assert "not enforced" not in ended.err
    assert client(place.uri).get_experiment_by_name("mlops.audit") is None


def test_a_lifecycle_is_told_before_it_begins(place: Place, use_case: Path) -> None:
    ended = place.over_the_network("run", use_case, code=2)
    assert SAYS in ended.err
    experiment = client(place.uri).get_experiment_by_name(NAME)
    assert experiment is None or not client(place.uri).search_runs([experiment.experiment_id])


def test_with_the_databases_address_everything_is_decided_there_and_plain_clients_meet_it(
    place: Place, use_case: Path
) -> None:
    place.by_the_database("ann", "run", use_case)
    asked = place.by_the_database("ann", "request", NAME).out.split()[0]
    plain = mlflow.MlflowClient(place.uri, place.uri)
    with pytest.raises(MlflowException, match="approval by somebody else"):
        plain.transition_model_version_stage(NAME, "1", "Production")
    place.by_the_database("bob", "approve", asked, "--apply")
    assert [one.current_stage for one in versions(place.uri, NAME)] == ["Production"]
    assert "registry      as the ledger says: 1 model" in place.by_the_database("ann", "audit", "verify").out
    assert "not enforced" not in place.by_the_database("ann", "status", NAME).out
