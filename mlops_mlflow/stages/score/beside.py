"""Work in threads beside: while some rows are predicted, those before are written and the next are read."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeVar

Item = TypeVar("Item")


class Beside:
    """A thread that does one piece of work after the other; whoever brings the next waits for the one before.

    So there is never more than one piece under way, and memory does not grow where writing is slower than predicting.
    A context manager: at the end all is done, or nothing more will be.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "mlops-beside")
        self._going: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._thread.shutdown()
        if kind is None:
            self.wait()

    def __call__(self, work: Callable[[], None]) -> None:
        """Do this as soon as the piece before is done.

        Raises:
            Exception: Whatever the piece before raised.
        """
        self.wait()
        self._going = self._thread.submit(work)

    def wait(self) -> None:
        """Wait until there is nothing to do.

        Raises:
            Exception: Whatever the last piece raised.
        """
        going, self._going = self._going, None
        if going is not None:
            going.result()


def ahead(items: Iterator[Item]) -> Generator[Item, None, None]:
    """The same items, each fetched while the one before is worked on; to be closed when it is left early.

    Raises:
        Exception: Whatever fetching one raised.
    """
    end = object()
    with ThreadPoolExecutor(1, "mlops-ahead") as thread:
        coming = thread.submit(next, items, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, items, end)
            yield item  # type: ignore[misc]  # it is not the end
