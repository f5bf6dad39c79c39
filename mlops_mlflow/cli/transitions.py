"""``mlops rollback``, ``override``, ``review`` and ``adopt``: what does not wait for a request."""

from __future__ import annotations

import click

from mlops_mlflow.cli.desk import RequestName, Whole, known_model, open_desk
from mlops_mlflow.cli.moved import tell_moved
from mlops_mlflow.cli.request import TARGET


@click.command()
@click.argument("use_case", default=".")
@click.option("--version", type=Whole(min=1), help="To this version; the last approved one if left out.")
@click.option("--reason", default="", help="Why; needed.")
def rollback(use_case: str, version: int | None, reason: str) -> None:
    """Bring back the version that was in Production before, by an allowed transition; needs no new approval.

    \b
    mlops rollback churn --reason "recall fell on Monday"
    """
    from mlops_mlflow.governance.desk.transitions import rollback as go_back

    desk = open_desk()
    model = known_model(desk, use_case)
    tell_moved(model, go_back(desk, model, version=str(version) if version else None, reason=reason))


@click.command()
@click.argument("use_case", default=".")
@click.option("--to", type=TARGET, default="Production", show_default=True, help="Registry stage.")
@click.option("--version", type=Whole(min=1), help="The one that may go there if left out.")
@click.option("--reason", default="", help="Why; needed.")
def override(use_case: str, to: str, version: int | None, reason: str) -> None:
    """Break the glass: a transition past the rules, by the roles that the policy names; somebody else reviews it.

    \b
    mlops override churn --reason "the champion answers nothing since 9:40"
    """
    from mlops_mlflow.core.policy.words import moment
    from mlops_mlflow.governance.desk.overrides import override as break_glass

    desk = open_desk()
    model = known_model(desk, use_case)
    moved = break_glass(desk, model, str(version) if version else None, to, reason=reason)
    tell_moved(model, moved)
    number = moved.decision.override
    due = next(one.review_due for one in desk.registry.shelf(model).history.glass_breaks if one.sequence == number)
    click.secho(f"review     due by {moment(due)}, by somebody else: mlops review {model} R{number}", fg="yellow")


@click.command()
@click.argument("names", metavar="[USE_CASE] OVERRIDE", nargs=-1, required=True)
@click.option("--comment", default="", help="What the review found; needed.")
def review(names: tuple[str, ...], comment: str) -> None:
    """Review somebody else's override.

    \b
    mlops review R23 --comment "was needed"
    mlops review churn R23 --comment "was needed; the cause is fixed"
    """
    from mlops_mlflow.governance.desk.overrides import review as look_at

    if len(names) > 2:
        raise click.UsageError(f"expected a use case and the name of an override, got {' '.join(names)}")
    use_case, number = names[0] if names[1:] else ".", RequestName().convert(names[-1], None, None)
    desk = open_desk()
    glass = look_at(desk, known_model(desk, use_case), number, comment=comment)
    click.echo(f"reviewed   override R{glass.sequence} of {glass.actor.name}: version {glass.version} to {glass.to}")


@click.command()
@click.argument("use_case", default=".")
@click.option("--reason", default="", help="Why; needed.")
def adopt(use_case: str, reason: str) -> None:
    """Take over what is in Staging and Production already; from then on the policy holds.

    \b
    mlops adopt churn --reason "was in Production before there was a policy"
    """
    from mlops_mlflow.governance.desk.arrivals import adopt as take_over

    desk = open_desk()
    model = known_model(desk, use_case)
    for version in take_over(desk, model, reason=reason):
        click.echo(f"adopted    {model} version {version.number}, in {version.registry_stage}")
