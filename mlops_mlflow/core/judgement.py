"""From figures and bounds to findings, and from findings to a verdict."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from mlops_mlflow.core.bootstrap import Interval
from mlops_mlflow.core.usecase.success import Bound

Outcome = Literal["passed", "failed", "unknown", "pending"]
Verdict = Literal["passed", "failed", "unknown"]


@dataclass(frozen=True)
class Finding:
    """What came out of one criterion or requirement.

    Attributes:
        subject: What was judged, as a reader would say it: ``roc_auc``, ``roc_auc in the worst origin``.
        kind: ``criterion``, or the kind of the requirement.
        outcome: ``pending`` is for approvals, which no program can give.
        figure: What was measured.
        limit: The bound.
        at_least: Whether the bound is a lower one.
        interval: Where the figure would lie in other samples, where that was asked for.
        reason: One sentence: why this outcome.
        rows: How many rows the figure stands on.
        role: Who has to approve, for an approval.
        before: Registry stage that an approval is needed for.
    """

    subject: str
    kind: str
    outcome: Outcome
    figure: float | None = None
    limit: float | None = None
    at_least: bool = True
    interval: Interval | None = None
    reason: str = ""
    rows: int = 0
    role: str = ""
    before: str = ""

    @property
    def close(self) -> bool:
        """Whether the bound lies within the interval: another sample might have judged otherwise."""
        return self.interval is not None and self.limit is not None and self.interval.holds(self.limit)


def meets(bound: Bound, figure: float) -> bool:
    """Whether a figure keeps its bound; NaN never does."""
    return figure >= bound.limit if bound.at_least is not None else figure <= bound.limit


def judge(
    bound: Bound,
    figure: float,
    *,
    subject: str,
    kind: str,
    interval: Interval | None = None,
    rows: int = 0,
    detail: str = "",
) -> Finding:
    """Hold a figure against its bound.

    The figure decides and the interval informs: a bound is a statement of the business about what it will accept, and
    an interval around every figure of a small test set would turn most of them into ``unknown``.
    """
    at_least = bound.at_least is not None
    if math.isnan(figure):
        return Finding(
            subject,
            kind,
            "unknown",
            None,
            bound.limit,
            at_least,
            reason=detail or "the figure is not defined",
            rows=rows,
        )
    met = meets(bound, figure)
    says = f"{'' if met else 'not '}{'at least' if at_least else 'at most'}"
    notes = [f"{_told(figure, bound.limit)} is {says} {bound.limit:.12g}"]
    if interval is not None and interval.holds(bound.limit):
        notes.append(f"close: the interval {interval.low:.4g} to {interval.high:.4g} contains the bound")
    if detail:
        notes.append(detail)
    outcome: Outcome = "passed" if met else "failed"
    return Finding(subject, kind, outcome, figure, bound.limit, at_least, interval, "; ".join(notes), rows)


def _told(figure: float, limit: float) -> str:
    """Four digits, or as many as leave the figure on its side of the bound: never "0.7 is not at least 0.7"."""
    texts = (f"{figure:.{digits}g}" for digits in range(4, 18))  # 17 digits tell every float
    return next(
        text for text in texts if (float(text) > limit, float(text) < limit) == (figure > limit, figure < limit)
    )


def verdict(findings: Iterable[Finding]) -> Verdict:
    """``failed`` if anything failed, else ``unknown`` if anything is, else ``passed``.

    Approvals are not asked; with nothing else to judge by the verdict is ``unknown``.
    """
    outcomes = {finding.outcome for finding in findings} - {"pending"}
    if "failed" in outcomes:
        return "failed"
    return "unknown" if "unknown" in outcomes or not outcomes else "passed"
