"""What has to hold between sections of a use case, and between them and the metrics that exist."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mlops_mlflow.core.ledger.history import ENVELOPE, TRANSITION
from mlops_mlflow.core.metrics.catalogue import CATALOGUE, MetricInfo
from mlops_mlflow.core.usecase.base import Scalar, Task
from mlops_mlflow.core.usecase.data import ColumnRule
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.problems import Problem, did_you_mean
from mlops_mlflow.core.usecase.success import ApprovalRequirement, Bound, Criterion, MetricRequirement
from mlops_mlflow.core.usecase.yaml_tree import Path, Places

_SECRET = re.compile(r"\$\{([^}]*)\}?")
_SECRET_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# As SQLAlchemy reads a URL: everything from the first colon after `//` to the last `@` is the password.
_PASSWORDS = re.compile(r"://[^:/]*:(?P<user>.*)@|[?&](?:password|passwd|pwd|token|secret)=(?P<option>[^&]*)", re.I)
_PARAMETER = re.compile(r"[A-Za-z_]\w*")
_TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
    "datetime": (str,),
}


def check(spec: UseCaseSpec, places: Places) -> tuple[Problem, ...]:
    """Judge what the models alone cannot.

    Args:
        spec: A use case whose sections are well formed.
        places: Where they stand.

    Returns:
        Problems; none means that the use case is consistent.
    """
    found = (
        *_task(spec),
        *_metrics(spec),
        *_parameters(spec),
        *_contract(spec),
        *_columns(spec),
        *_secrets(spec),
        *_subjects(spec),
    )
    return tuple(Problem(places.value(*path), message) for path, message in found)


Found = Iterator[tuple[Path, str]]


@dataclass(frozen=True)
class _Use:
    """A place where a metric is named; ``slices`` is None where no groups can be named."""

    path: Path
    metric: str
    slices: str | None = None
    against: str | None = None
    lower_is_fine: bool | None = None
    grouped: bool = False


def _uses(spec: UseCaseSpec) -> Iterator[_Use]:
    for section, bounds in (("success", spec.success), ("requirements", spec.requirements)):
        for number, bound in enumerate(bounds):
            if isinstance(bound, Criterion | MetricRequirement):
                against = bound.against if isinstance(bound, Criterion) else None
                yield _Use((section, number), bound.metric, bound.by, against, _at_most(bound), grouped=True)
    for stage in ("Staging", "Production"):
        envelope = getattr(spec.governance, stage).envelope
        for number, bound in enumerate(envelope.metrics if envelope else ()):
            path: Path = ("governance", stage, "envelope", "metrics", number)
            yield _Use(path, bound.metric, lower_is_fine=_at_most(bound))
    for number, alarm in enumerate(spec.monitoring.alarm if spec.monitoring else ()):
        lower = alarm.at_most is not None or alarm.rises_by is not None
        yield _Use(("monitoring", "alarm", number), alarm.metric, lower_is_fine=lower)
    if spec.tuning.metric:
        yield _Use(("tuning",), spec.tuning.metric)
    if spec.evaluation.choose_by:
        yield _Use(("evaluation",), spec.evaluation.choose_by)


def _at_most(bound: Bound) -> bool:
    return bound.at_most is not None


def _task(spec: UseCaseSpec) -> Found:
    declared, form = spec.target.task, spec.value.form if spec.value else None
    if declared and form and declared != form:
        yield ("value",), f"`value` prices a {form} target, but `target.task` is {declared}"
    if spec.target.positive is not None and (declared or form or "binary") != "binary":
        yield ("target", "positive"), f"`target.positive` is for a binary target, but this one is {declared or form}"


def _known_task(spec: UseCaseSpec) -> Task | None:
    """The task as far as the file says; the data says the rest."""
    if spec.target.task or spec.value:
        return spec.target.task or (spec.value.form if spec.value else None)
    return None if spec.target.positive is None else "binary"


def _metrics(spec: UseCaseSpec) -> Found:
    task = _known_task(spec)
    possible = frozenset({task}) if task else frozenset[Task]({"binary", "multiclass", "regression"})
    for use in _uses(spec):
        key = "choose_by" if use.path == ("evaluation",) else "metric"
        info = CATALOGUE.get(use.metric)
        if info is None:
            yield (*use.path, key), _unknown(use.metric, possible)
        elif not possible & info.tasks:
            fits = " or ".join(sorted(info.tasks))
            why = f"the target is {task}" if task else f"metrics above are for a {' or '.join(sorted(possible))} one"
            yield (*use.path, key), f"`{use.metric}` is for a {fits} target, but {why}"
        else:
            possible &= info.tasks
            yield from (((*use.path, where or key), message) for where, message in _misuses(use, info, spec))


def _unknown(metric: str, possible: frozenset[Task]) -> str:
    names = [info.name for info in CATALOGUE.values() if info.tasks & possible]
    return f"`{metric}` is not a metric{did_you_mean(metric, names)}; expected one of {', '.join(names)}"


def _misuses(use: _Use, info: MetricInfo, spec: UseCaseSpec) -> Iterator[tuple[str, str]]:
    """What is wrong with a metric that exists and fits: key it stands at (the metric's own where empty), message."""
    name, measured = info.name, info.kind in ("quality", "value")
    if info.kind == "value" and spec.value is None:
        yield "", f"`{name}` needs the section `value`, which says what an outcome is worth"
    if use.path in {("tuning",), ("evaluation",)} and not measured:
        yield "", f"`{name}` is a {info.kind} metric; expected one of quality or value, measured on predictions"
    elif use.path[0] == "monitoring" and info.kind == "technical":
        yield "", f"`{name}` is measured on the model, which does not change; watch a metric of quality or value"
    elif info.kind == "fairness" and not use.grouped:
        yield "", f"`{name}` compares groups, which cannot be named here; watch a quality metric"
    elif info.kind == "fairness" and use.slices is None:
        yield "", f"`{name}` compares groups; add `by`, the column that they are told by"
    if info.kind == "technical" and use.slices is not None:
        yield "by", f"`{name}` is measured on the model, not on rows; leave out `by`"
    if use.against and not measured:
        yield "against", f"`{name}` is a {info.kind} metric; `against` compares figures measured on the same rows"
    if use.lower_is_fine is not None and use.lower_is_fine == info.higher_is_better:
        yield "", _wrong_way(use, info)


def _wrong_way(use: _Use, info: MetricInfo) -> str:
    better, bound = ("higher", "at_least") if info.higher_is_better else ("lower", "at_most")
    advice = f"`{bound}`"
    if use.path[0] == "monitoring":
        advice += f" or `{'falls_by' if info.higher_is_better else 'rises_by'}`"
    difference = f" (of the difference to the {use.against}, too)" if use.against else ""
    return f"`{info.name}` is better when it is {better}{difference}; bound it with {advice}"


def _parameters(spec: UseCaseSpec) -> Found:
    for name, candidate in spec.candidates.items():
        for section, parameters in (("fixed", candidate.fixed), ("space", candidate.space)):
            for parameter in parameters:
                if not _PARAMETER.fullmatch(parameter):
                    message = f"`{parameter}` is not the name of a parameter; expected one such as `C` or `model__C`"
                    yield ("candidates", name, section, parameter), message


def _contract(spec: UseCaseSpec) -> Found:
    for column, rule in spec.contract.columns.items():
        for key, message in _rule(rule):
            yield ("contract", "columns", column, key), f"`{column}`: {message}"


def _rule(rule: ColumnRule) -> Iterator[tuple[str, str]]:
    if rule.min is not None and rule.max is not None and rule.min > rule.max:
        yield "min", f"`min` ({rule.min:g}) is above `max` ({rule.max:g}), so no row can pass"
    bound = "min" if rule.min is not None else "max" if rule.max is not None else None
    if bound and rule.type not in (None, "integer", "number"):
        yield bound, f"`{bound}` is for numbers, but `type` is {rule.type}"
    if rule.pattern is not None:
        if rule.type not in (None, "string"):
            yield "pattern", f"`pattern` is for text, but `type` is {rule.type}"
        try:
            re.compile(rule.pattern)
        except (re.error, OverflowError, RecursionError) as error:
            yield "pattern", f"`{rule.pattern}` is not a regular expression: {error}"
    if rule.allowed is not None:
        yield from (("allowed", message) for message in _allowed(rule, rule.allowed))


def _allowed(rule: ColumnRule, allowed: tuple[Scalar, ...]) -> Iterator[str]:
    if not allowed:
        yield "`allowed` is empty, so no row can pass; leave it out to allow every value"
    low, high = (-math.inf if rule.min is None else rule.min), (math.inf if rule.max is None else rule.max)
    for value in allowed:
        boolean = isinstance(value, bool)
        if rule.type and (not isinstance(value, _TYPES[rule.type]) or boolean != (rule.type == "boolean")):
            yield f"`{value}` under `allowed` can never be met, since `type` is {rule.type}"
        elif isinstance(value, int | float) and not boolean and not low <= value <= high:
            yield f"`{value}` under `allowed` lies outside `min` and `max`"


def _columns(spec: UseCaseSpec) -> Found:
    for path, column in _named_columns(spec):
        if column in spec.forbidden:
            yield path, f"`{column}` is forbidden, so the dataset does not hold it; take it out of one of the two"
    for path in (("entity_key",), ("event_time", "column"), ("split", "group")):
        if dict(_named_columns(spec)).get(path) == spec.target.column:
            yield path, f"`{spec.target.column}` is the target; the model would be asked to know it"


def _named_columns(spec: UseCaseSpec) -> Iterator[tuple[Path, str]]:
    """Every column that the file counts on, besides the target."""
    if spec.entity_key:
        yield ("entity_key",), spec.entity_key
    if spec.event_time:
        yield ("event_time", "column"), spec.event_time.column
    if spec.split.group:
        yield ("split", "group"), spec.split.group
    yield from ((("contract", "columns", column), column) for column in spec.contract.columns)
    yield from ((("features", "kinds", column), column) for column in spec.features.kinds)
    yield from ((("evaluation", "slices", number), column) for number, column in enumerate(spec.evaluation.slices))
    slices = spec.monitoring.slices if spec.monitoring else ()
    yield from ((("monitoring", "slices", number), column) for number, column in enumerate(slices))
    yield from (((*use.path, "by"), use.slices) for use in _uses(spec) if use.slices)


def _subjects(spec: UseCaseSpec) -> Found:
    """An approval says what it is of; a requirement must not be met by one of something else."""
    for number, one in enumerate(spec.requirements):
        if isinstance(one, ApprovalRequirement) and one.subject in (TRANSITION, ENVELOPE):
            taken = f"`{one.subject}` is the subject of other approvals"
            yield ("requirements", number, "subject"), f"{taken}; say in a few words what {one.approval} approves"


def _secrets(spec: UseCaseSpec) -> Found:
    for path, text in _texts(spec.model_dump(mode="json", exclude_unset=True), ()):
        if path[:1] == ("sources",) and path[2:] == ("sql",):
            yield from ((path, message) for message in _url(text))
        elif _SECRET.search(text):
            yield path, "`${NAME}` is filled in only under `sources.*.sql`; everything else is logged as it stands"


def _url(url: str) -> Iterator[str]:
    """Problems of a database URL; they never show it."""
    for name in _SECRET.findall(url):
        if not _SECRET_NAME.fullmatch(name):
            yield "`${...}` holds the name of an environment variable: letters, digits and `_`, then `}`"
    for found in _PASSWORDS.finditer(url):
        if _SECRET.sub("", found["user"] or found["option"] or ""):
            yield "a password stands in the file; write `${NAME}` and set NAME in the environment"


def _texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield path, key
            yield from _texts(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, (*path, number))
