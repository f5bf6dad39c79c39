"""What the commands of governance share: from a use case or a name to a desk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mlops_mlflow.core.errors import RegistryError, UseCaseError
from mlops_mlflow.core.policy.words import SIGNS
from mlops_mlflow.core.usecase.problems import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mlops_mlflow.core.policy.decide import Decision, RuleFinding
    from mlops_mlflow.governance.desk.desk import Desk
    from mlops_mlflow.governance.shelf import Registry


class RequestName(click.ParamType[int]):
    """``R17``, or ``17``."""

    name = "request"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number in it."""
        if isinstance(value, int):
            return value
        digits = value.removeprefix("R").removeprefix("r")
        if not (digits.isascii() and digits.isdigit()):
            self.fail(f"{value!r} is not the name of a request, such as R17", param, ctx)
        return int(digits)


class Whole(click.IntRange):
    """A whole number, named so where somebody gives something else; nothing where it is empty, as MLproject has it."""

    name = "whole number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        return None if value == "" else super().convert(value, param, ctx)


def known_model(desk: Desk, use_case: str) -> str:
    """Name of the registered model of a use case, if there is one.

    Raises:
        RegistryError: Neither the registry nor the ledger has it.
        UseCaseError: It is neither a folder nor a name.
    """
    model = model_of(use_case)
    check_model(desk.registry, model)
    return model


def check_model(registry: Registry, model: str) -> None:
    """Refuse a name that nothing has; a mistyped one more often than not.

    Raises:
        RegistryError: Neither the registry nor the ledger has it.
    """
    shelf = registry.shelf(model)
    if not shelf.versions and not shelf.history.registrations:
        raise RegistryError(
            f"there is no model {model}{did_you_mean(model, registry.governed())}",
            expected="a model that `mlops run` registered, or one to take over with `mlops adopt`",
            got="neither a version in the registry nor a record in the ledger",
            hint="run it first; only what passes `validate` is registered",
        )


def model_of(use_case: str) -> str:
    """Name of the registered model: of a folder with a use case, or the name itself.

    Raises:
        UseCaseError: It is neither.
    """
    from mlops_mlflow.lifecycle.folder import load_folder

    path = Path(use_case)
    if path.exists() or "/" in use_case:
        return load_folder(path).spec.use_case
    if not use_case.strip():
        raise UseCaseError("no use case is named", expected="a folder with usecase.yaml, or the name of a model")
    return use_case


def open_desk() -> Desk:
    """The desk of whoever is at the keyboard.

    Raises:
        MlopsError: The server, the registry or the policy file cannot be used.
    """
    from mlops_mlflow.lifecycle.governance.publishing import public_desk
    from mlops_mlflow.tracking.tracker import open_tracker

    desk = public_desk(open_tracker(None, create=False), tell=_warn)
    if not desk.registry.enforced:
        click.secho(f"not enforced: {desk.registry.place} is a plain MLflow server, which anybody can change", err=True)
    return desk


def _warn(text: str) -> None:
    click.secho(f"warning: {text}", fg="yellow", err=True)


def told(findings: Sequence[RuleFinding], *, todo: bool = True) -> str:
    """Rules as a table: outcome, rule, reason, and what would meet it."""
    width = min(48, max((len(one.rule) for one in findings), default=0))
    lines = []
    for one in findings:
        lines.append(f"  {SIGNS[one.outcome]} {one.rule:<{width}}  {one.reason}")
        if todo and one.outcome == "missing" and one.todo:
            lines.append(f"    {'':<{width}}  → {one.todo}")
    return "\n".join(lines)


def missing(decision: Decision, *, todo: bool = True) -> str:
    """What is missing, or that nothing is."""
    return told(decision.missing, todo=todo) if decision.missing else "  ✓ nothing is missing"
