"""What a stage wants logged, as plain values.

A stage calls ``emit(record)``; one loop in ``tracking`` writes them. So a stage can be tested without a server.
Every record belongs to the stage's own run, or to one of its child runs, named by ``run``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

OWN_RUN = ""


@dataclass(frozen=True)
class Param:
    """A setting; numbers stay numbers, so that MLflow's compare view draws them as axes."""

    name: str
    value: Any
    run: str = OWN_RUN


@dataclass(frozen=True)
class Metric:
    """A figure, linked to the model and the dataset that it was measured with, where there are any."""

    name: str
    value: float
    step: int = 0
    model: str | None = None
    dataset: str | None = None
    run: str = OWN_RUN


@dataclass(frozen=True)
class Tag:
    """A word by which a run is found."""

    name: str
    value: str
    run: str = OWN_RUN


@dataclass(frozen=True)
class Note:
    """Markdown that the run's page shows first."""

    markdown: str
    run: str = OWN_RUN


@dataclass(frozen=True)
class Artifact:
    """A file: its text or bytes, or the path of a file that exists already."""

    path: str
    content: str | bytes | Path
    run: str = OWN_RUN


@dataclass(frozen=True)
class Dataset:
    """Rows that went into a run, by name, digest and where they came from; the rows themselves stay where they are.

    Attributes:
        name: By which metrics refer to it.
        digest: Of the content; the same rows give the same digest.
        source: Where it came from, without a password: a URI, a path or a query.
        context: ``source``, ``training``, ``validation`` or ``test``.
        columns: Name and type of each column.
        rows: How many.
    """

    name: str
    digest: str
    source: str
    context: str
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    run: str = OWN_RUN


@dataclass(frozen=True)
class Model:
    """A fitted model to keep.

    Attributes:
        name: By which metrics refer to it.
        estimator: The fitted scikit-learn estimator.
        example: A few rows as the model takes them, for its signature (pandas DataFrame).
        code: Folder of the package that holds the user's code, if the model needs it.
        trusted_types: What the use case declared as safe to load.
        params: Parameters shown beside the model.
        tags: Words by which the model is found.
    """

    name: str
    estimator: Any
    example: Any
    code: Path | None = None
    trusted_types: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    run: str = OWN_RUN


@dataclass(frozen=True)
class ModelAgain:
    """A model that an earlier run logged, taken over as it is.

    Attributes:
        name: By which metrics refer to it.
        ref: What whoever found it knows it by.
    """

    name: str
    ref: Any


@dataclass(frozen=True)
class ModelUse:
    """A run takes a model that was emitted before, or stands for it as what came out."""

    model: str
    role: Literal["input", "output"]
    run: str = OWN_RUN


@dataclass(frozen=True)
class ModelFile:
    """A file that travels with a model emitted before."""

    model: str
    path: str
    content: str | bytes


@dataclass(frozen=True)
class ChildRun:
    """A nested run begins; ``key`` is what later records call it."""

    key: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ChildEnd:
    """A nested run ends."""

    key: str
    status: Literal["FINISHED", "FAILED", "KILLED"] = "FINISHED"


@dataclass(frozen=True)
class Progress:
    """How far a stage is; shown to the person who waits, never stored."""

    done: int
    total: int
    what: str = ""


Record = (
    Param
    | Metric
    | Tag
    | Note
    | Artifact
    | Dataset
    | Model
    | ModelAgain
    | ModelUse
    | ModelFile
    | ChildRun
    | ChildEnd
    | Progress
)
Emit = Callable[[Record], None]
