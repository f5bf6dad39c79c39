"""What a person sees while stages run."""

from __future__ import annotations

from typing import Protocol

from mlops_mlflow.core.records import Progress


class Display(Protocol):
    """Shown to whoever waits; the terminal has one, a test may have another."""

    def say(self, text: str) -> None:
        """A line."""

    def look(self, stage: str) -> None:
        """An earlier result of a stage is looked for; for ``extract`` the sources are read."""

    def begin(self, stage: str) -> None:
        """A stage begins."""

    def progress(self, stage: str, progress: Progress) -> None:
        """A stage has come so far."""

    def end(self, stage: str, status: str, seconds: float, headline: str) -> None:
        """A stage has ended."""

    def reuse(self, stage: str, run_id: str, ended: int, headline: str) -> None:
        """A stage need not run: an earlier run, ended at this time (milliseconds since 1970), gave its result."""


class Silent:
    """Shows nothing."""

    def say(self, text: str) -> None:
        """Nothing."""

    def look(self, stage: str) -> None:
        """Nothing."""

    def begin(self, stage: str) -> None:
        """Nothing."""

    def progress(self, stage: str, progress: Progress) -> None:
        """Nothing."""

    def end(self, stage: str, status: str, seconds: float, headline: str) -> None:
        """Nothing."""

    def reuse(self, stage: str, run_id: str, ended: int, headline: str) -> None:
        """Nothing."""
