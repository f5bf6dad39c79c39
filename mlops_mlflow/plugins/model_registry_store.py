"""Addresses that begin with ``mlops+``: MLflow's registry in a database, with the policy inside."""

from __future__ import annotations

from typing import Any


def get_store(store_uri: str, tracking_uri: str | None = None) -> Any:
    """The store that MLflow's clients and servers then use.

    Args:
        store_uri: Such as ``mlops+sqlite:///mlflow.db``.
        tracking_uri: Where runs and models are.

    Raises:
        RegistryError: The database cannot keep a ledger.
    """
    from mlops_mlflow.governance.database.policy_store import PolicyStore

    return PolicyStore(store_uri, tracking_uri)
