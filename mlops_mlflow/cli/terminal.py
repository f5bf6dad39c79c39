"""Progress on the terminal: a bar where there is one to draw on, a line per stage everywhere."""

from __future__ import annotations

import contextlib
import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from mlops_mlflow.core import records

SIGNS = {"FINISHED": "[green]✓[/]", "FAILED": "[red]✗[/]", "KILLED": "[yellow]■[/]"}


class Terminal:
    """A display on standard error; standard output is left to results."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("  [bold]{task.fields[stage]:<9}[/]"),
            BarColumn(bar_width=30),
            TextColumn("{task.completed:.0f}/{task.total:.0f}  {task.description}"),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._task: TaskID | None = None
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Terminal:
        """Start drawing."""
        if self._console.is_terminal:
            self._stack.enter_context(self._progress)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing."""
        self._stack.close()

    def say(self, text: str) -> None:
        """A line."""
        self._console.print(text, markup=False, soft_wrap=True)

    def look(self, stage: str) -> None:
        """An earlier result of a stage is looked for."""
        self._clear()
        doing = "reading the sources" if stage == "extract" else "looking for an earlier result"
        self._task = self._progress.add_task(doing, stage=stage, total=1)

    def begin(self, stage: str) -> None:
        """A stage begins."""
        self._clear()
        self._task = self._progress.add_task("", stage=stage, total=1)

    def progress(self, stage: str, progress: records.Progress) -> None:  # noqa: ARG002  # one stage at a time
        """A stage has come so far."""
        if self._task is not None:
            self._progress.update(self._task, completed=progress.done, total=progress.total, description=progress.what)

    def end(self, stage: str, status: str, seconds: float, headline: str) -> None:
        """A stage has ended."""
        self._clear()
        self._console.print(f"{SIGNS[status]} {stage:<9} {seconds:6.1f} s  {_plain(headline)}", soft_wrap=True)

    def reuse(self, stage: str, run_id: str, ended: int, headline: str) -> None:
        """A stage need not run."""
        self._clear()
        told = f"[dim](run {run_id[:8]}, {age(ended)})[/]"
        self._console.print(f"[cyan]=[/] {stage:<9}   reused  {_plain(headline)}  {told}", soft_wrap=True)

    def _clear(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None


def _plain(headline: str) -> str:
    """Without the marks of Markdown, and safe to print."""
    return escape(headline.replace("**", "").replace("`", ""))


def age(ended: int) -> str:
    """How long ago a time was (milliseconds since 1970), as people say it."""
    seconds = max(0.0, time.time() - ended / 1000)
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
