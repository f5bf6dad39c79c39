"""From the text of a YAML file to its models, or to every problem with its line."""

from __future__ import annotations

import json

from pydantic import ValidationError

from mlops_mlflow.core.usecase.checks import check
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.explain import explain
from mlops_mlflow.core.usecase.kind import USE_CASE, FileKind, M
from mlops_mlflow.core.usecase.problems import InvalidUseCase
from mlops_mlflow.core.usecase.yaml_tree import Places, read_tree


def parse_use_case(text: str, *, file: str) -> UseCaseSpec:
    """Read and check a use case.

    Args:
        text: Content of ``usecase.yaml``.
        file: Its path, for messages.

    Returns:
        The use case.

    Raises:
        InvalidUseCase: With every problem that was found, each at its line.
    """
    return parse_with_places(text, file=file)[0]


def parse_with_places(text: str, *, file: str) -> tuple[UseCaseSpec, Places]:
    """As ``parse_use_case``, and where everything stands, for checks that need more than the text."""
    spec, places = read_model(text, USE_CASE, file=file)
    if problems := check(spec, places):
        raise InvalidUseCase(problems)
    return spec, places


def read_model(text: str, kind: FileKind[M], *, file: str) -> tuple[M, Places]:
    """Read a file as the model of its kind; what has to hold between sections is for the caller to check.

    Args:
        text: Content of the file.
        kind: Of file.
        file: Its path, for messages.

    Raises:
        InvalidFile: The error of the kind, with every problem that was found.
    """
    tree = read_tree(text, file=file, kind=kind)
    try:
        # Strict as JSON: what the models accept is what the JSON Schema, and so the editor, accepts.
        return kind.model.model_validate_json(json.dumps(tree.root), strict=True), tree.places
    except ValidationError as error:
        raise kind.error(explain(error, tree, kind)) from None
