"""``mlops row``: one row through the pipeline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mlops_mlflow.cli.desk import Whole

if TYPE_CHECKING:
    from mlops_mlflow.lifecycle.row import RowStory

BAR, WIDE = 16, 34


@click.command()
@click.argument("use_case", type=click.Path(path_type=Path))
@click.argument("key")
@click.option("--version", type=Whole(min=1), help="Registered version of the model.")
@click.option("--run", "run_id", help="Run of a lifecycle. Without either: the newest finished lifecycle.")
@click.option(
    "--number",
    type=Whole(min=1),
    default=1,
    show_default=True,
    help="Which of several rows with this key.",
)
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Also write it as a page, with pictures, to a file."
)
def row(  # noqa: PLR0917  # click hands over options by name
    use_case: Path, key: str, version: int | None, run_id: str | None, number: int, html: Path | None
) -> None:
    """Follow one row: where it comes from, what the model saw and said, why, and what that is worth.

    KEY is a value of the use case's `entity_key`; where it has none, the number of the row in the dataset, from 0.
    Nothing is run and nothing is recorded.

    \b
    mlops row projects/flight_delays AA-1-JFK-20130611-900
    mlops row churn C0042 --version 3 --html C0042.html
    """
    from mlops_mlflow.lifecycle.row import follow_row

    if version is not None and run_id is not None:
        raise click.UsageError("--version and --run both name a model: give one of them")
    story = follow_row(use_case, key, version=version, run_id=run_id, number=number)
    click.echo(_told(story))
    if html is None:
        click.echo("card       none written; `--html FILE` makes one, with pictures")
    else:
        _write(story, html)
        click.echo(f"card       {html.absolute()}")


def _write(story: RowStory, file: Path) -> None:
    from mlops_mlflow.cards.page import to_html
    from mlops_mlflow.engines.atomic import replacing
    from mlops_mlflow.lifecycle.row import row_card

    with replacing(file, "the card") as part:
        part.write_text(to_html(row_card(story)), encoding="utf-8")


def _told(story: RowStory) -> str:
    from mlops_mlflow.cards.markup import unmarked
    from mlops_mlflow.lifecycle.row.wording import distance, headline, model_of, origin, place_of, remarks

    lines = [headline(story), "", f"model      {model_of(story)}", f"from       {origin(story)}"]
    lines += [f"place      {place_of(story)}", ""]
    signs = {"warning": "!", "info": "·"}
    lines += [
        f"  {signs[one.status]} {unmarked(one.sentence)} {unmarked(one.detail)}".rstrip() for one in remarks(story)
    ]
    lines += ["", *_columns(story), "", _sum(story), "", distance(story), *_worth(story), ""]
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")  # so that a search in the output finds "+30 USD"


def _columns(story: RowStory) -> list[str]:
    """Value, standing and contribution of each column, the largest contribution first; then the derived ones."""
    from mlops_mlflow.lifecycle.row.wording import derived, features

    why, seen = story.why, {one.name: one for one in features(story)}
    longest = max(float(abs(why.values).max()), 1e-300)
    decimals = max(0, 3 - math.floor(math.log10(longest)))
    table = [("column", "value", "among train rows", "contribution ± error", "")]
    for place in why.order:
        one, value = seen[why.columns[place]], float(why.values[place])
        drawn = ("█" if value > 0 else "░") * round(BAR * abs(value) / longest)
        moved = f"{value:+,.{decimals}f} ± {why.errors[place]:,.{decimals}f}" if value else "0"
        table.append((_line(one.name), one.value, one.standing, moved, drawn))
    table += [(_line(one.name), one.value, one.standing, "derived", "") for one in derived(story)]
    return _aligned(table, "<><><")


def _line(name: str) -> str:
    return " ".join(name.split())


def _sum(story: RowStory) -> str:
    from mlops_mlflow.cards.numbers import figure
    from mlops_mlflow.lifecycle.row.wording import signed

    why = story.why
    average = f"{figure(why.average)} on average of {why.background} train rows"
    return f"  {average}, moved by {signed(float(why.values.sum()))} to {figure(why.prediction)}"


def _worth(story: RowStory) -> list[str]:
    from mlops_mlflow.lifecycle.row.wording import decisions

    table = decisions(story)
    if table is None:
        return []
    rows = [table.columns, *(tuple(map(str, row)) for row in table.rows)]
    return ["", table.caption, *_aligned(rows, "<" + ">" * (len(table.columns) - 1))]


def _aligned(rows: Sequence[tuple[str, ...]], sides: str) -> list[str]:
    """Lines of a table; what is too wide is cut."""
    cut = [[text if len(text) <= WIDE else f"{text[: WIDE - 1]}…" for text in row] for row in rows]
    wide = [max(map(len, column)) for column in zip(*cut, strict=True)]
    return [
        "  " + "  ".join(f"{text:{side}{width}}" for text, side, width in zip(row, sides, wide, strict=True)).rstrip()
        for row in cut
    ]
