from __future__ import annotations

from dataclasses import replace

from mlops_mlflow.core.usecase.data import Source
from mlops_mlflow.stages.design import card


def test_every_promise_is_listed_with_who_answers_for_it(walk, page):
    html = page(walk("priced").card("design"))
    assert "roc_auc at least 0.6" in html
    assert "approval by legal" in html
    assert "owner@example.com" in html
    assert "team@example.com" in html


def test_the_headline_counts_bounds_approvals_and_candidates(walk):
    assert "3 bounds to keep and 1 approval to get, 2 candidates" in walk("priced").card("design").headline


def test_prices_are_shown_with_their_unit_and_unpriced_outcomes_as_nothing(walk, page):
    html = page(walk("priced").card("design"))
    assert "10\u00a0EUR" in html
    assert "−2\u00a0EUR" in html
    assert "0\u00a0EUR" in html


def test_what_is_not_said_is_named(walk, page):
    html = page(walk("plain").card("design"))
    assert "No outcome is priced" in html
    assert "No limit is stated" in html
    assert "No use is ruled out" not in html


def test_the_url_of_a_database_is_not_shown(walk, page):
    walked = walk("plain")
    url = "postgresql+psycopg2://reader:open-sesame@db.example.com/shop"
    inputs = walked.inputs["design"]
    spec = inputs.spec.model_copy(update={"sources": {"orders": Source(sql=url, table="orders")}})
    html = page(card(replace(inputs, spec=spec), walked.outputs["design"]))
    assert "open-sesame" not in html
    assert "db.example.com" not in html
    assert "database (postgresql)" in html
