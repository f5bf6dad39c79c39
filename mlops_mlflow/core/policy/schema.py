"""The JSON Schema of a policy file, and its reference for people.

The schema is shipped as ``mlops_mlflow/policy.schema.json``. To write that file again:
``python -m mlops_mlflow.core.policy.schema > mlops_mlflow/policy.schema.json``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from mlops_mlflow.core.policy.document import Policy
from mlops_mlflow.core.usecase.reference import sections
from mlops_mlflow.core.usecase.schema import schema_of


def policy_schema() -> dict[str, Any]:
    """The schema, draft 2020-12; every file that the models accept is valid under it."""
    return schema_of(Policy, "Policy")


def policy_reference() -> str:
    """Markdown: a table per section, in the order in which the file names them."""
    return "\n".join(["## Reference", "", *sections(policy_schema(), level=3)])


if __name__ == "__main__":
    sys.stdout.write(json.dumps(policy_schema(), indent=2) + "\n")
