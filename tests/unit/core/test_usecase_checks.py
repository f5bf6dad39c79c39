from __future__ import annotations

import pytest

from mlops_mlflow.core.usecase.parse import parse_use_case
from mlops_mlflow.core.usecase.problems import InvalidUseCase

GOOD = """\
use_case: flights
question: Which flights will be late?
owners: {business: a@example.com, technical: b@example.com}
card: {intended_use: Warn passengers.}
target: {column: late, positive: 1}
value: {true_positive: 30, false_positive: -10}
sources:
  flights: {path: flights.csv}
candidates:
  logistic:
    estimator: sklearn.linear_model.LogisticRegression
    space: {C: {loguniform: [0.001, 10]}}
tuning: {metric: average_precision}
evaluation: {choose_by: value_per_row, slices: [origin]}
success:
  - {metric: roc_auc, at_least: 0.6, by: origin}
  - {metric: brier_score, at_most: 0.01, against: champion}
requirements:
  - {metric: latency_p95_ms, at_most: 100}
  - {metric: equalized_odds_difference, at_most: 0.3, by: carrier}
  - {approval: legal, subject: wording}
entity_key: flight
event_time: {column: when}
contract:
  columns:
    distance: {type: number, min: 1, max: 10}
    origin: {allowed: [EWR, JFK]}
forbidden: [delay]
features: {kinds: {day: categorical}}
split: {by: grouped, group: plane}
monitoring:
  window: P7D
  slices: [dest]
  alarm:
    - {metric: recall, falls_by: 0.05, below: reference}
    - {metric: log_loss, rises_by: 0.05}
"""
VALUE = "value: {true_positive: 30, false_positive: -10}\n"


def problems(*replacements: tuple[str, str]) -> list[tuple[int, str]]:
    text = GOOD
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    with pytest.raises(InvalidUseCase) as caught:
        parse_use_case(text, file="u.yaml")
    return [(place.line, message) for place, message in caught.value.problems]


