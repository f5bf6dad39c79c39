"""What every run of a stage leaves behind: its card, what libraries warned of, why it failed."""

from __future__ import annotations

import contextlib
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from mlops_mlflow.core.errors import MlopsError
from mlops_mlflow.core.records import Artifact, ModelFile, Note, Tag
from mlops_mlflow.lifecycle.failure import evidence_of, failure_page
from mlops_mlflow.tracking.tracker import Status, Tracker
from mlops_mlflow.tracking.writer import Writer


@contextlib.contextmanager
def overheard(writer: Writer) -> Iterator[None]:
    """Keep what libraries warn of with the run, where it can be read later, and off the terminal."""
    with warnings.catch_warnings(record=True) as heard:
        try:
            yield
        finally:
            told = dict.fromkeys(f"{one.category.__name__}: {one.message}" for one in heard)
            if told:
                writer(Artifact("warnings.txt", "\n".join(told)))


def draw(writer: Writer, make: Callable[[], Any], model: str | None = None) -> Any:
    """Draw and log a card, with a model too where one is named; one that cannot be drawn never fails the stage."""
    from mlops_mlflow.cards.page import to_html, to_json, to_markdown

    try:
        card = make()
        html, plain, note = to_html(card), to_json(card), to_markdown(card)
    except Exception:  # noqa: BLE001  # the result stands without its picture
        writer(Tag("mlops.card_error", traceback.format_exc(limit=-3)[-4000:]))
        return None
    writer(Artifact("card.html", html))
    writer(Artifact("card.json", plain))
    if model is not None:
        writer(ModelFile(model, "model_card.html", html))
        writer(ModelFile(model, "model_card.json", plain))
    writer(Note(f"{note}\n\nThe whole page is `card.html` under Artifacts."))
    return card


def record_failure(writer: Writer, stage: str, error: MlopsError) -> None:
    """Say on the run why it failed. Where that fails, too, as on a full disk, the first error is the one to tell."""
    with contextlib.suppress(MlopsError):
        draw(writer, lambda: failure_page(stage, error))
    with contextlib.suppress(MlopsError):
        for record in evidence_of(error):
            writer(record)


def give_up(tracker: Tracker, writer: Writer, run_id: str, status: Status) -> None:
    """Leave the truth behind as far as the server still answers; the error on its way matters more."""
    with contextlib.suppress(MlopsError):
        writer.close(status)
    with contextlib.suppress(MlopsError):
        tracker.end_children(run_id, status)
    with contextlib.suppress(MlopsError):
        tracker.end_run(run_id, status)
