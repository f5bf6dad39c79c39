"""What an approval of an envelope is of."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_mlflow.core.keys import digest
from mlops_mlflow.core.policy.rules import Rules

ENVELOPE_PARTS = {"envelope": "the envelope", "features": "the features", "estimator": "the estimator"}
"""Its parts, in words."""


def envelope_parts(rules: Rules, facts: Mapping[str, object]) -> dict[str, str]:
    """What an approval of an envelope is of: its bounds and registry stage, the features, the family of the candidate.

    Args:
        rules: Of the registry stage that the envelope is for.
        facts: Of the version that was looked at, or that shall be spared: ``features`` and ``estimator``.
    """
    own = rules.envelope.model_dump(mode="json") if rules.envelope else None
    return {
        "envelope": digest([rules.to, own]),
        "features": digest(facts.get("features")),
        "estimator": digest(facts.get("estimator")),
    }
