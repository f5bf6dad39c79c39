"""``mlops approve`` and ``mlops reject``: what somebody says to a request."""

from __future__ import annotations

import click

from mlops_mlflow.cli.desk import RequestName, Whole, known_model, missing, open_desk
from mlops_mlflow.cli.moved import tell_moved
from mlops_mlflow.cli.request import TARGET


@click.command()
@click.argument("request_name", metavar="REQUEST", type=RequestName())
@click.option("--role", help="As what; may be left out where only one role comes into question.")
@click.option("--comment", default="", help="For those who read the ledger.")
@click.option("--evidence", default="", help="Beginning of the digest that was looked at; refused if it has changed.")
@click.option("--apply", "at_once", is_flag=True, help="Make the transition at once if nothing is missing then.")
def approve(request_name: int, role: str | None, comment: str, evidence: str, at_once: bool) -> None:
    """Approve a request in a role, with the requirements that this role answers for.

    \b
    mlops approve R17 --role compliance --comment "wording agreed with legal"
    mlops approve R17 --role business --evidence 3fa9c1b2 --apply
    """
    from mlops_mlflow.governance.desk.approvals import approve as say_yes

    approved = say_yes(open_desk(), request_name, role=role, comment=comment, seen=evidence, at_once=at_once)
    asked = approved.request
    role_told = f" as {approved.role}" if approved.role else ""
    subjects = ["the transition" if one == "transition" else one for one in approved.subjects]
    click.echo(f"approved   {asked.name}{role_told}: {', '.join(subjects)}")
    if approved.moved is not None:
        tell_moved(approved.moved.record.entry.model, approved.moved)
        return
    click.echo(f"missing\n{missing(approved.decision)}")
    if approved.decision.allowed:
        click.echo(f"\nmake it    mlops request {_model(request_name)} --to {asked.to}")


def _model(number: int) -> str:
    return open_desk().find(number)[1]


@click.command()
@click.argument("request_name", metavar="REQUEST", type=RequestName())
@click.option("--role", help="As what.")
@click.option("--reason", default="", help="Why; needed.")
def reject(request_name: int, role: str | None, reason: str) -> None:
    """Reject a request, which ends it.

    \b
    mlops reject R17 --role compliance --reason "the slices of EWR are too weak"
    """
    from mlops_mlflow.governance.desk.requests import reject as say_no

    ended = say_no(open_desk(), request_name, role=role, reason=reason)
    click.echo(f"{ended.name} is rejected: version {ended.version} stays in {ended.begin}")


@click.command(name="approve-envelope")
@click.argument("use_case", default=".")
@click.option("--to", type=TARGET, default="Production", show_default=True, help="Registry stage.")
@click.option("--version", type=Whole(min=1), required=True, help="Whose features and estimator are meant.")
@click.option("--role", required=True, help="Which the envelope spares.")
@click.option("--comment", default="", help="For those who read the ledger.")
def approve_envelope(use_case: str, to: str, version: int, role: str, comment: str) -> None:
    """Approve once what a retrained version may do without this role: the use case's `envelope`.

    \b
    mlops approve-envelope churn --version 4 --role business
    """
    from mlops_mlflow.governance.desk.approvals import approve_envelope as say_yes

    desk = open_desk()
    model = known_model(desk, use_case)
    say_yes(desk, model, str(version), to, role=role, comment=comment)
    click.echo(
        f"approved   the envelope of {model} as {role}, with the features and the estimator of version {version}"
    )
