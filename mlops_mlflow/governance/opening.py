"""Which registry is in reach, and the desk in front of it."""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping

from mlops_mlflow.governance.actor import current_actor
from mlops_mlflow.governance.desk.desk import Desk
from mlops_mlflow.governance.evidence import evidence_reader
from mlops_mlflow.governance.policy_file import load_policy
from mlops_mlflow.governance.shelf import Registry
from mlops_mlflow.tracking.tracker import Tracker, registry_address


def open_registry(tracking_uri: str | None = None) -> Registry:
    """The registry of an MLflow server or database, with its ledger.

    Args:
        tracking_uri: Where it is; MLflow's own setting when left out.

    Raises:
        RegistryError: It cannot be opened, or is that of a server which has the policy in its registry store.
    """
    address = registry_address(tracking_uri)
    if address.startswith(("sqlite:", "postgresql")):
        from mlops_mlflow.governance.database.registry import open_registry as open_database

        return open_database(address)
    return _plain_server(address)


@functools.cache
def _plain_server(address: str) -> Registry:
    """The registry of a server; whether it answers, and what stands before it, is asked once in a process."""
    from mlops_mlflow.governance.guard import check_not_guarded
    from mlops_mlflow.governance.remote import RemoteRegistry

    registry = RemoteRegistry(address)
    check_not_guarded(registry.client, registry.place)
    return registry


def desk_for(tracker: Tracker, environment: Mapping[str, str] | None = None) -> Desk:
    """The desk of whoever is at the keyboard.

    Args:
        tracker: Where the evidence is.
        environment: Names the policy file; the process's own when left out.

    Raises:
        MlopsError: The policy file cannot be used, or the registry cannot be opened.
    """
    policy = load_policy(os.environ if environment is None else environment)
    return Desk(open_registry(tracker.uri), policy, current_actor(), evidence_reader(tracker))
