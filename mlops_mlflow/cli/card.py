"""``mlops card``: what to read before one decides about a version, and what is known of one that serves."""

from __future__ import annotations

from pathlib import Path

import click

from mlops_mlflow.cli.desk import RequestName, Whole, known_model, model_of, open_desk


@click.command()
@click.argument("use_case", required=False)
@click.option("--version", type=Whole(min=1), help="Registered version; that in Staging, else in Production.")
@click.option("--request", "request_name", type=RequestName(), help="What an approver of this request reads.")
@click.option(
    "--html",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the page goes; one that is there is replaced.  [default: model-card.html, or request-R17.html]",
)
@click.option("--markdown", is_flag=True, help="Print the whole card as Markdown instead.")
@click.option("--json", "plain", is_flag=True, help="Print it as JSON instead, with whole digests.")
def card(  # noqa: PLR0917  # click hands over options by name
    use_case: str | None, version: int | None, request_name: int | None, file: Path | None, markdown: bool, plain: bool
) -> None:
    """Write the model card of a registered version as a page, or with --request what an approver reads.

    The page is a file (--html), the short form is printed. Nothing is recorded.

    USE_CASE is a folder with usecase.yaml, or the name of a registered model; this folder when left out.

    \b
    mlops card churn                                   the version in Staging, else in Production
    mlops card churn --version 3 --markdown > MODEL_CARD.md
    mlops card churn --request R17                     before approving or rejecting it
    """
    from mlops_mlflow.cards.document import to_document
    from mlops_mlflow.cards.page import to_html
    from mlops_mlflow.cards.terminal import to_terminal
    from mlops_mlflow.engines.atomic import replacing
    from mlops_mlflow.lifecycle.governance.reading import draw_request, draw_version
    from mlops_mlflow.tracking.tracker import open_tracker

    if (markdown and plain) or (version is not None and request_name is not None):
        either = "--markdown or --json" if markdown and plain else "--version or --request"
        raise click.UsageError(f"say {either}, not both")
    desk, tracker = open_desk(), open_tracker(None, create=False)
    if request_name is not None:
        drawn = draw_request(desk, tracker, request_name, None if use_case is None else model_of(use_case))
    else:
        drawn = draw_version(desk, tracker, known_model(desk, use_case or "."), str(version) if version else None)
    if markdown or plain:
        click.echo(to_document(drawn.card) if markdown else drawn.json, nl=False)
    else:
        click.echo(to_terminal(drawn.card))
        file = file or Path(f"{drawn.name}.html")
    if file is not None:
        with replacing(file, "the page of the card") as part:
            part.write_text(to_html(drawn.card), encoding="utf-8")
        click.echo(f"\ncard       {file.absolute()}", err=markdown or plain)
