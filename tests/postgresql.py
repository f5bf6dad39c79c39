"""A throw-away PostgreSQL server from the system's binaries, for tests."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

SERVER_USER = "postgres"


def binaries() -> Path | None:
    """Folder of the newest installed server, if there is one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def require_postgresql() -> Path:
    """Folder of the server's binaries; skips the test, and says why, where there is none."""
    found = binaries()
    if found is None:
        pytest.skip("no PostgreSQL server in /usr/lib/postgresql: `apt-get install postgresql`")
    return found


@contextmanager
def running_postgresql(folder: Path) -> Iterator[str]:
    """Start a new cluster on a free port of this machine; it is stopped and removed at the end.

    Args:
        folder: Gets the server's log.

    Yields:
        SQLAlchemy URL (psycopg2) of an empty database.
    """
    where = require_postgresql()
    folder.mkdir(parents=True, exist_ok=True)
    # Not inside ``folder``: the server's user may not enter folders of root, and a socket's path must be short.
    home = Path(tempfile.mkdtemp(prefix="mlops-pg-"))
    if os.geteuid() == 0:
        shutil.chown(home, SERVER_USER)
    data, log, port = home / "data", home / "log", _free_port()
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
    try:
        _run(where / "initdb", "-D", data, "-U", "suite", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        _run(where / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "-t", "60", "start")
        try:
            yield f"postgresql+psycopg2://suite@127.0.0.1:{port}/postgres"
        finally:
            _run(where / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        if log.exists():
            shutil.copyfile(log, folder / "postgresql.log")
        shutil.rmtree(home, ignore_errors=True)


def _run(*command: Path | str) -> None:
    """Run as a user that the server accepts: it refuses root."""
    before = ["/usr/sbin/runuser", "-u", SERVER_USER, "--"] if os.geteuid() == 0 else []
    # pg_ctl's server keeps the output open, so nothing may wait for its end.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [*before, *map(str, command)], stdout=output, stderr=subprocess.STDOUT, cwd="/", check=False
        )
        output.seek(0)
        if done.returncode:
            raise RuntimeError(f"{Path(command[0]).name} failed: {output.read().decode(errors='replace')}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
