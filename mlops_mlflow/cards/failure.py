"""The card of a stage that could not do its work."""

from __future__ import annotations

from mlops_mlflow.cards.blocks import Block, Card, Code, Findings, Fold, Heading, Remark

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
        blocks += [Heading("What to do next"), Findings((Remark("info", _sentence(hint)),))]
    # As remarks, so that the note on the run's page says them too.
    compared = [f"{name}: {value}" for name, value in (("Got", got), ("Expected", expected)) if value]
    if compared:
        blocks += [Heading("What went wrong"), Findings((Remark("failed", compared[0], *compared[1:]),))]
    if log_tail.strip():
        lines = log_tail.rstrip().splitlines()[-_LOG_LINES:]
        blocks.append(Fold("The end of the log", (Code("\n".join(lines)),), is_open=True))
    return Card(stage, "This stage did not finish.", "failed", error_what, tuple(blocks))


def _sentence(hint: str) -> str:
    """A hint as a sentence: an error's begins small and ends without a full stop."""
    begun = hint[:1].upper() + hint[1:]
    return begun if begun.endswith((".", "!", "?", "`")) else f"{begun}."
