"""What a use case's `governance` can say, and what is wrong in it, each at its line."""

from __future__ import annotations

import jsonschema
import pytest

from mlops_mlflow.core.usecase.parse import parse_use_case
from mlops_mlflow.core.usecase.problems import InvalidUseCase
from mlops_mlflow.core.usecase.schema import json_schema
from mlops_mlflow.core.usecase.yaml_tree import dotted, read_tree

TEXT = """\
use_case: flights
question: Which flights will be late?
owners: {business: b, technical: t}
card: {intended_use: Warn passengers.}
target: {column: late, positive: 1}
sources: {flights: {path: flights.csv}}
candidates: {logistic: {estimator: sklearn.linear_model.LogisticRegression}}
success: [{metric: roc_auc, at_least: 0.6}]
governance:
  Staging: {approvals: {business: 1}}
  Production:
    minimum_staging: P1D
    envelope:
      spares: [business]
      metrics: [{metric: roc_auc, at_least: 0.7}]
      per_month: 2
"""


def changed(old: str, new: str) -> str:
    assert TEXT.count(old) == 1
    return TEXT.replace(old, new)


def test_an_envelope_is_part_of_a_use_case() -> None:
    spec = parse_use_case(TEXT, file="u.yaml")

    envelope = spec.governance.Production.envelope
    assert envelope is not None
    assert (envelope.spares, envelope.metrics[0].limit, envelope.per_month) == (("business",), 0.7, 2)


@pytest.mark.parametrize(
    ("old", "new", "told", "editor"),
    [
        (
            "spares: [business]",
            "spares: []",
            "u.yaml:14:15: `governance.Production.envelope.spares`: expected at",
            True,
        ),
        ("metric: roc_auc, at_least: 0.7", "metric: roc_acu, at_least: 0.7", "u.yaml:15:26: `roc_acu` is not a", True),
        ("at_least: 0.7", "at_most: 0.7", "u.yaml:15:26: `roc_auc` is better when it is higher; bound it with", False),
        (
            "metric: roc_auc, at_least: 0.7",
            "metric: equalized_odds_ratio, at_least: 0.7",
            "u.yaml:15:26: `equalized_odds_ratio` compares groups, which cannot be named here",
            True,
        ),
        ("metric: roc_auc, at_least: 0.7", "metric: roc_auc", "u.yaml:15:17: `governance.Production.envelope.m", False),
        ("per_month: 2", "per_month: 0", "u.yaml:16:18: `governance.Production.envelope.per_month`: expected", True),
        (
            "per_month",
            "per_moth",
            "u.yaml:16:7: `per_moth` is not a key of `governance.Production.envelope` (did",
            True,
        ),
        (
            "{approvals: {business: 1}}",
            "{minimum_staging: P1D}",
            "u.yaml:10:30: `governance.Staging.minimum_staging`: only a transition to Production can wait in Staging",
            False,
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_line_and_most_of_it_by_editors_too(
    old: str, new: str, told: str, editor: bool
) -> None:
    text = changed(old, new)

    with pytest.raises(InvalidUseCase) as caught:
        parse_use_case(text, file="u.yaml")

    assert [str(one)[: len(told)] for one in caught.value.problems] == [told]
    valid = jsonschema.Draft202012Validator(json_schema()).is_valid(read_tree(text, file="f").root)
    assert valid is not editor


@pytest.mark.parametrize("subject", ["transition", "envelope"])
def test_a_requirement_is_not_met_by_approvals_of_something_else(subject: str) -> None:
    text = TEXT + f"requirements: [{{approval: legal, subject: {subject}}}]\n"

    with pytest.raises(InvalidUseCase) as caught:
        parse_use_case(text, file="u.yaml")

    assert str(caught.value) == (
        f"u.yaml:17:43: `{subject}` is the subject of other approvals; say in a few words what legal approves"
    )


def test_paths_are_shown_as_people_write_them() -> None:
    assert dotted(("success", 0, "metric")) == "success[0].metric"
    assert dotted(()) == ""
