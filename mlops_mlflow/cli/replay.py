"""``mlops replay``: a past stretch of time, as production would have been."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mlops_mlflow.lifecycle.operate.replay import Replayed


@click.command()
@click.argument("use_case", type=click.Path(path_type=Path), default=".")
@click.option("--since", required=True, metavar="DATE", help="First day; the model learns from what was before it.")
@click.option("--until", required=True, metavar="DATE", help="The day after the last.")
@click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder with a tracking store of its own.  [default: replay/<use case>]",
)
def replay(use_case: Path, since: str, until: str, store: Path | None) -> None:
    """Score and monitor a past stretch of time window by window, in a store of its own and with a simulated clock.

    What monitoring would have said, and when, before it watches anything real. The first version is trained on what
    was known before, and put into Production by approvals of this script, which say so; every run is marked
    `mlops.replay`. Nobody is notified. Stopped and called again, it goes on.

    \b
    mlops replay projects/flight_delays --since 2013-07-01 --until 2014-01-01
    mlflow ui --backend-store-uri sqlite:///replay/flight_delays/mlflow.db
    """
    from mlops_mlflow.cli.terminal import Terminal
    from mlops_mlflow.lifecycle.folder import load_folder
    from mlops_mlflow.lifecycle.operate.replay import Period, replay

    folder = load_folder(use_case)
    place = (store or Path("replay") / folder.spec.use_case).absolute()
    with Terminal() as terminal:
        done = replay(folder, Period(since, until, place), display=terminal)
    click.echo(table(done))
    click.echo(f"\nlook       mlflow ui --backend-store-uri sqlite:///{done.store / 'mlflow.db'}")


def table(done: Replayed) -> str:
    """Windows as a table of Markdown."""
    names = ["rows", "coverage", *done.metrics, "drifted_columns"]
    heads = ["window", *names, "health"]
    rows = [
        [label, *(_figure(name, figures.get(name)) for name in names), str(figures["health"])]
        for label, figures in done.figures.items()
    ]
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _figure(name: str, value: float | str | None) -> str:
    if not isinstance(value, float):
        return "–"
    if name == "coverage":
        return f"{value:.0%}"
    return f"{value:,.0f}" if name in ("rows", "drifted_columns") else f"{value:.4g}"
