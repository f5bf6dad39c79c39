"""Our tables in the tracking database: their migrations, and the triggers that refuse what a ledger must not meet."""

from __future__ import annotations

from typing import Any

from mlops_mlflow.core.errors import RegistryError

DIALECTS = ("sqlite", "postgresql")
VERSIONS = "mlops_ledger_schema"
# A record is its text, its place and its hash. The other columns are computed from the text, so that nobody can make
# a record of one model look like one of another without breaking the chain.
_SQLITE = (
    """
    CREATE TABLE mlops_ledger (
        sequence INTEGER NOT NULL PRIMARY KEY,
        text TEXT NOT NULL,
        previous TEXT NOT NULL,
        hash TEXT NOT NULL,
        time BIGINT GENERATED ALWAYS AS (json_extract(text, '$.time')) VIRTUAL NOT NULL,
        model TEXT GENERATED ALWAYS AS (json_extract(text, '$.model')) VIRTUAL NOT NULL,
        version TEXT GENERATED ALWAYS AS (json_extract(text, '$.version')) VIRTUAL NOT NULL,
        action TEXT GENERATED ALWAYS AS (json_extract(text, '$.action')) VIRTUAL NOT NULL
    )
    """,
    "CREATE INDEX mlops_ledger_model ON mlops_ledger (model, sequence)",
    # REPLACE deletes without asking the trigger for deletions; it has to pass this one.
    """
    CREATE TRIGGER mlops_ledger_insert BEFORE INSERT ON mlops_ledger
    WHEN NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM mlops_ledger)
    BEGIN SELECT RAISE(ABORT, 'mlops_ledger: a record is only ever appended after the last one'); END
    """,
    """
    CREATE TRIGGER mlops_ledger_update BEFORE UPDATE ON mlops_ledger
    BEGIN SELECT RAISE(ABORT, 'mlops_ledger: a record is never changed'); END
    """,
    """
    CREATE TRIGGER mlops_ledger_delete BEFORE DELETE ON mlops_ledger
    BEGIN SELECT RAISE(ABORT, 'mlops_ledger: a record is never deleted'); END
    """,
)
_POSTGRESQL = (
    """
    CREATE TABLE mlops_ledger (
        sequence BIGINT NOT NULL PRIMARY KEY,
        text TEXT NOT NULL,
        previous TEXT NOT NULL,
        hash TEXT NOT NULL,
        time BIGINT NOT NULL GENERATED ALWAYS AS ((text::json ->> 'time')::bigint) STORED,
        model TEXT NOT NULL GENERATED ALWAYS AS (text::json ->> 'model') STORED,
        version TEXT NOT NULL GENERATED ALWAYS AS (text::json ->> 'version') STORED,
        action TEXT NOT NULL GENERATED ALWAYS AS (text::json ->> 'action') STORED
    )
    """,
    "CREATE INDEX mlops_ledger_model ON mlops_ledger (model, sequence)",
    """
    CREATE FUNCTION mlops_ledger_append() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM mlops_ledger) THEN
            RAISE EXCEPTION 'mlops_ledger: a record is only ever appended after the last one';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE FUNCTION mlops_ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'mlops_ledger: a record is never changed or deleted';
    END $$
    """,
    """
    CREATE TRIGGER mlops_ledger_insert BEFORE INSERT ON mlops_ledger
    FOR EACH ROW EXECUTE FUNCTION mlops_ledger_append()
    """,
    """
    CREATE TRIGGER mlops_ledger_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON mlops_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION mlops_ledger_refuse()
    """,
    # Also for a session that calls itself a replica, in which other triggers do not fire.
    "ALTER TABLE mlops_ledger ENABLE ALWAYS TRIGGER mlops_ledger_refuse",
)
_ATTEMPTS = (
    """
    CREATE TABLE mlops_attempts (
        id VARCHAR(32) NOT NULL PRIMARY KEY,
        process TEXT NOT NULL,
        model TEXT NOT NULL,
        actor TEXT NOT NULL,
        began BIGINT NOT NULL
    )
    """,
)
MIGRATIONS = (
    {"sqlite": _SQLITE, "postgresql": _POSTGRESQL},
    {"sqlite": _ATTEMPTS, "postgresql": _ATTEMPTS},
)
"""By number, from 1: what each adds, by dialect. One that was released is never edited."""


def check_dialect(dialect: str, place: str) -> None:
    """Refuse databases whose transactions and triggers are not known here.

    Raises:
        RegistryError: It is one of those.
    """
    if dialect not in DIALECTS:
        raise RegistryError(
            f"{place} cannot keep the ledger of registry stage transitions",
            expected="SQLite or PostgreSQL",
            got=dialect,
            hint="move the tracking database to PostgreSQL, or use MLflow's own address without `mlops+`",
        )


def version(session: Any) -> int:
    """Number of the last migration of a database; 0 where there was none."""
    import sqlalchemy

    if not sqlalchemy.inspect(session.connection()).has_table(VERSIONS):
        return 0
    return int(session.execute(sqlalchemy.text(f"SELECT max(version) FROM {VERSIONS}")).scalar() or 0)  # noqa: S608  # a constant


def migrate(session: Any) -> None:
    """Bring our tables up to date, in a transaction that nobody else's overlaps."""
    connection, at = session.connection(), version(session)
    if at == 0:
        connection.exec_driver_sql(f"CREATE TABLE {VERSIONS} (version INTEGER NOT NULL PRIMARY KEY)")
    for number, statements in enumerate(MIGRATIONS[at:], start=at + 1):
        for statement in statements[connection.dialect.name]:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql(f"INSERT INTO {VERSIONS} (version) VALUES ({number})")  # noqa: S608  # constants


def is_current(session: Any, place: str) -> bool:
    """Whether there is nothing to migrate.

    Raises:
        RegistryError: A newer program has been here.
    """
    at = version(session)
    if at > len(MIGRATIONS):
        raise RegistryError(
            f"the ledger in {place} was written by a newer version of this program",
            expected=f"tables of version {len(MIGRATIONS)} or earlier",
            got=f"version {at}",
            hint="upgrade mlops-mlflow here",
        )
    return at == len(MIGRATIONS)
