"""Changes that have begun. One that is still here when its process is gone was cut off, and nothing of it was written.

The row is committed before the change begins, and deleted within the change's own transaction.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import text

from mlops_mlflow.governance.shelf import Attempt
from mlops_mlflow.tracking.process import lives, this_process

_BEGIN = text(
    "INSERT INTO mlops_attempts (id, process, model, actor, began) VALUES (:id, :process, :model, :actor, :began)"
)
_ALL = text("SELECT id, process, model, actor, began FROM mlops_attempts ORDER BY began, id")
_END = text("DELETE FROM mlops_attempts WHERE id = :id")


def begin(session: Any, model: str, actor: str, now: int) -> Attempt:
    """Write down that this process begins a change."""
    attempt = Attempt(uuid.uuid4().hex, this_process(), model, actor, now)
    session.execute(_BEGIN, vars(attempt))
    return attempt


def end(session: Any, attempt: Attempt) -> None:
    """Forget a change that is written with this transaction, or never will be."""
    session.execute(_END, {"id": attempt.id})


def interrupted(session: Any, now: int) -> tuple[Attempt, ...]:
    """Changes whose process is gone, the oldest first."""
    attempts = [Attempt(*one) for one in session.execute(_ALL)]
    return tuple(one for one in attempts if not lives(one.process, one.began / 1000, now / 1000))
