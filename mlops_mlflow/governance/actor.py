"""Who is at the keyboard."""

from __future__ import annotations

import getpass

from mlops_mlflow.core.ledger.record import Actor


def current_actor() -> Actor:
    """The operating system's user; without a server that asks for a password, nobody has checked that it is them."""
    try:
        return Actor(getpass.getuser())
    except (KeyError, OSError):
        return Actor("unknown")  # a container may run as a user without a name
