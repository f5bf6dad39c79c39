"""What stopped a lifecycle, in the words of the person who can mend it."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mlops_mlflow.core.errors import CandidateError, MlopsError
from mlops_mlflow.core.records import Artifact, Record, Tag

if TYPE_CHECKING:
    from mlops_mlflow.learning.package import CodePackage


class DefectError(MlopsError):
    """Something that nobody foresaw: to be mended in this project, not by the person at the keyboard."""

    exit_code = 3


def understood(error: BaseException, run_id: str, package: CodePackage | None = None) -> MlopsError:
    """The error itself where it is one of ours; one of the user's code with its line; a defect otherwise.

    Args:
        error: Whatever was raised.
        run_id: The run that it stopped.
        package: The user's code, where it is loaded.
    """
    if isinstance(error, MlopsError):
        if package and error.__cause__ and not error.place:
            error.place = package.place(error.__cause__)
        return error
    found = _users(error, package) or defect(error, f"`traceback.txt` of the run {run_id}")
    found.__cause__ = error
    return found


def _users(error: BaseException, package: CodePackage | None) -> MlopsError | None:
    place = package.place(error) if package else None
    if place is None:
        return None
    told = f"{type(error).__name__}: {error}".strip(": ")
    return CandidateError(f"the feature module fails: {told}", hint="mend the function and run again", place=place)


def defect(error: BaseException, evidence: str) -> DefectError:
    """An error that nobody foresaw.

    Args:
        error: What was raised.
        evidence: What to send along with a report.
    """
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({last[0].filename}:{last[0].lineno})" if last else ""
    return DefectError(
        "a defect of mlops-mlflow, not of the use case",
        got=f"{type(error).__name__}: {error}".strip(": ") + where,
        hint=f"report it with {evidence}",
    )


def evidence_of(error: MlopsError) -> Iterator[Record]:
    """What a failed run keeps: the message, and of a defect the whole traceback."""
    yield Tag("mlops.error", str(error))
    if isinstance(error, DefectError):
        yield Artifact("traceback.txt", _trace(error))


def failure_page(stage: str, error: MlopsError) -> Any:
    """The card of a stage that could not do its work."""
    from mlops_mlflow.cards.failure import failure_card

    what = f"{error.place}: {error.what}" if error.place else error.what
    trace = _trace(error) if isinstance(error, DefectError) else ""
    return failure_card(stage.capitalize(), what, error.expected, error.got, error.hint, trace)


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error.__cause__ or error))
