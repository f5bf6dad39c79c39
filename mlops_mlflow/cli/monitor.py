"""``mlops monitor``: every window of production that is due."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mlops_mlflow.lifecycle.operate.looking import Looked
    from mlops_mlflow.lifecycle.operate.monitor import Monitored

ALARM = 1


@click.command()
@click.argument("use_case", type=click.Path(path_type=Path), default=".")
@click.option("--until", default="", metavar="TIME", help="Take this for now: a date or a time. [default: now]")
@click.option("--window", default="", metavar="LABEL", help="Look at one window again, such as 2013-W36 or 2013-09-02.")
@click.option(
    "--version",
    default="",
    metavar="VERSION",
    help="Only this one: a registry stage, an alias or a number. [default: all]",
)
@click.option(
    "--report",
    is_flag=False,
    flag_value=True,
    type=bool,
    default=False,
    help="Let Evidently draw each window, and not only those that alarm.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead.")
def monitor(use_case: Path, until: str, window: str, version: str, report: bool, as_json: bool) -> None:  # noqa: PLR0917  # click hands over options by name
    """Look at every window of production that is due. Each is a run; its figures are drawn over time on the version's.

    A window is looked at when it is over, and again when its labels are complete. What was looked at is not looked at
    again: call it from a scheduler as often as you like. People are told of a change of health at the addresses in
    MLOPS_NOTIFY (Apprise's, separated by spaces).

    \b
    mlops monitor projects/flight_delays
    mlops monitor projects/flight_delays --until 2013-09-01
    mlops monitor projects/flight_delays --window 2013-W36 --report
    mlops monitor projects/flight_delays --json

    Exit codes: 0 quiet, 1 a window that was looked at alarms, 2 it could not be done.
    """
    from mlops_mlflow.cli.terminal import Terminal
    from mlops_mlflow.lifecycle.folder import load_folder
    from mlops_mlflow.lifecycle.operate.monitor import Asked, monitor

    with Terminal() as terminal:
        found = monitor(load_folder(use_case), Asked(until, window, version, report), display=terminal)
    click.echo(json.dumps(_plain(found)) if as_json else _told(found))
    if found.alarmed:
        raise click.exceptions.Exit(ALARM)


def _plain(found: Monitored) -> dict[str, Any]:
    return {
        "model": found.model,
        "until": found.until.isoformat(),
        "alarm": found.alarmed,
        "health": dict(found.health),
        "waiting": dict(found.waiting),
        "runs": dict(found.runs),
        "windows": [_window(one) for one in found.looked],
    }


def _window(one: Looked) -> dict[str, Any]:
    return {
        "version": one.version,
        "window": one.window.label,
        "run": one.run_id,
        "health": one.health,
        "closed": one.closed,
        "rows": one.rows,
        "coverage": one.coverage,
        "blocks_retraining": one.blocks_retraining,
        "supersedes": one.supersedes or None,
        "findings": [{"kind": each.kind, "about": each.subject, "health": each.health} for each in one.loud],
    }


def _told(found: Monitored) -> str:
    lines = [] if found.looked else ["nothing is due"]
    for version, health in found.health.items():
        waits = f", {found.waiting[version]} wait for labels" if found.waiting[version] else ""
        lines.append(f"version {version}  {health}{waits}  run {found.runs[version]}")
    return "\n".join(lines)
