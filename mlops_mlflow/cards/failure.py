"""The card of a stage that could not do its work."""

from __future__ import annotations

from mlops_mlflow.cards.blocks import Block, Card, Code, Fold, Heading, KeyValues, Text

_LOG_LINES = 30


def failure_card(  # noqa: PLR0917  # the parts of an error, in the order that every error has
    stage: str, error_what: str, expected: str = "", got: str = "", hint: str = "", log_tail: str = ""
) -> Card:
    """Say what went wrong and what to do about it.

    Args:
        stage: The stage that failed.
        error_what: The thing concerned and what is wrong with it, one sentence.
        expected: What was expected, or empty.
        got: What came instead, or empty.
        hint: What to do next, or empty.
        log_tail: The end of the run's log, or empty.
    """
    blocks: list[Block] = []
    if hint:
        blocks += [Heading("What to do next"), Text(hint)]
    compared = tuple((name, value) for name, value in (("Expected", expected), ("Got", got)) if value)
    if compared:
        blocks += [Heading("What went wrong"), KeyValues(compared)]
    if log_tail.strip():
        lines = log_tail.rstrip().splitlines()[-_LOG_LINES:]
        blocks.append(Fold("The end of the log", (Code("\n".join(lines)),), is_open=True))
    return Card(stage, "This stage did not finish.", "failed", error_what, tuple(blocks))
