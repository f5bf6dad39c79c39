"""``mlops explain``: what a run would do, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_mlflow.lifecycle.plan import MAIN

if TYPE_CHECKING:
    from mlops_mlflow.lifecycle.explain import Forecast
    from mlops_mlflow.lifecycle.folder import UseCaseFolder
    from mlops_mlflow.lifecycle.session import Options

SIGNS = {"hit": ("=", "cyan"), "miss": ("▶", "yellow"), "open": ("?", "magenta")}


@click.command()
@click.argument("use_case", type=click.Path(path_type=Path), default=".")
def explain(use_case: Path) -> None:
    """Say of each stage whether it would run or be reused, from which run, and what has changed.

    Sources are read for it, for their content decides; nothing is run or recorded.

    \b
    mlops explain projects/flight_delays
    mlops run projects/flight_delays --stage train --explain        the same up to one stage, with other options
    """
    from mlops_mlflow.lifecycle.folder import load_folder
    from mlops_mlflow.lifecycle.session import Options

    tell(load_folder(use_case), MAIN, Options())


def tell(folder: UseCaseFolder, stage: str, options: Options) -> None:
    """Print the forecast of each stage as soon as it is known."""
    from mlops_mlflow.lifecycle.explain import explain as forecasts
    from mlops_mlflow.lifecycle.explain import first_time
    from mlops_mlflow.lifecycle.session import open_session
    from mlops_mlflow.tracking.tracker import NothingRunError

    try:
        session = open_session(folder, target=stage, options=options, recorded=False)
    except NothingRunError:
        for forecast in first_time(stage):
            _print(forecast)
        return
    try:
        for forecast in forecasts(session, stage):
            _print(forecast)
    finally:
        session.close()


def _print(forecast: Forecast) -> None:
    from mlops_mlflow.cli.terminal import age

    sign, colour = SIGNS[forecast.status]
    run = f"run {forecast.run_id[:8]}, {age(forecast.ended)}" if forecast.run_id else ""
    near = run if forecast.status != "miss" or not run else f"nearest: {run}"
    first, *rest = [*forecast.reasons, *([] if forecast.reasons else [""])]
    told = f"{first}  ({near})" if first and near else first or near
    click.echo(f"{click.style(sign, fg=colour)} {forecast.stage:<9} {forecast.status:<4} {told}".rstrip())
    for reason in rest:
        click.echo(f"{'':<17}{reason}")
