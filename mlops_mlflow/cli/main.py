"""``mlops``: commands, and how their errors reach the terminal."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import signal
import sys
import threading
from types import FrameType
from typing import Any, NoReturn

import click

from mlops_mlflow import __version__
from mlops_mlflow.core.errors import MlopsError

INTERRUPTED = 130
COMMANDS = {
    "run": "mlops_mlflow.cli.run:run",
    "score": "mlops_mlflow.cli.score:score",
    "monitor": "mlops_mlflow.cli.monitor:monitor",
    "replay": "mlops_mlflow.cli.replay:replay",
    "row": "mlops_mlflow.cli.row:row",
    "compare": "mlops_mlflow.cli.compare:compare",
    "explain": "mlops_mlflow.cli.explain:explain",
    "request": "mlops_mlflow.cli.request:request",
    "approve": "mlops_mlflow.cli.approve:approve",
    "reject": "mlops_mlflow.cli.approve:reject",
    "withdraw": "mlops_mlflow.cli.request:withdraw",
    "status": "mlops_mlflow.cli.status:status",
    "history": "mlops_mlflow.cli.history:history",
    "rollback": "mlops_mlflow.cli.transitions:rollback",
    "policy": "mlops_mlflow.cli.policy:policy",
    "card": "mlops_mlflow.cli.card:card",
    "audit": "mlops_mlflow.cli.audit:audit",
    "override": "mlops_mlflow.cli.transitions:override",
    "review": "mlops_mlflow.cli.transitions:review",
    "adopt": "mlops_mlflow.cli.transitions:adopt",
    "approve-envelope": "mlops_mlflow.cli.approve:approve_envelope",
    "check": "mlops_mlflow.cli.check:check",
    "schema": "mlops_mlflow.cli.check:schema",
    "init": "mlops_mlflow.cli.init:init",
}


class LateGroup(click.Group):
    """Imports a command when it is called: help needs none of what commands need."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's interface
        """Names in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's interface
        """The command of this name."""
        import importlib

        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=LateGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mlops")
def mlops() -> None:
    """The ML lifecycle on MLflow alone.

    \b
    mlops init churn                                   a use case of your own
    mlops check churn                                  is its file right?
    mlops run churn                                    every stage, up to a version in Staging
    mlops run churn --stage train                      one stage, and what it needs
    mlops explain churn                                what would run now, and why
    mlops compare churn                                the newest model against the champion
    mlops row churn C0042                              one row: what was said of it, and why
    mlops request churn --to Production                ask for the transition
    mlops approve R17 --role compliance                say yes to it
    mlops status churn                                 who is where, and what blocks the next step
    mlops score churn --input due.csv --output out.csv predictions for a batch
    mlops monitor churn                                every window of production that is due

    Runs go to MLFLOW_TRACKING_URI, or to sqlite:///mlflow.db in this folder.
    Exit codes: 0 done, 1 judged and refused, 2 could not be done, 3 a defect of mlops itself, 130 interrupted.
    """


def main() -> NoReturn:
    """The command ``mlops``."""
    # Importing MLflow makes a million objects, none of which is garbage: a fifth of the time of a short command.
    gc.set_threshold(100_000, 50, 100)
    _leave(invoke())


def invoke() -> int:
    """Run the command that ``sys.argv`` names: its exit code, and one message for what a person can mend."""
    # Threads of scikit-learn's OpenMP that spin for long while they wait make a fit ten times slower on a machine that
    # does anything else, and ones that sleep at once make it half as fast on a quiet one. The library reads this when
    # it is loaded.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        code: Any = mlops(standalone_mode=False) or 0  # click gives back the code of `Exit`
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except MlopsError as error:
        code = _told(error)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted: what was running is marked as KILLED", err=True)
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001  # before there is a run; nobody is shown a traceback
        from mlops_mlflow.lifecycle.failure import defect

        code = _told(defect(error, "this message and the command"))
    return int(code)


def _leave(code: int) -> NoReturn:
    """End the process without taking its modules apart one by one, which takes as long as half of the imports."""
    with contextlib.suppress(OSError):  # the reader of a pipe has gone away
        sys.stdout.flush()
        sys.stderr.flush()
    threading._shutdown()  # type: ignore[attr-defined]  # what an interpreter does first: wait for threads
    atexit._run_exitfuncs()  # and then this
    os._exit(code)


def _told(error: MlopsError) -> int:
    click.secho("error: ", fg="red", bold=True, err=True, nl=False)
    click.echo(str(error), err=True)
    return error.exit_code


def _interrupt(number: int, frame: FrameType | None) -> None:
    from mlops_mlflow.tracking.interrupt import interrupt

    # After Ctrl-C `mlflow run` also ends its child, which by then is busy marking its runs. Ctrl-C twice still works.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    interrupt(number, frame)
