"""What can be wrong in a file that people write: problems at their places, and the one error that carries them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mlops_mlflow.core.errors import MlopsError, Place, UseCaseError

SHOWN = 10


class Problem(NamedTuple):
    """One thing that is wrong.

    Attributes:
        place: Where it stands.
        message: What it is, what was expected and what to do, on one line.
    """

    place: Place
    message: str

    def __str__(self) -> str:
        return str(MlopsError(self.message, place=self.place))


class InvalidFile(MlopsError):
    """A file with one or more problems.

    Args:
        problems: At least one.

    Attributes:
        problems: All of them, in the order of the file; the text shows the first ten.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: Sequence[Problem] = tuple(
            sorted(problems, key=lambda each: (each.place.line, each.place.column))
        )
        first = self.problems[0]
        super().__init__(first.message, place=first.place)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return super().__str__()
        more = len(self.problems) - SHOWN
        return "\n".join(
            [
                f"{self.problems[0].place.file}: {len(self.problems)} problems",
                *(f"  {problem}" for problem in self.problems[:SHOWN]),
                *([f"  ... and {more} more"] if more > 0 else []),
            ]
        )


class InvalidUseCase(InvalidFile, UseCaseError):
    """A use case file with one or more problems."""


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant; None where none is close."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean `x`?)`` where a known word is close, otherwise nothing."""
    close = closest(word, known)
    return f" (did you mean `{close}`?)" if close else ""
