"""Read the sources, join them, and keep the rows that hold to the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mlops_mlflow.core.errors import ContractError, DataError
from mlops_mlflow.core.records import Artifact, Dataset, Emit, Metric, Param, Progress
from mlops_mlflow.core.usecase.columns import check_columns
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.engines.connection import connect
from mlops_mlflow.engines.contract import ContractResult, check_contract
from mlops_mlflow.engines.databases import DatabaseRead
from mlops_mlflow.engines.digest import table_digest
from mlops_mlflow.engines.integrate import integrate
from mlops_mlflow.engines.sources import Bounds, OpenedSource, open_source
from mlops_mlflow.engines.tables import read_rows

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Inputs:
    """What is read, and where to.

    Attributes:
        spec: The use case.
        folder: Its folder, which paths are relative to.
        sql: Text of the integrating SQL; None reads the only source as it is.
        environment: Where ``${NAME}`` secrets come from.
        scratch: Folder for the dataset.
        since: Bound as ``:since``.
        until: Bound as ``:until``.
        read: What was read from databases already, into ``scratch``, by name of the source.
    """

    spec: UseCaseSpec
    folder: Path
    sql: str | None
    environment: Mapping[str, str]
    scratch: Path
    since: datetime | None
    until: datetime | None
    read: Mapping[str, DatabaseRead] = field(default_factory=dict)


@dataclass(frozen=True)
class Output:
    """One integrated dataset.

    Attributes:
        path: Parquet file.
        rows: How many it holds.
        columns: Name and type of each.
        digest: Of its content.
        sources: What it was made of.
        query: What joined them.
        contract: What became of rows that broke the contract.
    """

    path: Path
    rows: int
    columns: dict[str, str]
    digest: str
    sources: tuple[OpenedSource, ...]
    query: str
    contract: ContractResult


def run(inputs: Inputs, emit: Emit) -> Output:
    """Read, join, check.

    Raises:
        DataError: A source, the SQL, a column or the contract; says which.
        SecretError: A source needs a secret that the environment does not hold.
    """
    spec, bounds = inputs.spec, Bounds(inputs.since, inputs.until)
    joined = inputs.scratch / "joined.parquet"
    with connect(inputs.scratch) as connection:
        sources = list(_opened(inputs, connection, bounds, emit))
        if bounds and inputs.sql is None and not any(source.bounded for source in sources):
            raise _unbounded(bounds, sources[0])
        emit(Progress(len(spec.sources), len(spec.sources) + 2, "joining"))
        whole = integrate(connection, inputs.sql, sources, bounds=bounds, sql_name=spec.extract or "", out=joined)
    check_columns(spec, whole.columns)
    emit(Progress(len(spec.sources) + 1, len(spec.sources) + 2, "checking the contract"))
    path, quarantine = inputs.scratch / "dataset.parquet", inputs.scratch / "quarantine.parquet"
    contract = check_contract(joined, spec.contract, required=(spec.target.column,), out=path, quarantine=quarantine)
    digest = table_digest(path)
    emit(Metric("rows", contract.kept))
    emit(Metric("rows_quarantined", contract.quarantined))
    emit(Metric("quarantined_share", contract.share))
    for name, bound in (("since", inputs.since), ("until", inputs.until)):
        if bound is not None:
            emit(Param(name, bound.isoformat()))
    if contract.quarantined:
        emit(Artifact("quarantine.parquet", quarantine))
    _judge(contract, spec.contract.quarantine_at_most)
    emit(
        Dataset(
            f"{spec.use_case}.dataset", digest, "run artifact dataset.parquet", "dataset", whole.columns, contract.kept
        )
    )
    emit(Artifact("dataset.parquet", path))
    emit(Artifact("extract.sql", whole.query))
    return Output(path, contract.kept, whole.columns, digest, tuple(sources), whole.query, contract)


def _opened(
    inputs: Inputs, connection: duckdb.DuckDBPyConnection, bounds: Bounds, emit: Emit
) -> Iterator[OpenedSource]:
    """Every source as a table of the connection, in the order of the use case."""
    spec = inputs.spec
    for number, (name, source) in enumerate(spec.sources.items()):
        emit(Progress(number, len(spec.sources) + 2, f"reading {name}"))
        opened = open_source(
            connection,
            name,
            source,
            folder=inputs.folder,
            environment=inputs.environment,
            bounds=bounds,
            scratch=inputs.scratch,
            read=inputs.read.get(name),
        )
        emit(Dataset(f"{spec.use_case}.{name}", opened.digest, opened.uri, "source", opened.columns, opened.rows))
        yield opened


def _unbounded(bounds: Bounds, source: OpenedSource) -> DataError:
    return DataError(
        f"the data is bounded ({bounds}), but nothing applies `:since` and `:until`",
        expected="`extract`, a file with SQL that does",
        hint=f"write a SELECT from {source.name} with `... >= :since and ... < :until`, or leave the bounds out",
    )


def _judge(contract: ContractResult, most: float) -> None:
    if contract.share <= most and contract.kept:
        return
    told = "; ".join(f"{one.column}: {one.rule} ({one.count} rows)" for one in contract.reasons[:5])
    raise ContractError(
        f"{contract.quarantined} of {contract.rows} rows break the data contract ({contract.share:.2%})",
        expected=f"at most {most:.2%} (`contract.quarantine_at_most`)",
        got=told,
        hint="look at quarantine.parquet of the run; mend the source, the SQL, or the contract",
    )


def table(output: Output) -> pd.DataFrame:
    """The first 1,000 rows of the dataset."""
    first: pd.DataFrame = read_rows(output.path, None, np.arange(min(1000, output.rows)))
    return first
