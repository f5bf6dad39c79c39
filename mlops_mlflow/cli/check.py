"""``mlops check`` and ``mlops schema``: the use case file."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command()
@click.argument("use_case", type=click.Path(path_type=Path), default=".")
def check(use_case: Path) -> None:
    """Check a use case's file, and point at the line of each problem.

    \b
    mlops check projects/flight_delays
    """
    from mlops_mlflow.learning.estimators import check_candidates
    from mlops_mlflow.lifecycle.folder import FILE, load_folder

    folder = load_folder(use_case)
    check_candidates(folder.spec.candidates, folder.spec.target.task, seed=folder.spec.seed)
    click.echo(f"{folder.path / FILE}: ok")


@click.command()
@click.option("--markdown", is_flag=True, help="The same as a reference for people.")
def schema(markdown: bool) -> None:
    """Print the JSON Schema of usecase.yaml, for editors.

    \b
    mlops schema > usecase.schema.json
    mlops schema --markdown
    """
    from mlops_mlflow.core.usecase.reference import reference
    from mlops_mlflow.core.usecase.schema import json_schema

    click.echo(reference() if markdown else json.dumps(json_schema(), indent=2), nl=not markdown)
