"""The kinds of YAML files that people write; all are read, checked and explained alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from mlops_mlflow.core.usecase.base import Section
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.problems import InvalidFile, InvalidUseCase

M = TypeVar("M", bound=Section)


@dataclass(frozen=True)
class FileKind(Generic[M]):
    """A kind of file.

    Attributes:
        name: As messages call what is in it: ``use case``.
        model: Of the whole file.
        keys: Two that every such file has, for whoever has never seen one.
        error: What is raised with its problems.
    """

    name: str
    model: type[M]
    keys: tuple[str, str]
    error: type[InvalidFile]


USE_CASE = FileKind("use case", UseCaseSpec, ("use_case", "question"), InvalidUseCase)
