"""``mlops`` in a process that is killed at its n-th request to MLflow, before or after the request is carried out.

usage: python fatal.py NUMBER before|after WORD...
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import mlflow

from mlops_mlflow.cli.main import main

REQUESTS = [
    name
    for name in vars(mlflow.MlflowClient)
    if name.startswith(("create_", "log_", "set_", "search_", "get_", "finalize_", "transition_", "update_", "delete_"))
]


def fatal(number: int, *, before: bool) -> None:
    """Let this process be killed by its own hand at a request."""
    left = number

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def request(*given: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0 and before:
                os.kill(os.getpid(), signal.SIGKILL)
            result = call(*given, **named)
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return request

    for name in REQUESTS:
        setattr(mlflow.MlflowClient, name, counted(getattr(mlflow.MlflowClient, name)))


if __name__ == "__main__":
    fatal(int(sys.argv[1]), before=sys.argv[2] == "before")
    sys.argv = ["mlops", *sys.argv[3:]]
    main()
