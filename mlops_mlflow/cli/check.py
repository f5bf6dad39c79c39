"""``mlops check`` and ``mlops schema``: the files that people write."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click


@click.command()
@click.argument("use_case", type=click.Path(path_type=Path), default=".")
def check(use_case: Path) -> None:
    """Check a use case's file, also against the policy (MLOPS_POLICY), and point at the line of each problem.

    \b
    mlops check projects/flight_delays
    """
    from mlops_mlflow.core.policy.fit import check_fit
    from mlops_mlflow.governance.policy_file import load_policy
    from mlops_mlflow.learning.estimators import check_candidates
    from mlops_mlflow.lifecycle.folder import FILE, load_folder

    policy = load_policy(os.environ)
    folder = load_folder(use_case)
    check_fit(policy, folder.spec, text=folder.text, file=str(folder.path / FILE))
    check_candidates(folder.spec.candidates, folder.spec.target.task, seed=folder.spec.seed)
    click.echo(f"{folder.path / FILE}: ok, also for the policy `{policy.name}`")


@click.command()
@click.option("--policy", is_flag=True, help="That of the organisation's policy file instead.")
@click.option("--markdown", is_flag=True, help="The same as a reference for people.")
def schema(policy: bool, markdown: bool) -> None:
    """Print the JSON Schema of usecase.yaml, for editors.

    \b
    mlops schema > usecase.schema.json
    mlops schema --policy > policy.schema.json
    mlops schema --markdown
    """
    from mlops_mlflow.core.policy.schema import policy_reference, policy_schema
    from mlops_mlflow.core.usecase.reference import reference
    from mlops_mlflow.core.usecase.schema import json_schema

    if markdown:
        click.echo(policy_reference() if policy else reference(), nl=False)
    else:
        click.echo(json.dumps(policy_schema() if policy else json_schema(), indent=2))
