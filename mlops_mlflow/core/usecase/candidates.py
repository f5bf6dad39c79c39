"""Sections about models: candidates, their search spaces, how they are tuned and compared."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mlops_mlflow.core.usecase.base import Column, Duration, Name, Scalar, Section

Pair = tuple[float, float]
Triple = tuple[float, float, float]


class Distribution(Section):
    """Where a parameter is drawn from; exactly one, named as in ``hyperopt.hp``.

    Bounds of ``loguniform`` and ``qloguniform`` are plain values, not logarithms.
    """

    choice: Annotated[tuple[Scalar | None, ...], Field(min_length=1)] | None = None
    """Any of these."""
    uniform: Pair | None = None
    """low, high"""
    quniform: Triple | None = None
    """low, high, step"""
    loguniform: Pair | None = None
    """low, high; both above 0"""
    qloguniform: Triple | None = None
    """low, high, step"""
    normal: Pair | None = None
    """mean, standard deviation"""
    qnormal: Triple | None = None
    """mean, standard deviation, step"""
    lognormal: Pair | None = None
    """mean and standard deviation of the logarithm"""
    qlognormal: Triple | None = None
    """mean and standard deviation of the logarithm, step"""
    randint: tuple[int, int] | None = None
    """low, high (high is not drawn)"""
    uniformint: tuple[int, int] | None = None
    """low, high (both are drawn)"""

    @property
    def kind(self) -> str:
        """Name of the distribution."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

    @property
    def arguments(self) -> tuple[Any, ...]:
        """What it was given."""
        return tuple(getattr(self, self.kind))

    @model_validator(mode="after")
    def _one(self) -> Distribution:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one distribution, got {', '.join(given) or 'none'}")
        kind, arguments = given[0], self.arguments
        if "uniform" in kind or kind == "randint":
            if arguments[0] >= arguments[1]:
                raise ValueError(f"`{kind}`: low must be below high")
            if kind.endswith("loguniform") and arguments[0] <= 0:
                raise ValueError(f"`{kind}`: both bounds must be above 0 (they are plain values, not logarithms)")
        if kind.endswith("normal") and arguments[1] <= 0:
            raise ValueError(f"`{kind}`: the standard deviation must be above 0")
        if kind.startswith("q") and arguments[2] <= 0:
            raise ValueError(f"`{kind}`: the step must be above 0")
        return self


class Candidate(Section):
    """An estimator with a search space."""

    estimator: Annotated[str, Field(pattern=r"^[A-Za-z_][\w]*(\.[A-Za-z_]\w*)+$")]
    """Import path of a scikit-learn compatible class."""
    fixed: dict[str, Any] = Field(default_factory=dict)
    """Parameters that stay as they are."""
    space: dict[str, Distribution] = Field(default_factory=dict)
    """Parameters that are searched; none means one trial."""

    @model_validator(mode="after")
    def _apart(self) -> Candidate:
        both = sorted(set(self.fixed) & set(self.space))
        if both:
            raise ValueError(f"`{both[0]}` stands under both `fixed` and `space`")
        return self


class Tuning(Section):
    """How the search for parameters goes, per candidate."""

    metric: str | None = None
    """What a trial is judged by, cross-validated inside the train rows; when left out, the usual one of the task."""
    trials: Annotated[int, Field(ge=1, le=10_000)] = 10
    timeout: Duration | None = None
    """A guard: a search that it cuts is marked ``truncated``."""
    algorithm: Literal["tpe", "random", "anneal"] = "tpe"
    folds: Annotated[int, Field(ge=1, le=20)] = 3
    """How often a trial is fitted and judged inside the train rows. With 1 it is judged once, on a quarter of them or,
    where the split is by time, on their last fifth: one hold-out, without a spread."""
    rows: Annotated[int, Field(ge=100)] | None = None
    """At most so many train rows are fitted on, drawn evenly by the seed; all when left out."""
    early_stop: Annotated[int, Field(ge=1)] | None = None
    """Stop after this many trials without a better one."""


class Evaluation(Section):
    """How candidates are compared on validation rows."""

    choose_by: str | None = None
    """When left out: ``value_per_row`` where outcomes are priced, otherwise the metric of the tuning."""
    slices: tuple[Column, ...] = ()
    """Columns by whose values figures are shown apart."""
    minimum_rows: Annotated[int, Field(ge=1)] = 200
    """Slices with fewer rows are not reported."""


Candidates = dict[Name, Candidate]
