from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mlops_mlflow.core.errors import ContractError
from mlops_mlflow.core.usecase.data import ColumnRule, Contract
from mlops_mlflow.engines import contract as module
from mlops_mlflow.engines import tables
from mlops_mlflow.engines.contract import ContractResult, Reason, check_contract, find_broken


def check(
    folder: Path, table: dict[str, Any] | pa.Table, required: tuple[str, ...] = (), **rules: Any
) -> ContractResult:
    pq.write_table(pa.table(table) if isinstance(table, dict) else table, folder / "a.parquet", row_group_size=3)
    contract = Contract(columns={name: ColumnRule(**rule) for name, rule in rules.items()})
    return check_contract(
        folder / "a.parquet", contract, required=required, out=folder / "out.parquet", quarantine=folder / "bad.parquet"
    )


@pytest.fixture(params=[2, 1000], ids=["batches of 2", "one batch"])
def batches(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", request.param)
    monkeypatch.setattr(tables, "BATCH", request.param)


@pytest.mark.usefixtures("batches")
def test_broken_rows_are_set_aside_with_every_reason(tmp_path: Path) -> None:
    table = {
        "n": [1, 0, 7, 3, None],
        "s": ["ab", "ab", "x", "ab1", "ab"],
        "o": ["EWR", "EWR", "ABC", "JFK", "JFK"],
        "other": [1, 2, 3, 4, 5],
    }
    got = check(
        tmp_path,
        table,
        n={"min": 1, "max": 6, "type": "integer"},
        s={"pattern": "[a-z]{2}"},
        o={"allowed": ["EWR", "JFK"]},
    )
    assert (got.rows, got.kept, got.quarantined, got.share) == (5, 1, 4, 0.8)
    assert got.reasons == (
        Reason("s", "pattern [a-z]{2}", 2, "x"),
        Reason("n", "max 6", 1, "7.0"),
        Reason("n", "min 1", 1, "0.0"),
        Reason("n", "missing", 1, ""),
        Reason("o", "allowed", 1, "ABC"),
    )
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == {"n": [1], "s": ["ab"], "o": ["EWR"], "other": [1]}
    bad = pq.read_table(tmp_path / "bad.parquet").to_pydict()
    assert bad["other"] == [2, 3, 4, 5]
    assert [set(reason.split("; ")) for reason in bad["_reason"]] == [
        {"n: min 1"},
        {"n: max 6", "s: pattern [a-z]{2}", "o: allowed"},
        {"s: pattern [a-z]{2}"},
        {"n: missing"},
    ]


@pytest.mark.usefixtures("batches")
def test_what_each_row_breaks_is_found_and_the_file_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"n": [1, 0, 9, None], "s": ["a", "b", "c", None]}), path)
    before = path.read_bytes()
    contract = Contract(columns={"n": ColumnRule(min=1, max=6), "s": ColumnRule()})
    found = find_broken(path, contract, required=["s"])
    texts = list(found.texts)
    assert [texts[code] for code in found.codes] == ["", "n: min 1", "n: max 6", "n: missing; s: missing"]
    assert {(one.column, one.rule): one.count for one in found.reasons}["n", "missing"] == 1
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["a.parquet"]


@pytest.mark.usefixtures("batches")
def test_of_equal_values_of_a_unique_column_the_first_is_kept(tmp_path: Path) -> None:
    got = check(tmp_path, {"k": ["a", "b", "a", None, None, "a"]}, k={"unique": True, "nullable": True})
    assert pq.read_table(tmp_path / "out.parquet")["k"].to_pylist() == ["a", "b", None, None]
    assert got.reasons == (Reason("k", "unique", 2, "a"),)


def test_a_kept_contract_costs_no_copy_and_no_quarantine(tmp_path: Path) -> None:
    got = check(tmp_path, {"n": [1, 2]}, n={"min": 1})
    assert (got.kept, got.quarantined, got.reasons, got.share) == (2, 0, (), 0.0)
    assert (tmp_path / "out.parquet").samefile(tmp_path / "a.parquet")
    assert not (tmp_path / "bad.parquet").exists()


def test_without_columns_nothing_is_read(tmp_path: Path) -> None:
    assert check(tmp_path, {"n": [1, None]}, required=("n",)).kept == 2
    assert (tmp_path / "out.parquet").samefile(tmp_path / "a.parquet")


def test_missing_values_are_allowed_where_declared(tmp_path: Path) -> None:
    assert check(tmp_path, {"n": [None, 2.0]}, n={"min": 1, "nullable": True}).quarantined == 0


def test_a_missing_column_is_an_error_unless_it_may_be_absent(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"no column `distanz`, which the contract declares(.|\n)*distance"):
        check(tmp_path, {"distance": [1]}, distanz={})
    with pytest.raises(ContractError, match="no column `late`, which the use case needs"):
        check(tmp_path, {"distance": [1]}, required=("late",))
    assert check(tmp_path, {"distance": [1]}, distanz={"required": False}).kept == 1


@pytest.mark.parametrize(
    ("values", "declared", "words"),
    [
        (["1", "NIL", "x"], "number", ["expected: number", "VARCHAR", "'NIL', 'x'"]),
        (["1", "2"], "integer", ["expected: integer", "'1', '2'"]),
        ([1.0, 1.5], "integer", ["DOUBLE", "'1.5'"]),
        ([1, 2], "string", ["expected: string", "BIGINT"]),
        ([1, 0], "boolean", ["expected: boolean", "BIGINT"]),
        (["2013-01-01"], "datetime", ["expected: datetime", "VARCHAR"]),
    ],
)
def test_another_type_than_declared_is_an_error_with_examples(
    tmp_path: Path, values: list[Any], declared: str, words: list[str]
) -> None:
    with pytest.raises(ContractError, match="column `c` has another type") as caught:
        check(tmp_path, {"c": values}, c={"type": declared})
    assert all(word in str(caught.value) for word in words)
    assert not (tmp_path / "out.parquet").exists()


@pytest.mark.parametrize(
    ("values", "declared"),
    [
        ([1, 2], "number"),
        ([1.0, 2.0, None], "integer"),
        ([datetime(2013, 1, 1)], "datetime"),
        ([True], "boolean"),
        (["a"], "string"),
        (pa.nulls(2, pa.int32()), "string"),
    ],
)
def test_types_that_hold_the_declared_values_are_taken(tmp_path: Path, values: Any, declared: str) -> None:
    assert check(tmp_path, {"c": values}, c={"type": declared, "nullable": True}).quarantined == 0


@pytest.mark.parametrize(
    ("values", "rule", "words"),
    [
        (["a"], {"min": 1}, "`min` cannot be checked of column `c`"),
        ([datetime(2013, 1, 1)], {"max": 1}, "`max` cannot be checked of column `c`"),
        ([1], {"pattern": "a"}, "`pattern` cannot be checked of column `c`"),
        (["a"], {"pattern": "("}, "not a regular expression"),
    ],
)
def test_a_rule_that_does_not_fit_its_column_is_an_error(
    tmp_path: Path, values: list[Any], rule: Any, words: str
) -> None:
    with pytest.raises(ContractError, match=words):
        check(tmp_path, {"c": values}, c=rule)


def test_when_all_rows_break_both_files_are_written(tmp_path: Path) -> None:
    got = check(tmp_path, {"n": [0, 0]}, n={"min": 1})
    assert (got.kept, got.share) == (0, 1.0)
    assert pq.read_metadata(tmp_path / "out.parquet").num_rows == 0
    assert pq.read_metadata(tmp_path / "bad.parquet").num_rows == 2
