"""Which registry stage transitions there are at all."""

from __future__ import annotations

from dataclasses import dataclass

STAGES = ("None", "Staging", "Production", "Archived")
LEGAL = {
    ("None", "Staging"): "validated",
    ("Staging", "Production"): "promoted",
    ("Production", "Archived"): "retired, or replaced",
    ("Staging", "Archived"): "superseded, or rejected",
    ("Archived", "Staging"): "back for another try",
    ("Archived", "Production"): "rollback only, to a version that was in Production by an allowed transition",
}
ALIASES = {"Staging": "challenger", "Production": "champion"}
"""By which readers find a version; each always names the one version in that registry stage."""


@dataclass(frozen=True)
class Transition:
    """A version on its way from one registry stage to another."""

    model: str
    version: str
    begin: str
    to: str

    def __str__(self) -> str:
        return f"{self.model} version {self.version}: {self.begin} -> {self.to}"

    @property
    def is_legal(self) -> bool:
        """Whether it is in the table."""
        return (self.begin, self.to) in LEGAL

    @property
    def is_rollback(self) -> bool:
        """Whether it brings an archived version back to Production."""
        return (self.begin, self.to) == ("Archived", "Production")

    @property
    def legal_ways(self) -> str:
        """Where a version may go from where it is, and what leads to where it should go."""
        out = ", ".join(f"{self.begin} -> {to}" for begin, to in LEGAL if begin == self.begin)
        into = ", ".join(f"{begin} -> {to}" for begin, to in LEGAL if to == self.to)
        return f"from here: {out or 'none'}; to there: {into or 'none'}"
