"""``mlops init``: a use case of one's own."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("name")
@click.option(
    "--in", "parent", type=click.Path(path_type=Path, file_okay=False), default=".", help="Folder that gets it."
)
def init(name: str, parent: Path) -> None:
    """Make a use case that runs at once, to be changed into yours.

    \b
    mlops init churn && cd churn && mlflow run . --env-manager local
    """
    from mlops_mlflow.lifecycle.scaffold import create_use_case

    for path in create_use_case(name, parent):
        click.echo(f"  {path}")
    click.echo(f"\nNext:\n  mlops check {parent / name}\n  mlops run {parent / name}")
