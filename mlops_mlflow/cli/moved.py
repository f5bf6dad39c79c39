"""How a transition that was made is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mlops_mlflow.cli.desk import told

if TYPE_CHECKING:
    from mlops_mlflow.governance.desk.transitions import Moved


def tell_moved(model: str, moved: Moved) -> None:
    """What moved, what the decision stood on, where it is recorded."""
    for version, begin, to in moved.moves:
        click.echo(f"moved      {model} version {version}: {begin} -> {to}")
    if not moved.decision.would_allow:
        click.secho("dry run    the policy would have refused this", fg="yellow")
    click.echo(f"rules\n{told(moved.decision.findings)}")
    click.echo(f"\nrecorded   {moved.record.sequence} in the ledger, by {moved.record.entry.actor.name}")
