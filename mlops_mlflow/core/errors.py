"""Every error that a user can meet, as one tree.

MlopsError
├── UseCaseError        usecase.yaml (or a file it names) says something that cannot be
│   └── InvalidUseCase  all problems of a file, each at its line (core.usecase.problems)
├── PolicyError         the organisation's policy file (core.policy.parse)
│   └── InvalidPolicy   all problems of the file, each at its line
├── SecretError         a ``${NAME}`` that the environment does not hold
├── DataError           a source, the integrating SQL, the contract or the split
│   ├── SourceError     a source cannot be read
│   ├── QueryError      the integrating SQL fails
│   └── ContractError   the data breaks what was declared about it
├── CandidateError      an estimator, its parameters, its search space or the feature hook
├── TrackingError       the tracking server: unreachable, refused, wrong answer
│   └── RegistryError   the model registry did not do what was asked of it
│       └── RefusedError  the policy does not allow it, or not them; recorded (governance.desk.desk)
├── GoneError           an earlier result that cannot be trusted any more (tracking.results); never reaches the user
├── StorageError        an artifact or file could not be written
└── DefectError         what nobody foresaw, to be mended in this project (lifecycle.failure)

Each message answers four questions: which thing, what was expected, what came, what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_PART = 600


def _bounded(text: str) -> str:
    return text if len(text) <= LONGEST_PART else text[: LONGEST_PART - 1] + "…"


@dataclass(frozen=True)
class Place:
    """Where in a user's file something stands.

    Attributes:
        file: Path as the user wrote it.
        line: Line, counted from 1; 0 where it is not known.
        column: Column, counted from 1; 0 where it is not known.
    """

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join([self.file, *(str(number) for number in (self.line, self.column) if number)])


class MlopsError(Exception):
    """Something that the person at the keyboard can mend.

    Args:
        what: The thing concerned and what is wrong with it, one sentence.
        expected: What was expected.
        got: What came instead.
        hint: What to do next.
        place: Where in the user's file it stands.
    """

    exit_code = 2

    def __init__(
        self, what: str, *, expected: str = "", got: str = "", hint: str = "", place: Place | None = None
    ) -> None:
        super().__init__(what)
        self.what, self.expected, self.got, self.hint, self.place = what, expected, got, hint, place

    def __str__(self) -> str:
        head = f"{self.place}: {self.what}" if self.place else self.what
        parts = {"expected": self.expected, "got": self.got, "do": self.hint}
        return "\n".join(
            [_bounded(head), *(f"  {name + ':':<10}{_bounded(text)}" for name, text in parts.items() if text)]
        )


class UseCaseError(MlopsError):
    """``usecase.yaml``, or a file it names, says something that cannot be."""


class SecretError(MlopsError):
    """A ``${NAME}`` of the use case is not set in the environment."""


class DataError(MlopsError):
    """The data does not allow what was asked of it."""


class SourceError(DataError):
    """A source cannot be read."""


class QueryError(DataError):
    """The integrating SQL fails."""


class ContractError(DataError):
    """The data breaks what was declared about it."""


class CandidateError(MlopsError):
    """An estimator, its parameters, its search space or the feature hook cannot be used."""


class TrackingError(MlopsError):
    """The tracking server did not do what was asked of it."""


class RegistryError(TrackingError):
    """The model registry did not do what was asked of it."""


class StorageError(MlopsError):
    """An artifact or a file could not be written."""
