"""``mlops policy``: what the organisation's policy asks for, and what it says of a version."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_mlflow.cli.desk import Whole, known_model, open_desk, told
from mlops_mlflow.cli.origin import tell_origin
from mlops_mlflow.cli.request import TARGET


@click.group()
def policy() -> None:
    """What the policy asks for, and what it says of a version.

    \b
    mlops policy check policy.yaml
    mlops policy explain churn 7 --to Production
    """


@policy.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check a policy file, and point at the line of each problem.

    \b
    mlops policy check policy.yaml
    """
    from mlops_mlflow.governance.policy_file import read_policy

    found = read_policy(file)
    click.echo(f"{file}: ok ({found.name}, {'dry run' if found.mode == 'dry_run' else found.mode})")


@policy.command()
@click.argument("use_case", default=".")
@click.argument("version", type=Whole(min=1), required=False)
@click.option("--to", type=TARGET, default="Production", show_default=True, help="Registry stage.")
def explain(use_case: str, version: int | None, to: str) -> None:
    """Every rule for a transition, its evidence and its outcome. Nothing is recorded.

    Exit codes: 0 it is allowed, 1 it is not.

    \b
    mlops policy explain churn 7 --to Production
    """
    from mlops_mlflow.core.policy.rules import Rules
    from mlops_mlflow.governance.desk.desk import candidate

    desk = open_desk()
    model = known_model(desk, use_case)
    number = str(version) if version else candidate(desk.registry.shelf(model), to)
    case, decision = desk.look(model, number, to)
    rules: Rules = case.rules
    click.echo(f"{case.transition}: {'allowed' if decision.allowed else 'refused'} by {rules.policy.name}\n")
    click.echo(told(decision.findings))
    click.echo(f"\nevidence   {case.evidence.digest}")
    for part, digest in sorted(case.evidence.parts.items()):
        click.echo(f"           {part:<9} {digest[:16]}  {case.evidence.trouble.get(part, '')}".rstrip())
    tell_origin(case.registration)
    if not decision.allowed:
        raise click.exceptions.Exit(1)
