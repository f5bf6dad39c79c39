"""From the text of ``usecase.yaml`` to its models, or to every problem with its line."""

from __future__ import annotations

import json

from pydantic import ValidationError

from mlops_mlflow.core.usecase.checks import check
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.explain import explain
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
    tree = read_tree(text, file=file)
    try:
        # Strict as JSON: what the models accept is what the JSON Schema, and so the editor, accepts.
        spec = UseCaseSpec.model_validate_json(json.dumps(tree.root), strict=True)
    except ValidationError as error:
        raise InvalidUseCase(explain(error, tree)) from None
    if problems := check(spec, tree.places):
        raise InvalidUseCase(problems)
    return spec, tree.places
