"""``mlops`` with its HTTP requests counted by the stage that made them.

usage: python counted.py OUT.json WORD...
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import requests

from mlops_mlflow.cli import main as command
from mlops_mlflow.lifecycle import execute

made: Counter[str] = Counter()
now = ["around the stages"]
send, ran = requests.Session.send, execute.execute


def counted(session: requests.Session, request: requests.PreparedRequest, **given: Any) -> requests.Response:
    """Send a request and count it."""
    made[now[-1]] += 1
    return send(session, request, **given)


def watched(session: Any, stage: str) -> Any:
    """Run a stage, its requests counted as its own."""
    now.append(stage)
    try:
        return ran(session, stage)
    finally:
        now.pop()


requests.Session.send = counted  # type: ignore[method-assign]
execute.execute = watched
out, sys.argv = sys.argv[1], ["mlops", *sys.argv[2:]]
code = command.invoke()
Path(out).write_text(json.dumps(made), encoding="utf-8")
sys.exit(code)
