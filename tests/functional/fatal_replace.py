"""``mlops`` that is killed right before it puts its n-th file into place.

usage: python fatal_replace.py N WORDS OF MLOPS...
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from typing import Any

from mlops_mlflow.cli.main import invoke

number, words = int(sys.argv[1]), sys.argv[2:]
calls, replace = itertools.count(1), os.replace


def fatal(*paths: Any, **more: Any) -> None:
    """Put a file into place, or die."""
    if next(calls) == number:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths, **more)


os.replace = fatal
sys.argv = ["mlops", *words]
sys.exit(invoke())
