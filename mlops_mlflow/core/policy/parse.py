"""From the text of a policy file to its model, or to every problem with its line."""

from __future__ import annotations

from mlops_mlflow.core.errors import MlopsError
from mlops_mlflow.core.policy.checks import check
from mlops_mlflow.core.policy.document import Policy
from mlops_mlflow.core.usecase.kind import FileKind
from mlops_mlflow.core.usecase.parse import read_model
from mlops_mlflow.core.usecase.problems import InvalidFile


class PolicyError(MlopsError):
    """The organisation's policy cannot be read, or says something that cannot be."""


class InvalidPolicy(InvalidFile, PolicyError):
    """A policy file with one or more problems."""


POLICY = FileKind("policy", Policy, ("name", "Production"), InvalidPolicy)


def parse_policy(text: str, *, file: str) -> Policy:
    """Read and check a policy.

    Args:
        text: Content of the file.
        file: Its path, for messages.

    Raises:
        InvalidPolicy: With every problem that was found, each at its line.
    """
    policy, places = read_model(text, POLICY, file=file)
    if problems := check(policy, places):
        raise InvalidPolicy(problems)
    return policy
