"""Tracking servers and databases that are not there, are broken, or say no."""

from __future__ import annotations

import contextlib
import http.server
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_mlflow.tracking import tracker

PATIENCE = 15


@contextlib.contextmanager
def server(status: int, body: bytes, *, says_healthy: bool = True) -> Iterator[str]:
    """A server that answers everything alike, its health aside."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            healthy = says_healthy and self.path == "/health"
            self.send_response(200 if healthy else status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"OK" if healthy else body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as answering:
        thread = threading.Thread(target=answering.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{answering.server_port}"
        answering.shutdown()
        thread.join()


@pytest.fixture
def refused_by(use_case: Any, shell: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the use case against a server and expects a quick refusal that says some things."""

    def run(uri: str, *says: str) -> Any:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        began = time.monotonic()
        ended = shell("run", "uc")
        assert time.monotonic() - began < PATIENCE
        assert ended.code == 2, ended.err
        assert ended.err.count("error: ") == 1
        assert "Traceback" not in ended.err
        for part in says:
            assert part in ended.message
        return ended

    return run


def test_a_server_that_is_not_there_is_told_without_the_password(refused_by: Callable[..., Any]) -> None:
    ended = refused_by("http://me:s3cr3t@127.0.0.1:1", "http://me@127.0.0.1:1 cannot be reached", "MLFLOW_TRACKING_URI")

    assert "s3cr3t" not in ended.err


def test_a_server_that_never_answers_is_given_up(
    refused_by: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tracker.ANSWER_SECONDS < PATIENCE
    monkeypatch.setattr(tracker, "ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        refused_by(f"http://127.0.0.1:{deaf.getsockname()[1]}", "cannot be reached", "ReadTimeout")


def test_a_server_whose_database_is_gone_is_told_at_once(refused_by: Callable[..., Any]) -> None:
    with server(500, b'{"error_code": "INTERNAL_ERROR", "message": "no database"}') as uri:
        refused_by(uri, f"{uri} is broken", "HTTP 500", "the server's log")


def test_a_server_that_says_no_is_told(refused_by: Callable[..., Any]) -> None:
    with server(403, b'{"error_code": "PERMISSION_DENIED", "message": "not for you"}') as uri:
        refused_by(
            uri, "could not open the tracking server", "PERMISSION_DENIED: not for you", "check permissions", uri
        )


def test_a_server_that_is_no_mlflow_is_told(refused_by: Callable[..., Any]) -> None:
    with server(200, b"<html>Welcome</html>") as uri:
        refused_by(uri, "tracking server", uri)


@pytest.mark.parametrize("uri", ["foo://somewhere", "htp://127.0.0.1:1"])
def test_an_address_that_mlflow_does_not_know_is_told(refused_by: Callable[..., Any], uri: str) -> None:
    refused_by(uri, "tracking server", uri.partition(":")[0])


def test_a_database_that_is_not_there_is_told_without_the_password(refused_by: Callable[..., Any]) -> None:
    ended = refused_by(
        "postgresql+psycopg2://me:s3cr3t@127.0.0.1:1/x", "//me@127.0.0.1:1/x cannot be reached", "refused"
    )

    assert "s3cr3t" not in ended.err


def test_a_database_without_its_driver_is_told(refused_by: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)

    refused_by("mysql+pymysql://me:s3cr3t@127.0.0.1:1/x", "the driver of mysql+pymysql://me@127.0.0.1:1/x", "pymysql")


def test_a_database_file_whose_folder_cannot_be_made_is_told(refused_by: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    refused_by(f"sqlite:///{tmp_path}/file/mlflow.db", "could not make the folder", str(tmp_path / "file"))


def test_a_file_that_is_no_database_is_told(refused_by: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "other.db").write_text("This is a letter, not a database. " * 100)

    refused_by(f"sqlite:///{tmp_path}/other.db", "other.db", "not a database")
