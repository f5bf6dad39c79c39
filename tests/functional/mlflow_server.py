"""A real MLflow tracking server with the artifact proxy, for tests."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from processes import environment

PATIENCE = 90
"""Seconds: the first start on a slow machine compiles MLflow and creates its tables."""


@dataclass(frozen=True)
class Server:
    """A running server.

    Attributes:
        uri: Its address.
        store: URI of its database.
        artifacts: Folder behind its artifact proxy.
    """

    uri: str
    store: str
    artifacts: Path


class NotStarted(Exception):
    """The server ended before it answered."""


@contextmanager
def running_server(folder: Path, store: str | None = None, *, registry: str = "") -> Iterator[Server]:
    """Start ``mlflow server`` on a free port of this machine; it is killed at the end.

    Args:
        folder: Gets artifacts, the log, and the database where ``store`` names no other.
        store: URI of the database.
        registry: Address of the model registry; the same database when left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    store = store or f"sqlite:///{folder / 'mlflow.db'}"
    for attempt in range(3):  # somebody else may take the port between finding and using it
        process, server = _start(folder, store, registry)
        try:
            _wait(process, server, folder / "server.log")
        except NotStarted:
            if attempt == 2:
                raise
            continue
        except BaseException:
            _kill(process)
            raise
        try:
            yield server
        finally:
            _kill(process)
        return


def _start(folder: Path, store: str, registry: str) -> tuple[subprocess.Popen[bytes], Server]:
    port, artifacts = _free_port(), folder / "artifacts"
    command = ["mlflow", "server", "--backend-store-uri", store, "--artifacts-destination", artifacts]
    command += ["--registry-store-uri", registry] if registry else []
    command += ["--serve-artifacts", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            list(map(str, command)),
            cwd=folder,
            env=environment(MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false"),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return process, Server(f"http://127.0.0.1:{port}", store, artifacts)


def _wait(process: subprocess.Popen[bytes], server: Server, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            _kill(process)
            raise NotStarted(f"mlflow server ended with {process.returncode}:\n{_tail(log)}")
        with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{server.uri}/health", timeout=5):
            return
        time.sleep(0.1)
    raise TimeoutError(f"mlflow server did not answer within {PATIENCE} s:\n{_tail(log)}")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The server and its workers: they are a process group of their own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(timeout=30)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-30:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
