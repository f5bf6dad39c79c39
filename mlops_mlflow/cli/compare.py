"""``mlops compare``: models of a use case side by side."""

from __future__ import annotations

from pathlib import Path

import click

CARD = "comparison.html"


@click.command()
@click.argument("use_case", type=click.Path(path_type=Path), default=".")
@click.argument("runs", metavar="[RUN]...", nargs=-1)
@click.option(
    "--html",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=CARD,
    show_default=True,
    help="Where the page goes; one that is there is replaced.",
)
def compare(use_case: Path, runs: tuple[str, ...], file: Path) -> None:
    """Compare models of a use case on the same rows, and say what differs.

    RUN is a lifecycle, a run of evaluate or validate, a candidate's run below evaluate (an id, or its first digits), or
    a version of the registry (`3` or `version:3`). Without one it is the newest lifecycle against the champion, else
    against the lifecycle before it, else its candidates; with one, that against the champion, else its candidates.

    \b
    mlops compare churn                                the newest against the champion
    mlops compare churn 3f2a 91bc                      two runs
    mlops compare churn version:4 version:3            two versions
    """
    from mlops_mlflow.cards.page import to_html
    from mlops_mlflow.engines.atomic import replacing
    from mlops_mlflow.lifecycle.compare import card, compare, text
    from mlops_mlflow.lifecycle.folder import load_folder
    from mlops_mlflow.tracking.tracker import open_tracker

    spec = load_folder(use_case).spec
    tracker = open_tracker(spec.use_case, create=False)
    found = compare(tracker, spec, runs)
    address = tracker.shown_uri if tracker.shown_uri.startswith("http") else None
    with replacing(file, "the page of the comparison") as part:
        part.write_text(to_html(card(found, address)), encoding="utf-8")
    click.echo(text(found))
    click.echo(f"\ncard       {file.absolute()}")
