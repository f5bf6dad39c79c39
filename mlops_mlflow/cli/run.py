"""``mlops run``: stages of a use case."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_mlflow.core.errors import MlopsError
from mlops_mlflow.lifecycle.plan import MAIN, STAGES

if TYPE_CHECKING:
    from mlops_mlflow.lifecycle.folder import UseCaseFolder
    from mlops_mlflow.lifecycle.session import Options


@click.command()
@click.argument("use_case", type=click.Path(path_type=Path), default=".")
@click.option(
    "--stage",
    type=click.Choice([MAIN, *STAGES]),
    default=MAIN,
    show_default=True,
    help="One stage; what it needs runs first. `main` is all of them, then registration and Staging.",
)
@click.option("--since", type=click.DateTime(), help="Bound as :since, instead of the use case's `data.since`.")
@click.option("--until", type=click.DateTime(), help="Bound as :until, instead of the use case's `data.until`.")
@click.option(
    "--evidently",
    is_flag=False,
    flag_value=True,
    type=bool,
    default=False,
    help="Let `explore` add Evidently's data summary of a sample.",
)
@click.option(
    "--write",
    is_flag=False,
    flag_value=True,
    type=bool,
    default=False,
    help="Let `explore` write its proposed data contract into usecase.yaml.",
)
@click.option(
    "--force",
    multiple=True,
    metavar="STAGE",
    type=click.Choice(STAGES),
    help="Run this stage again though nothing has changed, and all that follow from it. Several times for several.",
)
@click.option("--no-cache", is_flag=False, flag_value=True, type=bool, default=False, help="Use no earlier result.")
@click.option(
    "--explain",
    "--dry-run",
    is_flag=False,
    flag_value=True,
    type=bool,
    default=False,
    help="Say which stages would run, which would be reused, and why; and stop.",
)
def run(  # noqa: PLR0917  # click hands over options by name
    use_case: Path,
    stage: str,
    since: datetime | None,
    until: datetime | None,
    evidently: bool,
    write: bool,
    force: tuple[str, ...],
    no_cache: bool,
    explain: bool,
) -> None:
    """Run the lifecycle of a use case, or one stage of it. What has not changed is not run again.

    \b
    mlops run projects/flight_delays
    mlops run projects/flight_delays --stage train
    mlops run projects/flight_delays --stage train --explain
    mlops run projects/flight_delays --force train
    """
    from mlops_mlflow.lifecycle.folder import load_folder
    from mlops_mlflow.lifecycle.plan import missing
    from mlops_mlflow.lifecycle.session import Options

    if write and "explore" not in missing(stage, ()):
        raise click.UsageError("--write goes with `--stage explore` or `main`: explore proposes the contract")
    folder = load_folder(use_case)
    options = Options(since, until, evidently, frozenset(force), cache=not no_cache)
    if explain:
        from mlops_mlflow.cli.explain import tell

        tell(folder, stage, options)
        return
    _run(folder, stage, options, write=write)


def _run(folder: UseCaseFolder, stage: str, options: Options, *, write: bool) -> None:
    from mlops_mlflow.cli.summary import stage_summary, summary, where
    from mlops_mlflow.cli.terminal import Terminal
    from mlops_mlflow.lifecycle.contract import write_contract
    from mlops_mlflow.lifecycle.execute import run_stages
    from mlops_mlflow.lifecycle.main import run_main
    from mlops_mlflow.lifecycle.session import open_session

    with Terminal() as terminal:
        session = open_session(folder, target=stage, options=options, display=terminal)
        try:
            with session.working():
                result = run_main(session) if stage == MAIN else None
                if result is None:
                    run_stages(session, stage)
        except MlopsError:
            terminal.say(where(session, session.run_id))
            raise
        finally:
            session.close()
    if write:
        click.echo(write_contract(folder, session.done["explore"].facts["proposal"]))
    if result is not None:
        click.echo(summary(session, result))
        verdict = result.verdict
    else:
        click.echo(stage_summary(session, stage))
        verdict = session.done[stage].facts.get("verdict", "passed")
    if verdict != "passed":
        raise click.exceptions.Exit(1)
