"""What explore gave as plain values, and back."""

from __future__ import annotations

from typing import Any

from mlops_mlflow.core.plain import from_plain, to_plain
from mlops_mlflow.core.profiles import TableProfile
from mlops_mlflow.learning.target import Outcomes
from mlops_mlflow.stages.explore.observations import Observation
from mlops_mlflow.stages.explore.run import Output


def to_dict(output: Output) -> dict[str, Any]:
    """As plain values, for JSON; without the profile, which has a file of its own."""
    return {
        "outcomes": to_plain(output.outcomes),
        "associations": to_plain(output.associations),
        "observations": to_plain(output.observations),
        "proposal": output.proposal,
    }


def from_dict(plain: dict[str, Any], profile: dict[str, Any]) -> Output:
    """From what ``to_dict`` gave, and the content of ``profile.json``."""
    return Output(
        TableProfile.from_dict(profile),
        from_plain(Outcomes, plain["outcomes"]),
        plain["associations"],
        from_plain(tuple[Observation, ...], plain["observations"]),
        plain["proposal"],
    )
