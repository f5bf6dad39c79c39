"""Sections about operation: governance, monitoring, retraining. Checked with the rest of the file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlops_mlflow.core.usecase.base import Column, Duration, Name, Rows, Section, contradiction
from mlops_mlflow.core.usecase.success import Bound


class Envelope(Section):
    """What a retrained version may do without new approvals: same features, same estimator, metrics within bounds.

    The roles that it spares approve the envelope itself, all of them, before it spares any.
    """

    spares: Annotated[tuple[Name, ...], Field(min_length=1)]
    """Roles whose approval of the envelope stands in for one of each transition."""
    metrics: Annotated[tuple[Bound, ...], Field(min_length=1)]
    """On test rows; each has to be kept."""
    per_month: Annotated[int, Field(ge=1)] = 1
    """How many transitions to this registry stage within 30 days, all counted."""


class TransitionRule(Section):
    """What a transition to a registry stage needs beyond the organisation's policy."""

    approvals: dict[Name, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    """How many approvals, by role."""
    approval_lapse: Duration | None = None
    """After this an approval no longer counts."""
    minimum_staging: Duration | None = None
    """How long a version has to have been in Staging; for Production."""
    envelope: Envelope | None = None


class Governance(Section):
    """Rules per registry stage; they tighten the organisation's policy and never loosen it."""

    Staging: TransitionRule = TransitionRule()
    Production: TransitionRule = TransitionRule()

    @model_validator(mode="after")
    def _possible(self) -> Governance:
        if self.Staging.minimum_staging:
            message = "only a transition to Production can wait in Staging; put it there"
            raise contradiction(message, "Staging", "minimum_staging")
        return self


class Alarm(Section):
    """When a window of production raises an alarm."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    falls_by: Annotated[float, Field(gt=0)] | None = None
    rises_by: Annotated[float, Field(gt=0)] | None = None
    below: Literal["reference"] | None = None
    """``falls_by`` is counted from the test rows of the version."""
    above: Literal["reference"] | None = None
    """``rises_by`` is counted from the test rows of the version."""

    @property
    def limit(self) -> float:
        """The figure of the bound."""
        bounds = (self.at_least, self.at_most, self.falls_by, self.rises_by)
        return next(bound for bound in bounds if bound is not None)

    @property
    def by_reference(self) -> bool:
        """Whether the bound is on the distance to the version's test rows."""
        return self.falls_by is not None or self.rises_by is not None

    @property
    def sign(self) -> int:
        """1 where greater figures are worse, -1 where smaller ones are."""
        return -1 if self.at_least is not None or self.falls_by is not None else 1

    @model_validator(mode="after")
    def _one_bound(self) -> Alarm:
        if sum(bound is not None for bound in (self.at_least, self.at_most, self.falls_by, self.rises_by)) != 1:
            raise ValueError("needs one of `at_least`, `at_most`, `falls_by` and `rises_by`")
        if (self.below and self.falls_by is None) or (self.above and self.rises_by is None):
            raise ValueError("`below` goes with `falls_by`, and `above` with `rises_by`")
        return self


class Monitoring(Section):
    """How production is watched."""

    window: Duration | Rows
    """``P1D`` and ``P7D`` are days and weeks of the event time's zone; a number fills windows with so many rows."""
    minimum_rows: Annotated[int, Field(ge=1)] = 500
    """A window with fewer rows gives ``insufficient data``; a slice with fewer is not judged."""
    slices: tuple[Column, ...] = ()
    """Columns by whose values alarms are looked at apart; those of the evaluation when left out."""
    alarm: tuple[Alarm, ...] = ()


class Retraining(Section):
    """When a new version is trained, and on what; checked today, not acted upon yet."""

    alarms: Annotated[int, Field(ge=1)]
    of: Annotated[int, Field(ge=1)]
    """Windows looked back on; the newest must be one of those that alarmed."""
    train_on: Literal["all"] | Duration = "all"
    """All rows, or those of the last while."""
    holdout: Duration
    """Newest rows that only judge."""
    cool_down: Duration
    refit: bool = False
    """Fit once more on all rows after the verdict; reported figures stay those of the judged model."""

    @model_validator(mode="after")
    def _possible(self) -> Retraining:
        if self.alarms > self.of:
            raise ValueError(f"`alarms: {self.alarms}` can never be reached in `of: {self.of}` windows")
        return self
