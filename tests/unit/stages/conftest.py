"""Small lifecycles without MLflow: every stage's inputs and output, for tests of what the stages' cards say."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops_mlflow.cards.blocks import Card
from mlops_mlflow.cards.page import to_html, to_json
from mlops_mlflow.core.usecase.parse import parse_use_case
from mlops_mlflow.learning.predict import predictor
from mlops_mlflow.stages import design, evaluate, explore, extract, prepare, train, validate

STAGES: dict[str, ModuleType] = {
    "design": design,
    "extract": extract,
    "explore": explore,
    "prepare": prepare,
    "train": train,
    "evaluate": evaluate,
    "validate": validate,
}
ROWS = 400
SECRET = "secret"
OUTLIER = 987_654.25

HEAD = """
version: 1
use_case: tiny
question: What will happen?
owners: {{business: owner@example.com, technical: team@example.com}}
card: {{intended_use: Tests of cards., not_for: Anything else., examples: {examples}}}
entity_key: key
sources: {{rows: {{path: rows.csv}}}}
tuning: {{trials: 3, folds: 2, algorithm: random}}
"""
LOGISTIC = "sklearn.linear_model.LogisticRegression"
TREE = "sklearn.tree.DecisionTreeClassifier"
CASES = {
    "priced": HEAD.format(examples="true")
    + f"""
target: {{column: outcome, positive: 1}}
event_time: {{column: seen, zone: UTC}}
value: {{unit: EUR, true_positive: 10, false_positive: -2}}
contract: {{quarantine_at_most: 0.1, columns: {{height: {{max: 4}}}}}}
split: {{by: time, train: 0.6, validation: 0.2, test: 0.2}}
candidates:
  logistic: {{estimator: {LOGISTIC}, space: {{C: {{loguniform: [0.01, 10]}}}}}}
  tree: {{estimator: {TREE}, space: {{max_depth: {{uniformint: [2, 4]}}, criterion: {{choice: [gini, entropy]}}}}}}
evaluation: {{slices: [city], minimum_rows: 10}}
success:
  - {{metric: roc_auc, at_least: 0.6}}
  - {{metric: roc_auc, at_least: -0.5, against: champion}}
requirements:
  - {{metric: latency_p95_ms, at_most: 10000}}
  - {{approval: legal, subject: wording}}
""",
    "plain": HEAD.format(examples="false")
    + f"""
target: {{column: outcome, positive: 1}}
split: {{by: stratified, train: 0.6, validation: 0.2, test: 0.2}}
contract: {{quarantine_at_most: 0.1, columns: {{height: {{max: 4}}}}}}
candidates:
  tree: {{estimator: {TREE}, fixed: {{max_depth: 2}}, space: {{criterion: {{choice: [gini, nonsense]}}}}}}
  broken: {{estimator: {TREE}, fixed: {{criterion: nonsense}}}}
success: [{{metric: roc_auc, at_least: 0.9999}}]
""",
    "classes": HEAD.format(examples="true")
    + f"""
target: {{column: colour}}
split: {{by: stratified, train: 0.6, validation: 0.2, test: 0.2}}
candidates:
  logistic: {{estimator: {LOGISTIC}, space: {{C: {{loguniform: [0.01, 10]}}}}}}
success: [{{metric: accuracy, at_least: 0.5}}]
""",
    "number": HEAD.format(examples="true")
    + """
target: {column: amount}
value: {unit: EUR, over: -1, under: -2}
candidates:
  ridge: {estimator: sklearn.linear_model.Ridge, space: {alpha: {loguniform: [0.01, 100]}}}
success: [{metric: rmse, at_most: 5}]
""",
}
CASES["hidden number"] = CASES["number"].replace("examples: true", "examples: false")


@dataclass
class Walk:
    """Inputs and output of every stage of one use case."""

    inputs: dict[str, Any]
    outputs: dict[str, Any]

    def card(self, stage: str, **changes: Any) -> Card:
        """The card of a stage, of its output with changes."""
        return STAGES[stage].card(self.inputs[stage], replace(self.outputs[stage], **changes))


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Walk]:
    """A use case by its name, run once through every stage."""
    done: dict[str, Walk] = {}

    def get(name: str) -> Walk:
        if name not in done:
            done[name] = _walk(CASES[name], tmp_path_factory.mktemp(name.replace(" ", "-")))
        return done[name]

    return get


@pytest.fixture
def page() -> Callable[[Card], str]:
    """A card as a page; it also has to be writable as JSON."""

    def drawn(card: Card) -> str:
        assert json.loads(to_json(card))["headline"] == card.headline
        html = to_html(card)
        assert "left out to keep this page small" not in html
        assert len(html) < 300_000
        return html

    return drawn


def _rows() -> pd.DataFrame:
    random = np.random.default_rng(5)
    width, height = random.normal(size=ROWS), random.normal(size=ROWS)
    height[3] = OUTLIER
    signal = width + random.normal(scale=0.7, size=ROWS)
    return pd.DataFrame(
        {
            "key": [f"{SECRET}-{number:04}" for number in range(ROWS)],
            "seen": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(ROWS) * 6, unit="h"),
            "width": width,
            "height": height,
            "city": random.choice([f"{SECRET}-town", f"{SECRET}-city"], ROWS),
            "outcome": (signal > 0.5).astype(int),
            "colour": np.select([signal < -0.5, signal < 0.5], ["red", "green"], "blue"),
            "amount": 20 + 3 * signal,
        }
    )


def _walk(text: str, folder: Path) -> Walk:
    spec = parse_use_case(text, file="usecase.yaml")
    targets = {"outcome", "colour", "amount"} - {spec.target.column}
    _rows().drop(columns=[*targets, *([] if spec.event_time else ["seen"])]).to_csv(folder / "rows.csv", index=False)
    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}

    def go(stage: str, taken: Any) -> Any:
        inputs[stage] = taken
        outputs[stage] = STAGES[stage].run(taken, lambda _: None)
        return outputs[stage]

    go("design", design.Inputs(spec, {"usecase.yaml": text}))
    data = go("extract", extract.Inputs(spec, folder, None, {}, folder, None, None))
    go("explore", explore.Inputs(spec, data.path, data.columns))
    problem = go("prepare", prepare.Inputs(spec, data.path, data.columns, data.digest, {}, folder)).problem
    fitted = go("train", train.Inputs(problem)).fitted
    candidates = tuple(evaluate.Candidate(f.name, f.estimator, f.params, f.mean, f.is_baseline) for f in fitted)
    chosen = go("evaluate", evaluate.Inputs(problem, candidates, "{}"))
    best, base = chosen.of(chosen.chosen), chosen.of(chosen.baseline)
    judged = validate.Inputs(
        problem,
        best.name,
        predictor(best.model, problem.outcomes),
        best.threshold,
        base.name,
        predictor(base.model, problem.outcomes),
        None,
        0.5,
        1.5,
        chosen.choose_by,
        time.perf_counter,
    )
    go("validate", judged)
    return Walk(inputs, outputs)