def test_a_consistent_use_case_has_no_problems():
    assert parse_use_case(GOOD, file="u.yaml").use_case == "flights"


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        # metrics
        ("metric: roc_auc", "metric: roc_acu", 16, "`roc_acu` is not a metric (did you mean `roc_auc`?)"),
        ("metric: latency_p95_ms", "metric: latency", 19, "`latency` is not a metric"),
        ("metric: recall", "metric: recal", 35, "did you mean `recall`?"),
        ("metric: average_precision", "metric: accurracy", 13, "did you mean `accuracy`?"),
        ("choose_by: value_per_row", "choose_by: value", 14, "`value` is not a metric"),
        ("metric: roc_auc", "metric: rmse", 16, "`rmse` is for a regression target, but the target is binary"),
        ("metric: average_precision", "metric: roc_auc_ovr", 13, "is for a multiclass target"),
        ("choose_by: value_per_row", "choose_by: latency_p95_ms", 14, "technical metric; expected one of quality or"),
        (
            "metric: average_precision",
            "metric: equalized_odds_difference",
            13,
            "fairness metric; expected one of quality or value",
        ),
        # direction
        (
            "brier_score, at_most",
            "brier_score, at_least",
            17,
            "better when it is lower (of the difference to the champion",
        ),
        ("roc_auc, at_least", "roc_auc, at_most", 16, "better when it is higher; bound it with `at_least`"),
        ("latency_p95_ms, at_most", "latency_p95_ms, at_least", 19, "bound it with `at_most`"),
        ("falls_by: 0.05, below: reference", "rises_by: 0.05", 35, "bound it with `at_least` or `falls_by`"),
        ("rises_by", "falls_by", 36, "bound it with `at_most` or `rises_by`"),
        ("rises_by", "at_least", 36, "bound it with `at_most` or `rises_by`"),
        # groups and comparisons
        (", by: carrier", "", 20, "add `by`"),
        ("at_most: 100", "at_most: 100, by: carrier", 19, "leave out `by`"),
        ("metric: recall", "metric: demographic_parity_ratio", 35, "cannot be named here"),
        (
            "brier_score, at_most: 0.01",
            "model_size_mb, at_most: 0.01",
            17,
            "technical metric; `against` compares figures measured on the same rows",
        ),
        # names
        ("space: {C:", "space: {my C:", 12, "`my C` is not the name of a parameter"),
        ("    space:", "    fixed: {a-b: 1}\n    space:", 12, "`a-b` is not the name of a parameter"),
        # contract
        ("min: 1, max: 10", "min: 11, max: 10", 26, "`min` (11) is above `max` (10)"),
        ("type: number, min", "type: string, min", 26, "`min` is for numbers, but `type` is string"),
        ("allowed: [EWR, JFK]", "type: integer, allowed: [1, JFK]", 27, "`JFK` under `allowed` can never be met"),
        ("allowed: [EWR, JFK]", "type: integer, allowed: [true]", 27, "`True` under `allowed` can never be met"),
        ("allowed: [EWR, JFK]", "type: boolean, allowed: [1]", 27, "`1` under `allowed` can never be met"),
        ("allowed: [EWR, JFK]", "allowed: []", 27, "`allowed` is empty"),
        ("allowed: [EWR, JFK]", "min: 2, allowed: [1, 2]", 27, "`1` under `allowed` lies outside"),
        ("allowed: [EWR, JFK]", "pattern: '['", 27, "is not a regular expression"),
        ("allowed: [EWR, JFK]", "type: number, pattern: a", 27, "`pattern` is for text"),
        # forbidden columns
        ("entity_key: flight", "entity_key: delay", 22, "`delay` is forbidden"),
        ("{column: when}", "{column: delay}", 23, "`delay` is forbidden"),
        ("    distance:", "    delay:", 26, "`delay` is forbidden"),
        ("{day: categorical}", "{delay: numeric}", 29, "`delay` is forbidden"),
        ("slices: [origin]", "slices: [delay]", 14, "`delay` is forbidden"),
        ("slices: [dest]", "slices: [delay]", 33, "`delay` is forbidden"),
        ("group: plane", "group: delay", 30, "`delay` is forbidden"),
        ("at_least: 0.6, by: origin", "at_least: 0.6, by: delay", 16, "`delay` is forbidden"),
        ("by: carrier", "by: delay", 20, "`delay` is forbidden"),
        ("entity_key: flight", "entity_key: late", 22, "`late` is the target"),
        # secrets
        ("{path: flights.csv}", "{path: '${HOME}/x.csv'}", 8, "only under `sources.*.sql`"),
        ("wording", "'${WORDS}'", 21, "only under `sources.*.sql`"),
        ("{path: flights.csv}", '{sql: "pg+x://u:pw@h/d", table: t}', 8, "a password stands in the file"),
        ("{path: flights.csv}", '{sql: "pg+x://u:p@w/@h/d", table: t}', 8, "a password stands in the file"),
        ("{path: flights.csv}", '{sql: "pg+x://u:x${PW}@h/d", table: t}', 8, "a password stands in the file"),
        ("{path: flights.csv}", '{sql: "pg+x://h/d?password=pw", table: t}', 8, "a password stands in the file"),
        ("{path: flights.csv}", '{sql: "pg+x://${MY-DB}", table: t}', 8, "holds the name of an environment variable"),
    ],
)
def test_a_contradiction_is_told_at_its_line(old: str, new: str, line: int, said: str):
    ((found_line, message),) = problems((old, new))
    assert said in message
    assert found_line == line


@pytest.mark.parametrize(
    "url", ["pg+x://u:${PW}@h/d", "pg+x://${DB}", "pg+x://u@h/d", "sqlite:///a.db", "pg+x://h/d?password=${PW}"]
)
def test_a_url_without_a_literal_password_is_fine(url: str):
    text = GOOD.replace("{path: flights.csv}", f'{{sql: "{url}", table: t}}')
    assert parse_use_case(text, file="u.yaml").sources["flights"].sql == url


def test_a_password_is_never_repeated():
    ((_, message),) = problems(("{path: flights.csv}", '{sql: "pg+x://u:s3cret@h/d", table: t}'))
    assert "s3cret" not in message


def test_value_metrics_need_prices():
    found = problems((VALUE, ""))
    assert found == [(13, "`value_per_row` needs the section `value`, which says what an outcome is worth")]


def test_without_a_declared_task_metrics_have_to_agree_on_one():
    plain = [(VALUE, ""), (", positive: 1", ""), ("value_per_row", "roc_auc")]
    ((line, message),) = problems(*plain, ("metric: average_precision", "metric: mae"))
    assert line == 12
    assert message == "`mae` is for a regression target, but metrics above are for a binary one"


def test_the_way_of_pricing_and_the_positive_outcome_have_to_fit_the_declared_task():
    found = problems(("positive: 1", "positive: 1, task: multiclass"))
    assert found[:2] == [
        (5, "`target.positive` is for a binary target, but this one is multiclass"),
        (6, "`value` prices a binary target, but `target.task` is multiclass"),
    ]


def test_several_contradictions_come_in_the_order_of_the_file():
    found = problems(("slices: [origin]", "slices: [delay]"), ("min: 1, max: 10", "min: 11, max: 10"), ("C:", "my C:"))
    assert [line for line, _ in found] == [12, 14, 26]
