"""The order of stages and what each needs."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from mlops_mlflow.core.errors import UseCaseError

NEEDS: dict[str, tuple[str, ...]] = {
    "design": (),
    "extract": ("design",),
    "explore": ("extract",),
    "prepare": ("extract",),
    "train": ("prepare",),
    "evaluate": ("train",),
    "validate": ("evaluate",),
}
STAGES = tuple(NEEDS)
MAIN = "main"


def missing(target: str, done: Collection[str]) -> list[str]:
    """Stages to run for a target, in order, the target last; all of them for ``main``.

    Args:
        target: A stage, which runs even where it is done, or ``main``.
        done: Stages with a result.

    Raises:
        UseCaseError: There is no such stage.
    """
    if target == MAIN:
        return [stage for stage in STAGES if stage not in done]
    if target not in NEEDS:
        near = difflib.get_close_matches(target, [*STAGES, MAIN], n=1)
        raise UseCaseError(
            f"there is no stage `{target}`",
            expected=", ".join([*STAGES, MAIN]),
            hint=f"did you mean `{near[0]}`?" if near else "",
        )
    wanted = _upstream(target)
    return [stage for stage in STAGES if stage in wanted and stage not in done] + [target]


def _upstream(stage: str) -> set[str]:
    return set(NEEDS[stage]).union(*(_upstream(need) for need in NEEDS[stage]))
