"""Sections about what counts: value of outcomes, success criteria, requirements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import Discriminator, Field, Tag, model_validator

from mlops_mlflow.core.usecase.base import Column, RegistryStage, Section, Text

RequirementKind = Literal["functional", "non-functional", "regulatory"]


class Value(Section):
    """What an outcome is worth, per row.

    A binary target is priced by outcome, several classes by a matrix, a number per unit of error. Candidates
    are compared and judged by it; decisions follow it where a threshold is chosen, which is for a binary target.
    """

    unit: str = "units"
    """Currency or other unit, shown beside figures."""
    true_positive: float | None = None
    false_positive: float | None = None
    true_negative: float | None = None
    false_negative: float | None = None
    matrix: dict[str, dict[str, float]] | None = None
    """actual -> predicted -> worth; pairs that are not named are worth 0."""
    over: float | None = None
    """Worth of one unit that the prediction lies above the outcome (usually negative)."""
    under: float | None = None
    """Worth of one unit that the prediction lies below the outcome (usually negative)."""

    @property
    def form(self) -> Literal["binary", "multiclass", "regression"]:
        """The task that this way of pricing is for."""
        if self.matrix is not None:
            return "multiclass"
        return "binary" if self.over is None and self.under is None else "regression"

    @model_validator(mode="after")
    def _one_form(self) -> Value:
        outcomes = [self.true_positive, self.false_positive, self.true_negative, self.false_negative]
        forms = [
            any(worth is not None for worth in outcomes),
            self.matrix is not None,
            self.over is not None or self.under is not None,
        ]
        if sum(forms) != 1:
            raise ValueError(
                "price either the four outcomes (`true_positive` ...), or a `matrix`, or `over` and `under`"
            )
        if forms[2] and (self.over is None or self.under is None):
            raise ValueError("`over` and `under` go together")
        return self


class Bound(Section):
    """A metric with a bound."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def limit(self) -> float:
        """The figure of the bound."""
        return self.at_least if self.at_least is not None else cast("float", self.at_most)

    @model_validator(mode="after")
    def _one_bound(self) -> Bound:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("needs one of `at_least` and `at_most`")
        return self


class Criterion(Bound):
    """What the business accepts, on rows that nobody has seen."""

    against: Literal["baseline", "champion"] | None = None
    """The bound is then on the difference to it, on the same rows."""
    by: Column | None = None
    """The bound has to hold in each slice."""
    min_rows: Annotated[int, Field(ge=1)] = 200
    """Slices with fewer rows are not judged."""


class MetricRequirement(Bound):
    """A requirement that a program can check."""

    kind: RequirementKind = "non-functional"
    by: Column | None = None
    """The groups that a fairness metric compares, or the slices in which another metric has to hold."""
    min_rows: Annotated[int, Field(ge=1)] = 200
    """Groups with fewer rows are left out."""


class ApprovalRequirement(Section):
    """A requirement that a person has to approve."""

    approval: Text
    """The role that approves."""
    subject: Text
    """What is approved."""
    before: RegistryStage = "Production"
    kind: RequirementKind = "regulatory"


def _requirement(given: Any) -> str | None:
    """Which model reads a requirement; so that mistakes are told of the one that was meant."""
    if isinstance(given, Mapping):
        return "ApprovalRequirement" if "approval" in given else "MetricRequirement"
    return type(given).__name__


Requirement = Annotated[
    Annotated[MetricRequirement, Tag("MetricRequirement")] | Annotated[ApprovalRequirement, Tag("ApprovalRequirement")],
    Discriminator(_requirement),
]
