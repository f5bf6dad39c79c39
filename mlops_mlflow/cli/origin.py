"""How it is told from which commit a version came, and who committed since the champion's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mlops_mlflow.core.ledger.history import Registration


def tell_origin(registration: Registration | None) -> None:
    """Nothing where no repository was known."""
    origin = registration.origin if registration is not None else None
    if origin is None:
        return
    click.echo(f"commit     {origin.label}")
    if origin.since is not None:
        click.echo(f"           {origin.since.sentence}")
