"""Whether a policy stands before a server's registry: its store answers for one name as no plain one does."""

from __future__ import annotations

from typing import Any

from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.tracking.errors import translated

GUARD = "mlops.policy"
"""Name of a model that there is nowhere; the policy's store says so in words of its own."""
GUARDED = "the models of this registry are under a policy"


def check_not_guarded(client: Any, place: str) -> None:
    """Go no further where the server has the policy in its registry store.

    The ledger is then in the server's database, and a second one beside it would know nothing of the first.

    Args:
        client: MLflow's client of the server.
        place: The server's address, for people, without a password.

    Raises:
        RegistryError: It has.
    """
    from mlflow.exceptions import MlflowException

    with translated("ask whether the server has a policy", uri=place, kind=RegistryError):
        try:
            client.get_registered_model(GUARD)
        except MlflowException as error:
            # A server with logins may refuse to talk about a model that nobody was given. Then it is taken for a plain
            # one; where it is none, its store refuses what would be moved.
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "PERMISSION_DENIED"):
                raise
            guarded = GUARDED in str(error)
        else:
            guarded = False
    if guarded:
        raise RegistryError(
            f"{place} has the policy in its registry store, and its ledger is in the server's database",
            expected="the database's address, by which requests and approvals reach that ledger",
            hint="set MLFLOW_REGISTRY_URI to it, such as postgresql+psycopg2://..., beside MLFLOW_TRACKING_URI",
        )
