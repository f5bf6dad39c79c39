"""The data contract: rows that break it are set aside, each with its reasons."""

# ruff: noqa: S608 - names and texts in the SQL are quoted by `engines.sql`

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_mlflow.core.usecase.data import ColumnRule, Contract
from mlops_mlflow.engines.atomic import link, replacing
from mlops_mlflow.engines.connection import connect
from mlops_mlflow.engines.contract_schema import check_declarations, pandera_schema
from mlops_mlflow.engines.sql import literal, quoted
from mlops_mlflow.engines.tables import opened, read_batches

BATCH = 65_536
REASON = "_reason"


@dataclass(frozen=True)
class Reason:
    """A rule that rows broke.

    Attributes:
        column: Name of the column.
        rule: Such as ``missing``, ``min 1`` or ``unique``.
        count: How many rows broke it.
        example: One value that did, as text.
    """

    column: str
    rule: str
    count: int
    example: str


@dataclass(frozen=True)
class ContractResult:
    """What a check found.

    Attributes:
        rows: Rows checked.
        kept: Rows that keep the contract.
        quarantined: Rows set aside.
        reasons: Rules that were broken, most often broken first.
        share: Quarantined of all rows, 0 to 1.
    """

    rows: int
    kept: int
    quarantined: int
    reasons: tuple[Reason, ...]
    share: float


@dataclass
class Broken:
    """What each row broke, as a number into ``texts``, for reasons are few and rows are many; 0 is nothing.

    Attributes:
        codes: Of each row, numpy int32, shape (rows,).
        texts: Number of each text; they are counted from 0 in their order.
        counts: Rows by column and rule.
        examples: A value by column and rule.
    """

    codes: Any
    texts: dict[str, int] = field(default_factory=lambda: {"": 0})
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, begin: int, broken: Mapping[int, list[tuple[str, str, str]]]) -> None:
        """Note what rows of the batch that begins at ``begin`` broke: column, rule, value."""
        for row, rules in broken.items():
            text = "; ".join(f"{column}: {rule}" for column, rule, _ in rules)
            self.codes[begin + row] = self.texts.setdefault(text, len(self.texts))
            for column, rule, value in rules:
                self.counts[column, rule] += 1
                self.examples.setdefault((column, rule), value)

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """Rules that were broken, most often broken first."""
        ordered = sorted(self.counts.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Reason(column, rule, count, self.examples[column, rule]) for (column, rule), count in ordered)


def check_contract(
    path: Path, contract: Contract, *, required: Sequence[str], out: Path, quarantine: Path
) -> ContractResult:
    """Divide rows into those that keep the contract and those that do not.

    Of rows that share a value of a ``unique`` column the first is kept. Where nothing is broken ``out`` is a link to
    ``path``, and ``quarantine`` is not written. Whether the share is too high is for the caller to judge.

    Args:
        path: A Parquet file.
        contract: What was declared.
        required: Columns that must be there whatever the contract says: the target, the key, the event time.
        out: Where kept rows go.
        quarantine: Where broken rows go, with a column ``_reason``.

    Raises:
        ContractError: A column is missing or of another type than declared, or a rule does not fit its column.
        StorageError: The disk takes no more.
    """
    import numpy as np

    findings = find_broken(path, contract, required=required)
    rows, broken = len(findings.codes), int(np.count_nonzero(findings.codes))
    if broken:
        _divide(path, findings, out, quarantine)
    else:
        link(path, out, "the checked dataset")
    return ContractResult(rows, rows - broken, broken, findings.reasons, broken / rows if rows else 0.0)


def find_broken(path: Path, contract: Contract, *, required: Sequence[str]) -> Broken:
    """Rows that break the contract, and how; the file is left as it is.

    Args:
        path: A Parquet file.
        contract: What was declared.
        required: Columns that must be there whatever the contract says.

    Raises:
        ContractError: A column is missing or of another type than declared, or a rule does not fit its column.
    """
    import numpy as np
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        rows = file.metadata.num_rows
    rules = check_declarations(path, contract, required)
    found = Broken(np.zeros(rows, dtype="int32"))
    if rules:
        _find(path, rules, found)
    return found


def _find(path: Path, rules: Mapping[str, ColumnRule], findings: Broken) -> None:
    """Check every row, batch by batch; what the batches cannot know, whether a value came before, DuckDB finds."""
    import numpy as np

    repeated = {name: _repeated(path, name) for name, rule in rules.items() if rule.unique}
    schema = pandera_schema(rules)
    begin = 0
    for frame in read_batches(path, list(rules)):
        broken = _broken(schema, frame)
        for name, rows in repeated.items():
            first, last = np.searchsorted(rows, (begin, begin + len(frame)))
            _note(
                broken,
                ((int(row) - begin, name, "unique", frame[name].iloc[int(row) - begin]) for row in rows[first:last]),
            )
        findings.add(begin, broken)
        begin += len(frame)


def _repeated(path: Path, name: str) -> Any:
    """Sorted positions of the rows whose value of this column was in a row before; missing values repeat nothing."""
    import numpy as np

    column = quoted(name)
    with connect() as connection:
        found = connection.execute(
            f"""
                with rows as (
                    select {column} as value, file_row_number as row
                    from read_parquet({literal(path)}, file_row_number = true) where {column} is not null),
                firsts as (select value, min(row) as first from rows group by value having count(*) > 1)
                select row from rows join firsts using (value) where row > first order by row"""
        ).fetchnumpy()
    return np.asarray(found["row"], dtype="int64")


def _broken(schema: Any, frame: Any) -> dict[int, list[tuple[str, str, str]]]:
    """Rules that each row of the batch breaks, as pandera finds them."""
    import pandera.errors

    broken: dict[int, list[tuple[str, str, str]]] = {}
    try:
        with warnings.catch_warnings():
            # pandera puts values of several columns together, some of which are all missing; pandas warns of that.
            warnings.simplefilter("ignore", FutureWarning)
            schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        _note(
            broken, zip(cases["index"].astype(int), cases["column"], cases["check"], cases["failure_case"], strict=True)
        )
    return broken


def _note(broken: dict[int, list[tuple[str, str, str]]], cases: Iterable[tuple[int, str, str, object]]) -> None:
    for row, column, rule, value in cases:
        named = "missing" if rule == "not_nullable" else rule
        broken.setdefault(row, []).append((column, named, "" if named == "missing" else str(value)))


def _divide(path: Path, findings: Broken, out: Path, quarantine: Path) -> None:
    """Write both files in one pass over all columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = pa.array(list(findings.texts), pa.string())
    begin = 0
    with (
        opened(path) as file,
        replacing(out, "the kept rows") as kept_part,
        replacing(quarantine, "the quarantined rows") as quarantined_part,
        pq.ParquetWriter(kept_part, file.schema_arrow, compression="zstd") as kept,
        pq.ParquetWriter(
            quarantined_part, file.schema_arrow.append(pa.field(REASON, pa.string())), compression="zstd"
        ) as quarantined,
    ):
        for batch in file.iter_batches(BATCH):
            codes = findings.codes[begin : begin + len(batch)]
            begin += len(batch)
            broken = codes != 0
            kept.write_batch(batch.filter(pa.array(~broken)))
            reasons = texts.take(pa.array(codes[broken]))
            quarantined.write_batch(batch.filter(pa.array(broken)).append_column(REASON, reasons))
