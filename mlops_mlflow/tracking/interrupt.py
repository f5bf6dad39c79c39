"""Ctrl-C that leaves a database usable: what is being asked of it is finished first."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

AGAIN_SECONDS = 0.02
PATIENCE_SECONDS = 5.0
"""Work on a database that takes longer than this is given up."""

_since: float | None = None
"""When a signal came that still waits."""


def interrupt(_: int, frame: FrameType | None) -> None:
    """Handle a signal by raising ``KeyboardInterrupt``, as soon as no work on a database is under way.

    An exception in the middle of SQLAlchemy's work can leave a connection that nobody closes. Its lock then keeps
    everybody else from a SQLite database, first of all whoever wants to mark what was running as killed.

    Raises:
        KeyboardInterrupt: At once, or from a timer's signal a little later.
    """
    global _since  # noqa: PLW0603  # signals belong to the process
    now = time.monotonic()
    _since = now if _since is None else _since
    if _is_inopportune(frame) and now - _since < PATIENCE_SECONDS:
        signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
        return
    _since = None
    signal.setitimer(signal.ITIMER_REAL, 0)
    raise KeyboardInterrupt


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Let Ctrl-C wait for the database inside, unless somebody else than Python itself handles it."""
    own = threading.current_thread() is threading.main_thread()
    if not own or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _is_inopportune(frame: FrameType | None) -> bool:
    """Whether an exception here would break the work of SQLAlchemy or of a store made of it, or be lost on its way."""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        # Python prints what finalizers and callbacks of weak references raise, and goes on.
        if "sqlalchemy" in module or module == "weakref" or frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False
