"""What the tables say of registered models and of the ledger. Every query goes by an index."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from mlops_mlflow.core.ledger.chain import Head, Stored
from mlops_mlflow.core.ledger.record import BEGINNING, Record
from mlops_mlflow.core.ledger.replay import history
from mlops_mlflow.governance.shelf import Shelf, Version, read_record

BEFORE_ALL = -(2**63)
_DELETED = "Deleted_Internal"
_VERSIONS = text(
    """
    SELECT version, current_stage, source, run_id, creation_time FROM model_versions
    WHERE workspace = 'default' AND name = :model AND current_stage <> :deleted ORDER BY version
    """
)
_TAGS = text("SELECT version, key, value FROM model_version_tags WHERE workspace = 'default' AND name = :model")
_ALIASES = text(
    "SELECT alias, version FROM registered_model_aliases WHERE workspace = 'default' AND name = :model ORDER BY alias"
)
_RECORDS = text("SELECT sequence, text FROM mlops_ledger WHERE model = :model ORDER BY sequence")
_HEAD = text("SELECT sequence, hash FROM mlops_ledger ORDER BY sequence DESC LIMIT 1")
_PAGE = (
    "SELECT sequence, {text}, previous, hash FROM mlops_ledger WHERE sequence > :after ORDER BY sequence LIMIT :most"
)
_GOVERNED = text("SELECT DISTINCT model FROM mlops_ledger")
_IS_GOVERNED = text("SELECT 1 FROM mlops_ledger WHERE model = :model LIMIT 1")
_INSERT = text("INSERT INTO mlops_ledger (sequence, text, previous, hash) VALUES (:sequence, :text, :previous, :hash)")


def read_shelf(session: Any, model: str) -> Shelf:
    """A registered model and its history, as one transaction sees them."""
    about = {"model": model}
    tags: dict[int, dict[str, str]] = {}
    for number, key, value in session.execute(_TAGS, about):
        tags.setdefault(number, {})[key] = value
    found = session.execute(_VERSIONS, {**about, "deleted": _DELETED})
    versions = {
        str(number): Version(model, str(number), stage, source, tags.get(number, {}), run_id or "", created)
        for number, stage, source, run_id, created in found
    }
    aliases = {alias: str(number) for alias, number in session.execute(_ALIASES, about)}
    return Shelf(model, versions, aliases, history(read_record(*one) for one in session.execute(_RECORDS, about)))


def head(session: Any) -> Head:
    """The last record; nothing is verified."""
    found = session.execute(_HEAD).first()
    return Head(found.sequence, found.hash) if found else Head(0, BEGINNING)


def append(session: Any, record: Record) -> None:
    """Write a record."""
    values = {"sequence": record.sequence, "text": record.text.decode(), "previous": record.previous}
    session.execute(_INSERT, {**values, "hash": record.hash})


def page(session: Any, after: int, most: int) -> list[Stored]:
    """The next records after a sequence, as they are kept.

    SQLite keeps whatever bytes somebody wrote there; they are not to stop whoever verifies them.
    """
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    query = text(_PAGE.format(text="CAST(text AS BLOB)" if is_sqlite else "text"))
    found = session.execute(query, {"after": after, "most": most})
    return [Stored(one[0], one[1] if is_sqlite else one[1].encode(), one[2], one[3]) for one in found]


def governed(session: Any) -> tuple[str, ...]:
    """Models that the ledger knows, sorted."""
    return tuple(sorted(session.execute(_GOVERNED).scalars()))


def is_governed(session: Any, model: str) -> bool:
    """Whether the ledger knows a model."""
    return session.execute(_IS_GOVERNED, {"model": model}).first() is not None
