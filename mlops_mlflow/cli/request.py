"""``mlops request`` and ``mlops withdraw``: registry stage transitions are asked for."""

from __future__ import annotations

import click

from mlops_mlflow.cli.desk import RequestName, Whole, known_model, missing, open_desk, told
from mlops_mlflow.cli.origin import tell_origin
from mlops_mlflow.core.policy.words import moment

TARGET = click.Choice(["Staging", "Production", "Archived"], case_sensitive=False)


@click.command()
@click.argument("use_case", default=".")
@click.option("--to", type=TARGET, default="Production", show_default=True, help="Registry stage.")
@click.option("--version", type=Whole(min=1), help="Registered version; the one that may go there if left out.")
@click.option("--comment", default="", help="For those who approve.")
def request(use_case: str, to: str, version: int | None, comment: str) -> None:
    """Ask for a registry stage transition; where nothing is missing, it is made at once.

    USE_CASE is a folder with usecase.yaml, or the name of a registered model. Asked again, the first request stands;
    once all have approved, the transition is made. What nobody could complete is refused. Retiring the champion needs a
    comment. Exit codes: 0 made, or waits for approvals; 1 refused by the policy.

    \b
    mlops request churn --to Production --comment "recall is up by 4 points"
    mlops request churn --to Archived --version 3 --comment "no longer needed"
    """
    from mlops_mlflow.cli.moved import tell_moved
    from mlops_mlflow.governance.desk.requests import request as ask

    desk = open_desk()
    model = known_model(desk, use_case)
    asked = ask(desk, model, str(version) if version else None, to, comment=comment)
    name, one = asked.request.name, asked.request
    if asked.moved is not None:
        tell_moved(model, asked.moved)
        return
    already = f" on {moment(one.time)} already" if asked.again else ""
    click.echo(f"{name:<10} {model} version {one.version}: {one.begin} -> {one.to}, asked by {one.actor.name}{already}")
    click.echo(f"lapses     {moment(one.lapses)}, which rejects it")
    if asked.policy_changed:
        click.secho(f"policy     {asked.policy_changed.removeprefix('policy ')}", fg="yellow")
    tell_origin(asked.registration)
    met = [rule for rule in asked.decision.findings if rule.role and rule.outcome != "missing"]
    if met:
        click.echo(f"approved\n{told(met)}")
    click.echo(f"missing\n{missing(asked.decision)}")
    click.echo(f"\nread it    mlops card {model} --request {name}")


@click.command()
@click.argument("request_name", metavar="REQUEST", type=RequestName())
@click.option("--reason", default="", help="Why.")
def withdraw(request_name: int, reason: str) -> None:
    """Take back a request of one's own.

    \b
    mlops withdraw R17 --reason "a better one is on its way"
    """
    from mlops_mlflow.governance.desk.requests import withdraw as take_back

    ended = take_back(open_desk(), request_name, reason=reason)
    click.echo(f"{ended.name} is withdrawn: version {ended.version} stays in {ended.begin}")
