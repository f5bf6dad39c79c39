"""The answer in a sentence: which is better, by how much, how sure; and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, gap, told, unit_of
from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.lifecycle.compare.changes import ABSENT, Changed
from mlops_mlflow.lifecycle.compare.figures import Figure, Outcome, judged
from mlops_mlflow.lifecycle.compare.find import Side
from mlops_mlflow.lifecycle.compare.result import Comparison


def answer(one: Comparison) -> str:
    """One sentence without a full stop."""
    main, first, other = one.main, one.sides[0].label, one.sides[one.rival].label
    if main is None:
        return f"{first} and {other} cannot be compared: {one.told}"
    if not one.paired:
        values = [told(main.metric, value.value, one.spec) for value in (main.figures[0], main.figures[one.rival])]
        return f"{first} has {main.metric} {values[0]}, {other} {values[1]}; no difference can be told, as {one.told}"
    where = one.told if one.exact else f"on the same {_rows(one)}"
    apart = main.apart[one.rival - 1]
    leads = f"comes first of {len(one.sides)}, but " if len(one.sides) > 2 else ""
    match judged(main.metric, apart):
        case "unknown":
            said = f"{first} and {other} cannot be compared by {main.metric}, which is not defined"
        case "equal":
            said = f"{first} {leads}does exactly as well as {other} by {main.metric}"
        case "unclear" if apart.interval is not None:
            said = f"{first} {leads}cannot be told apart from {other}: it is {_better_by(main.metric, apart, one.spec)}"
        case _:
            best = f"is the best of {len(one.sides)}, " if len(one.sides) > 2 else "is "
            word, _, rest = _better_by(main.metric, apart, one.spec).partition(" ")
            said = f"{first} {best}{word} than {other} {rest}"
    return f"{said}, {where}"


def _rows(one: Comparison) -> str:
    return counted(one.rows[0], f"{one.part} row") if one.rows[0] is not None else f"{one.part} rows"


def _better_by(metric: str, apart: Figure, spec: UseCaseSpec) -> str:
    """Direction, amount and how sure: "better by 0.2 EUR per row (95 % interval 0.1 to 0.3)"."""
    sign = 1 if CATALOGUE[metric].higher_is_better else -1
    said = f"{'better' if sign * apart.value > 0 else 'worse'} by {amount(metric, apart.value, spec)}"
    if apart.interval is None:
        return f"{said} (how surely is not known)"
    # Told in the direction of the sentence, so that both ends are positive where the difference is sure.
    turn = 1 if apart.value > 0 else -1
    share = "%" if unit_of(metric, spec) == "%" else None
    low, high = (figure(_two(end), share) for end in sorted((turn * apart.interval.low, turn * apart.interval.high)))
    return f"{said} (95 % interval {low} to {high})"


def amount(metric: str, difference: float, spec: UseCaseSpec) -> str:
    """How far two figures are apart, with what it is a difference of."""
    size = gap(metric, difference, spec)
    return f"{size} per row" if metric == "value_per_row" else f"{size} {metric}"


def around(metric: str, value: Figure, spec: UseCaseSpec) -> str:
    """A figure with its interval: "16.2 EUR (11.4 to 21.4)"."""
    return figure(value.value, unit_of(metric, spec)) + _ends(metric, value, spec, lambda end: float(f"{end:.3g}"))


def difference(metric: str, apart: Figure, spec: UseCaseSpec) -> str:
    """A difference with its interval, to two digits: more of them would only look exact."""
    return figure(_two(apart.value), unit_of(metric, spec)) + _ends(metric, apart, spec, _two)


def _ends(metric: str, value: Figure, spec: UseCaseSpec, rounded: Callable[[float], float]) -> str:
    if value.interval is None:
        return ""
    share = "%" if unit_of(metric, spec) == "%" else None
    low, high = (figure(rounded(end), share) for end in (value.interval.low, value.interval.high))
    return f" ({low} to {high})"


def _two(value: float) -> float:
    return float(f"{value:.2g}")


def advice(one: Comparison) -> str:
    """What to do, one sentence without a full stop."""
    main = one.main
    first, other = one.sides[0], one.sides[one.rival]
    if main is None or not one.paired:
        return one.hint or "name two runs that were judged on the same rows"
    outcome = main.outcome(one.rival - 1)
    if other.registry_stage == "Production":
        return _on_champion(outcome, first, other)
    if first.is_baseline:
        return "look for better features or more rows: nothing is better here than a rule that knows next to nothing"
    return {
        "better": f"go on with {first.label}",
        "worse": f"{'keep' if other.version else 'go on with'} {other.label}",
        "equal": "either will do",
    }.get(outcome, "take the simpler one, or ask for more rows: these do not tell them apart")


def _on_champion(outcome: Outcome, first: Side, other: Side) -> str:
    if outcome == "better":
        if first.version:
            return f"let version {first.version} ({first.registry_stage}) take the place of {other.label} in Production"
        return f"see what keeps {first.label} from being registered: the card of validate says it"
    if outcome == "worse":
        return f"keep {other.label} in Production"
    return f"keep {other.label} in Production: there is no proof yet that a change pays"


def telling(found: Sequence[Changed]) -> tuple[Changed, ...]:
    """Those of which a reader learns something: not the same everywhere, and not left open here and absent there."""
    return tuple(one for one in found if len(set(one.values)) > 1 and not set(one.values) <= {ABSENT, "null"})
