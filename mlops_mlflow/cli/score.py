"""``mlops score``: predictions for a batch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mlops_mlflow.lifecycle.operate.score import Scored


@click.command()
@click.argument("use_case", type=click.Path(path_type=Path))
@click.option("--input", "input_", required=True, metavar="FILE|URL", help="CSV, Parquet or JSON lines; or a database.")
@click.option("--output", required=True, metavar="FILE|URL", help="Ends in .parquet or .csv; or a database.")
@click.option("--input-table", default="", metavar="NAME", help="Table to read, where the input is a database.")
@click.option("--output-table", default="", metavar="NAME", help="Table to append to; made where there is none.")
@click.option(
    "--version",
    default="Production",
    show_default=True,
    help="Which version: a registry stage, an alias such as `champion`, or a number.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON instead.")
def score(  # noqa: PLR0917  # click hands over options by name
    use_case: Path,
    input_: str,
    output: str,
    input_table: str,
    output_table: str,
    version: str,
    as_json: bool,
) -> None:
    """Score a batch with a registered version. The output gets all of it, or nothing.

    Rows that break the data contract are set aside, each with its reason, as an artifact of the run. Every prediction
    is also kept in the inference log (a folder of Parquet files; MLOPS_INFERENCE_LOG names it, otherwise it is
    inference_log in this folder), which `mlops monitor` reads. Scoring the same batch with the same version again
    replaces what is there.

    \b
    mlops score projects/flight_delays --input week.parquet --output scored.parquet
    mlops score projects/flight_delays --input week.csv --output scored.csv --version 7
    mlops score churn --input 'postgresql+psycopg2://${DB}' --input-table due \\
        --output 'postgresql+psycopg2://${DB}' --output-table scored
    """
    from mlops_mlflow.cli.terminal import Terminal
    from mlops_mlflow.lifecycle.folder import load_folder
    from mlops_mlflow.lifecycle.operate.score import Asked, score

    asked = Asked(input_, output, version, input_table, output_table)
    with Terminal() as terminal:
        scored = score(load_folder(use_case), asked, display=terminal)
    click.echo(json.dumps(_plain(scored)) if as_json else _told(scored))


def _plain(scored: Scored) -> dict[str, str | int]:
    return {
        "run": scored.run_id,
        "model": scored.version.name,
        "version": scored.version.number,
        "rows": scored.rows,
        "scored": scored.scored,
        "set_aside": scored.rows - scored.scored,
        "output": scored.output,
        "request_id": scored.request,
        "log": str(scored.log),
    }


def _told(scored: Scored) -> str:
    aside = scored.rows - scored.scored
    lines = [
        f"scored     {scored.scored:,} of {scored.rows:,} rows with version {scored.version.number} "
        f"({scored.version.registry_stage}) of {scored.version.name}",
        f"output     {scored.output}",
        f"log        {scored.log}",
        f"run        {scored.run_id}",
    ]
    if aside:
        lines.insert(1, f"set aside  {aside:,} rows: quarantine.parquet among the artifacts of the run says why")
    return "\n".join(lines)
