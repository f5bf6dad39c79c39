"""What the sources of a use case hold now, as digests; each is read once for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mlops_mlflow.core.errors import MlopsError
from mlops_mlflow.core.usecase.data import Source
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.engines.sources import digest_source
from mlops_mlflow.engines.sql import Bounds

if TYPE_CHECKING:
    from mlops_mlflow.engines.databases import DatabaseRead


@dataclass
class Sources:
    """The sources of one use case, as they are when they are first asked for.

    Attributes:
        spec: The use case.
        folder: Its folder.
        environment: Where ``${NAME}`` secrets come from.
        bounds: Of the rows.
        scratch: Gets what is read from databases.
        read: What was read from databases, by name of the source.
    """

    spec: UseCaseSpec
    folder: Path
    environment: Mapping[str, str]
    bounds: Bounds
    scratch: Path
    read: dict[str, DatabaseRead] = field(default_factory=dict)
    _error: MlopsError | None = None

    @cached_property
    def digests(self) -> dict[str, str]:
        """Digest of each source.

        Raises:
            MlopsError: A source cannot be read; the same at every call, for a server that is not there is slow to ask.
        """
        if self._error is not None:
            raise self._error
        try:
            return {name: self._digest(name, source) for name, source in self.spec.sources.items()}
        except MlopsError as error:
            self._error = error
            raise

    def _digest(self, name: str, source: Source) -> str:
        digest, read = digest_source(
            name, source, folder=self.folder, environment=self.environment, bounds=self.bounds, scratch=self.scratch
        )
        if read is not None:
            self.read[name] = read
        return digest
