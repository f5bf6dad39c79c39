"""The schema that editors check a policy file with, and the page that people read."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
import yaml

from mlops_mlflow.core.policy.document import Policy
from mlops_mlflow.core.policy.parse import parse_policy
from mlops_mlflow.core.policy.schema import policy_reference, policy_schema
from mlops_mlflow.core.usecase.yaml_tree import read_tree

PAGE = Path(__file__).parents[3] / "docs" / "policy.md"


def example() -> str:
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


def valid(text: str) -> bool:
    return bool(jsonschema.Draft202012Validator(policy_schema()).is_valid(read_tree(text, file="f").root))


def test_the_shipped_schema_is_the_one_of_the_models() -> None:
    shipped = resources.files("mlops_mlflow") / "policy.schema.json"
    assert json.loads(shipped.read_text(encoding="utf-8")) == policy_schema(), "see core/policy/schema.py"


def test_it_is_a_schema_of_draft_2020_12_without_noise_of_the_generator() -> None:
    schema = policy_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["title"] == "Policy"
    assert all("title" not in section for section in schema["$defs"].values())
    assert all(section["description"] for section in schema["$defs"].values())


def test_every_key_says_what_it_is_for() -> None:
    schema = policy_schema()
    for section in (schema, *schema["$defs"].values()):
        for key, field in section["properties"].items():
            assert field.get("description") or key == "version", key


def test_the_example_of_the_page_is_a_policy_that_uses_every_section() -> None:
    parse_policy(example(), file="policy.md")
    assert valid(example())
    assert set(yaml.safe_load(example())) >= set(Policy.model_fields)


@pytest.mark.parametrize(
    ("old", "new"),
    [("mode: enforce", "mode: enforced"), ("P30D", "30 days"), ("members:", "member:"), ("name:", "nam:")],
)
def test_an_editor_sees_what_is_wrong(old: str, new: str) -> None:
    assert old in example()
    assert not valid(example().replace(old, new))


def test_the_page_ends_with_the_reference_of_the_models() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.endswith(policy_reference()), "put `mlops schema --policy --markdown` at the end of docs/policy.md"
