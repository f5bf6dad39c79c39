"""Every column as a row of a table: kind, gaps, distribution, and how well it tells the target."""

from __future__ import annotations

from mlops_mlflow.cards.blocks import Bar, Cell, Picture, Quantity, Table
from mlops_mlflow.cards.charts import spark_histogram
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.core.profiles import ColumnProfile
from mlops_mlflow.stages.explore.distributions import evened
from mlops_mlflow.stages.explore.run import Inputs, Output

_MOST_COLUMNS = 80
_MOST_BARS = 30


def columns_table(inputs: Inputs, output: Output) -> Table:
    """All columns, those that tell most first."""
    told = output.associations
    ordered = sorted(output.profile.columns, key=lambda one: -told.get(one.name, -1.0))
    rows = tuple(_column(one, told.get(one.name), inputs) for one in ordered)
    return Table(
        ("column", "kind", "tells the target", "missing", "distinct", "distribution", "typical"),
        rows,
        "How well a column alone tells the target, from 0 to 1, the strongest first. Typical is the median, or the "
        "commonest value and its share.",
        ("left", "left", "left", "right", "right", "left", "left"),
        limit=_MOST_COLUMNS,
    )


def _column(one: ColumnProfile, strength: float | None, inputs: Inputs) -> tuple[Cell, ...]:
    spec = inputs.spec
    role = {spec.target.column: "target", spec.entity_key: "key"}.get(one.name)
    role = "not a feature" if one.name in spec.features.exclude else role
    about = "" if one.distinct_exact else "about "
    examples = spec.card.examples
    typical = f"{_typical(one, examples=examples)} {_range(one) if examples else ''}".strip()
    return (
        one.name,
        f"{one.kind}, {role}" if role else one.kind,
        Bar(None if strength is None else round(strength, 2), unit=None),
        Quantity(one.missing / one.rows if one.rows else None, "%"),
        f"{about}{figure(one.distinct)}",
        _spark(one),
        "" if one.name == spec.entity_key else typical,
    )


def _spark(one: ColumnProfile) -> Cell:
    if one.categories:
        counts = [count for _, count in one.categories[:_MOST_BARS]]
        return Picture(spark_histogram(counts))
    spread = evened(one, whole=False)
    return Picture(spark_histogram(spread[1])) if spread else None


def _typical(one: ColumnProfile, *, examples: bool) -> str:
    """The middle of the values, or the commonest category where examples may be shown."""
    if one.categories:
        name, count = one.categories[0]
        return f"{name[:24]} ({figure(count / one.rows, '%')})" if examples and one.rows else ""
    median = dict(one.quantiles).get(0.5)
    return _rough(median) if median is not None and one.kind != "datetime" else ""


def _range(one: ColumnProfile) -> str:
    low, high = one.minimum, one.maximum
    if isinstance(low, int | float) and isinstance(high, int | float):
        return f"({_rough(low)} to {_rough(high)})".replace(" ", "\u00a0")
    return f"({low[:10]} to {high[:10]})" if isinstance(low, str) and isinstance(high, str) else ""


def _rough(value: float) -> str:
    """Whole numbers as they are, others with three digits."""
    return figure(int(value) if float(value).is_integer() else float(f"{value:.3g}"))
