"""Sources, SQL, contract, target and split that do not allow what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def test_a_missing_file_is_told_with_what_lies_there(use_case: Any, refuse: Callable[..., Any]) -> None:
    (use_case.path / "customers.csv").rename(use_case.path / "customer.csv")

    refuse("extract", "no file `customers.csv`", "customer.csv", "correct `sources.customers.path`")


def test_a_line_with_too_many_values_is_told_by_its_number(use_case: Any, refuse: Callable[..., Any]) -> None:
    lines = (use_case.path / "customers.csv").read_text().splitlines()
    lines[20] += ",x,y"
    use_case.text("customers.csv", "\n".join(lines))

    refuse("extract", "customers.csv:21:", "6 values", "at least 7 values")


def test_a_line_that_is_not_utf8_is_told_by_its_number(use_case: Any, refuse: Callable[..., Any]) -> None:
    file = use_case.path / "customers.csv"
    file.write_bytes(file.read_bytes().replace(b"C0004", b"C\xe9"))

    refuse("extract", "customers.csv:6:", "utf-8")


@pytest.mark.parametrize(
    ("content", "says"), [("", "the file is empty"), ("a,b,A\n1,2,3\n", "twice"), ("id,churned\n", "has no rows")]
)
def test_a_file_without_a_table_is_refused(use_case: Any, refuse: Callable[..., Any], content: str, says: str) -> None:
    use_case.text("customers.csv", content)

    refuse("extract", says)


def test_another_type_than_declared_is_told_with_an_example(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.column("minutes", lambda number, old: "many" if number == 5 else old)
    use_case.save(contract={"columns": {"minutes": {"type": "integer"}}})

    refuse("extract", "column `minutes` has another type", "integer", "'many'")


def test_too_many_broken_rows_are_kept_apart_and_told(use_case: Any, refuse: Callable[..., Any], shell: Any) -> None:
    use_case.save(contract={"columns": {"minutes": {"max": 200}}})

    refuse("extract", "of 300 rows break the data contract", "at most 1.00%", "minutes: max 200", "quarantine.parquet")

    failed = shell.runs("stage")[-1].info.run_id
    assert "quarantine.parquet" in [one.path for one in shell.client.list_artifacts(failed)]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("select *\nfrom customers\nwhere where", ("extract.sql:3:", "syntax error")),
        ("select *\nfrom customer", ("extract.sql:2:", "customer does not exist", "one of the sources: customers")),
        ("select id,\n  minuts from customers", ("extract.sql:2:", '"minuts" not found', '"minutes"')),
        ("select *, cast(plan as integer) as p from customers", ("extract.sql:1:", "Could not convert string")),
        ("select *, calls as CALLS from customers", ("extract.sql:", "`calls` twice")),
        ("select * from customers where calls > 99", ("extract.sql:", "has no rows", "customers (300)")),
        ("copy customers to 'stolen.csv'", ("extract.sql:", "not one SELECT")),
        ("select * from read_csv('http://localhost/x.csv')", ("extract.sql:", "Cannot access file")),
    ],
)
def test_sql_that_fails_is_told_with_its_line(
    use_case: Any, refuse: Callable[..., Any], query: str, says: tuple[str, ...]
) -> None:
    use_case.sql(query)

    refuse("extract", *says)
    assert not Path("stolen.csv").exists()


def test_bounds_that_nothing_applies_are_refused(use_case: Any, refuse: Callable[..., Any]) -> None:
    refuse(
        "extract", "nothing applies `:since`", "SELECT from customers", command=("run", "uc", "--since", "2024-06-01")
    )


def test_a_target_that_is_not_there_is_told_with_what_was_meant(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.save(target={"column": "churn"})

    refuse("extract", "`target.column` is `churn`", "did you mean `churned`?")


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({"evaluation": {"slices": ["nope"]}}, "evaluation.slices"),
        ({"split": {"by": "grouped", "group": "nope"}}, "split.group"),
        ({"event_time": {"column": "nope"}}, "event_time.column"),
    ],
)
def test_every_column_that_is_named_and_not_there_is_told(
    use_case: Any, refuse: Callable[..., Any], section: dict[str, Any], key: str
) -> None:
    use_case.save(**section)

    refuse("extract", f"`{key}` is `nope`", "one of id, when")


def test_a_forbidden_column_is_refused(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.save(forbidden=["calls"])

    refuse("extract", "column `calls` is forbidden", "take it out of the SQL")


def test_a_target_with_one_value_is_refused(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.column("churned", lambda *_: 1)

    refuse("explore", "`churned` has one value only", "two different outcomes")


def test_a_target_with_gaps_is_refused(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.column("churned", lambda number, old: "" if number < 3 else old)

    refuse("explore", "3 rows without an outcome", "is not null")


def test_a_target_with_infinity_is_refused(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.sql("select * replace (case when calls > 6 then 'inf'::double else minutes end as churned) from customers")

    refuse("explore", "infinite", "division by zero")


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ({"column": "plan", "task": "binary"}, ("declared as binary", "3 distinct values")),
        ({"column": "id"}, ("300 distinct values", "at most 50 classes")),
        ({"column": "churned", "positive": "yes"}, ("`target.positive` is 'yes'", "0 or 1")),
    ],
)
def test_a_target_that_is_not_what_was_declared_is_refused(
    use_case: Any, refuse: Callable[..., Any], target: dict[str, Any], says: tuple[str, ...]
) -> None:
    use_case.save(target=target, entity_key=None)

    refuse("explore", *says)


def test_a_split_that_leaves_a_part_empty_is_refused(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.column("when", lambda *_: "2024-01-01 10:00:00")
    use_case.save(event_time={"column": "when"}, split={"by": "time"})

    refuse("prepare", "leaves no row for train", "70% of 300 rows")


def test_a_split_that_leaves_a_part_without_a_class_is_refused(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.sql('select * replace ((calls = 7 and month("when") < 6)::int as churned) from customers')
    use_case.save(event_time={"column": "when"}, split={"by": "time"})

    refuse("prepare", "validation without the class 1", "stratified")


@pytest.mark.parametrize("word", ["last monday", "2024-01-01T10:00:00+02:00"])
def test_an_event_time_with_one_value_that_is_no_time_is_refused(
    use_case: Any, refuse: Callable[..., Any], word: str
) -> None:
    use_case.column("when", lambda number, old: word if number == 3 else old)
    use_case.save(event_time={"column": "when"}, split={"by": "time"})

    refuse("extract", "event time `when` is not a time", 'try_cast("when" as timestamp)')


def test_an_event_time_with_gaps_cannot_divide(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.column("when", lambda number, old: "" if number == 2 else old)
    use_case.save(event_time={"column": "when"}, split={"by": "time"})

    refuse("prepare", "event time `when` is missing in 1 rows")


def test_a_date_beyond_what_can_be_told_is_refused(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.column("when", lambda number, old: "9999-12-31 00:00:00" if number == 3 else old)
    use_case.save(features={})

    refuse("explore", "column `when`", "between the years 1678 and 2261")


@pytest.mark.parametrize("count", [1, 5])
def test_a_handful_of_rows_is_refused(
    use_case: Any, refuse: Callable[..., Any], table: Callable[..., Any], count: int
) -> None:
    use_case.data(table(count))

    refuse("explore", "churned")


def test_more_folds_than_rows_of_a_class_are_refused(
    use_case: Any, refuse: Callable[..., Any], table: Callable[..., Any]
) -> None:
    use_case.data(table(40)).save(tuning={"trials": 1, "folds": 20})

    refuse("train", "too few for cross-validation", "take fewer folds: `tuning: {folds: 2}`")


def test_a_secret_that_is_not_set_is_named(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.save(sources={"db": {"sql": "postgresql+psycopg2://u:${ORDERS_PW}@localhost/x", "table": "t"}})

    refuse("extract", "`ORDERS_PW`, which is not set", "export ORDERS_PW")


def test_a_missing_sqlite_file_is_refused_and_not_made(use_case: Any, refuse: Callable[..., Any]) -> None:
    use_case.save(sources={"db": {"sql": "sqlite:///nothing.db", "table": "t"}})

    refuse("extract", "there is no SQLite database at sqlite:///nothing.db", "correct `sources.db.sql`")
    assert not Path("nothing.db").exists()


def test_a_database_that_does_not_answer_is_told_without_the_password(
    use_case: Any, refuse: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, shell: Any, tmp_path: Path
) -> None:
    monkeypatch.setenv("ORDERS_PW", "s3cr3t-w0rd")
    use_case.save(sources={"db": {"sql": "postgresql+psycopg2://u:${ORDERS_PW}@127.0.0.1:1/x", "table": "t"}})

    ended = refuse("extract", "127.0.0.1:1/x cannot be reached", "host, user and password")

    assert "s3cr3t" not in ended.err
    assert "s3cr3t" not in shell.artifact(shell.runs("stage")[-1], "card.html", tmp_path)
