"""Artifacts on their way: kept in a folder as they are said, digested and sent together."""

from __future__ import annotations

import functools
import shutil
from collections import defaultdict
from pathlib import Path

from mlops_mlflow.core.records import Artifact
from mlops_mlflow.engines.atomic import link
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.results import StoredFile
from mlops_mlflow.tracking.tracker import Tracker

UPLOADS = 8


class Outbox:
    """Artifacts of some runs that have not been sent yet.

    Args:
        tracker: Where to.
        folder: Keeps them until then.
    """

    def __init__(self, tracker: Tracker, folder: Path) -> None:
        self._tracker, self._folder = tracker, folder
        self.sent: dict[str, dict[str, StoredFile]] = defaultdict(dict)
        """What was sent, by run and path."""

    def put(self, run_id: str, record: Artifact) -> None:
        """Take an artifact."""
        target = self._folder / run_id / record.path
        with translated(f"write the artifact {record.path}", uri=self._tracker.shown_uri):
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(record.content, Path):
                link(record.content, target, f"the artifact {record.path}")
            elif isinstance(record.content, bytes):
                target.write_bytes(record.content)
            else:
                target.write_text(record.content, encoding="utf-8")

    def send(self) -> None:
        """Send all that was taken."""
        from concurrent.futures import ThreadPoolExecutor

        for folder in sorted(self._folder.glob("*")):
            # The card first: it is there even where another file finds no room.
            first, *rest = sorted(files_in(folder), key=lambda path: (path.stem != "card", path))
            self._send(folder, first)
            if rest:
                # Side by side, so that the way to a server counts once and not for every file.
                with ThreadPoolExecutor(UPLOADS) as pool:
                    list(pool.map(functools.partial(self._send, folder), rest))
            shutil.rmtree(folder)

    def _send(self, folder: Path, file: Path) -> None:
        run_id, name = folder.name, file.relative_to(folder)
        self.sent[run_id][name.as_posix()] = StoredFile.of(file)
        with translated(f"store the artifact {name}", uri=self._tracker.shown_uri):
            parent = None if name.parent == Path() else name.parent.as_posix()
            self._tracker.client.log_artifact(run_id, str(file), parent)


def files_in(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]
