"""SQL whose result is another one at another time; DuckDB itself says which functions are such."""

from __future__ import annotations

import time

import duckdb
import pytest

from mlops_mlflow.engines.connection import connect
from mlops_mlflow.engines.sql import changing

SAME_FOR_US = {
    "current_catalog": "our connections are all alike",
    "current_database": "our connections are all alike",
    "current_schema": "our connections are all alike",
    "current_schemas": "our connections are all alike",
    "in_search_path": "our connections are all alike",
    "current_query": "the SQL itself, which stands in the key",
    "getvariable": "one SELECT sets no variable",
    "setval": "one SELECT creates no sequence",
    "error": "gives no rows",
    "sleep_ms": "gives no rows that differ",
    "write_log": "gives no rows that differ",
    "stats": "of the rows, for those who work on DuckDB",
    "vector_type": "of the rows, for those who work on DuckDB",
    "current_setting": "settings are ours, but for the number of threads, which is nobody's feature",
    "pg_postmaster_start_time": "nobody's feature",
    "pg_conf_load_time": "nobody's feature",
}
PLAIN = """\
-- Nothing here is asked of now() or today.
select t.opened, c.age, c."current_date" as stamped, 'now()' as said, t.random_seed, t.known, t.nowhere,
    date_diff('day', t.opened, t.due) as days, current_plan, todays_price /* random() */
from tickets t join customers c using (customer_id)
where t.opened >= :since and t.opened < :until and t.words <> 'uuid() $1'
order by t.opened
"""
DIFFERENT = [
    "select now()",
    "select NOW ( )",
    "select today()",
    "select t.opened < current_date from t",
    "select current_timestamp",
    "select Current_Time",
    "select localtimestamp",
    "select localtime",
    "select get_current_timestamp()",
    "select transaction_timestamp()",
    "select random()",
    "select * from t order by random() limit 10",
    "select uuid()",
    "select gen_random_uuid()",
    "select uuidv7()",
    "select * from t using sample 10%",
    "select * from t using\n  sample reservoir(50 rows)",
    "select * from t tablesample 10%",
    "select nextval('s')",
    "select 'it''s' || now()",
    "select e'it\\'s' || now()",
    "select '--', now()",
    "select 1 -- it's\n, now()",
    "select /* ' */ now()",
    "select $$'$$, now()",
    'select "a""b", now() from t',
    "select {'at': now()}",
    "select list_transform([1], lambda x: random())",
    "select main.now()",
    'select "now"()',
    "select ago(interval 30 days)",
    "select * from t where opened > ago(interval 30 day)",
    "select age(born) from t",
    "select date_part('year', age(c.born)) as years from c",
]


@pytest.fixture(scope="module")
def connection() -> duckdb.DuckDBPyConnection:
    return connect()


def test_every_function_that_duckdb_calls_unstable_is_known(connection: duckdb.DuckDBPyConnection) -> None:
    query = "select distinct function_name from duckdb_functions() where stability <> 'CONSISTENT'"
    unstable = {name for (name,) in connection.execute(query).fetchall()}
    assert {"now", "random", "uuid", "nextval"} <= unstable, "the question is still understood"
    unknown = {name for name in unstable if not changing(f"select {name}() from t")}
    assert unknown - set(SAME_FOR_US) == set()


def test_every_macro_made_of_such_functions_is_known(connection: duckdb.DuckDBPyConnection) -> None:
    query = "select function_name, macro_definition from duckdb_functions() where macro_definition is not null"
    macros = connection.execute(query).fetchall()
    assert len(macros) > 50
    made_of = {name for name, definition in macros if changing(definition)}
    assert "ago" in made_of, "the question is still understood"
    assert {name for name in made_of if not changing(f"select {name}(x) from t")} - set(SAME_FOR_US) == set()


def test_nothing_is_excused_that_duckdb_does_not_have(connection: duckdb.DuckDBPyConnection) -> None:
    there = {name for (name,) in connection.execute("select function_name from duckdb_functions()").fetchall()}
    assert set(SAME_FOR_US) <= there


def test_functions_without_arguments_that_differ_from_call_to_call_are_known(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    """Whatever DuckDB says of them."""
    query = "select distinct function_name from duckdb_functions() where function_type = 'scalar' and parameters = []"
    names = [name for (name,) in connection.execute(query).fetchall()]
    assert "now" in names
    missed = []
    for name in names:
        try:
            first = connection.execute(f'select "{name}"()').fetchall()
            time.sleep(0.002)
            second = connection.execute(f'select "{name}"()').fetchall()
        except duckdb.Error:
            continue
        if first != second and not changing(f"select {name}()"):
            missed.append(name)
    assert set(missed) - set(SAME_FOR_US) == set()


def test_the_age_of_something_is_its_age_today(connection: duckdb.DuckDBPyConnection) -> None:
    """DuckDB calls it consistent, but it counts from the current date."""
    found = connection.execute(
        "select age(timestamp '2024-01-01') = age(current_date::timestamp, timestamp '2024-01-01')"
    ).fetchone()
    assert found == (True,)
    assert changing("select age(timestamp '2024-01-01')")


@pytest.mark.parametrize("sql", DIFFERENT)
def test_sql_that_differs_is_noticed(sql: str) -> None:
    assert changing(sql)


def test_the_word_is_told_as_it_stands() -> None:
    assert changing("select Now() from t") == "Now"


@pytest.mark.parametrize(
    "sql",
    [
        PLAIN,
        "",
        "select * from t",
        "select age from customers",
        "select c.age, (c.age) from customers c",
        "select 'using sample' as said from t",
        'select "using sample" from t',
        "select nowadays, uuids, randomised, todays from t",
        "select * from samples using (id)",
    ],
)
def test_other_sql_is_not_suspected(sql: str) -> None:
    assert changing(sql) == ""
