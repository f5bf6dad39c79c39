"""What a decision stands on, as digests by part: an approval is of these, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from mlops_mlflow.core.keys import digest

Part = Literal["model", "metrics", "slices", "data", "card", "use_case", "policy", "champion"]
PARTS: tuple[Part, ...] = get_args(Part)
SHOWN = 2
TOLD: Mapping[str, str] = {
    "model": "the model's files",
    "metrics": "the metrics on test rows",
    "slices": "the figures by slice",
    "data": "the data that it was trained and judged on",
    "card": "what the model card says",
    "use_case": "the use case's files",
    "policy": "the rules of the policy",
    "champion": "the champion that it was compared with",
}


@dataclass(frozen=True)
class Evidence:
    """What is known of a version that somebody answers for.

    Attributes:
        parts: Digest of each part; an empty one says that the part could not be read.
        facts: What the parts say, as far as rules ask for it: metrics, features, estimator.
        trouble: Why a part could not be read, or is not what was written, by part.
    """

    parts: Mapping[str, str]
    facts: Mapping[str, Any] = field(default_factory=dict)
    trouble: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 over the parts: neither times nor ids of runs are in it."""
        return digest({part: self.parts.get(part, "") for part in PARTS})

    def changed(self, seen: Mapping[str, str], parts: Iterable[str]) -> tuple[Part, ...]:
        """Of these parts, those that are not what somebody saw; what cannot be read now is not."""
        wanted = set(parts)
        return tuple(part for part in PARTS if part in wanted and not self._is(part, seen.get(part, "")))

    def _is(self, part: str, seen: str) -> bool:
        return bool(seen) and self.parts.get(part) == seen


def told(parts: Iterable[str]) -> str:
    """Parts in words; of many, the first ones."""
    words = [TOLD[part] for part in parts]
    if len(words) <= SHOWN + 1:
        return ", ".join(words)
    return f"{', '.join(words[:SHOWN])} and {len(words) - SHOWN} more parts of the evidence"
