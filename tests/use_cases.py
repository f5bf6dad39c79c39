"""Folders of small use cases, each of which runs to a version in Staging within seconds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

Document = dict[str, Any]

LOGISTIC = {
    "estimator": "sklearn.linear_model.LogisticRegression",
    "fixed": {"max_iter": 500},
    "space": {"C": {"loguniform": [0.01, 10]}},
}
TREE = {
    "estimator": "sklearn.tree.DecisionTreeClassifier",
    "space": {"max_depth": {"uniformint": [2, 6]}, "criterion": {"choice": ["gini", "entropy"]}},
}


def breast_cancer(parent: Path, **changes: Any) -> Path:
    """Binary, stratified split, no features of its own."""
    document = _document("breast_cancer", "Which tumours are malignant?") | {
        "target": {"column": "malignant", "positive": 1},
        "value": {"unit": "EUR", "true_positive": 100, "false_positive": -20},
        "split": {"by": "stratified", "train": 0.6, "validation": 0.2, "test": 0.2},
        "candidates": {"logistic": LOGISTIC, "tree": TREE},
        "success": [
            {"metric": "roc_auc", "at_least": 0.9},
            {"metric": "value_per_row", "at_least": 0, "against": "baseline"},
        ],
        "requirements": [
            {"metric": "latency_p95_ms", "at_most": 2000},
            {"approval": "legal", "subject": "wording of the letter", "before": "Production"},
        ],
    }
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer(as_frame=True).frame.rename(columns=lambda name: name.replace(" ", "_"))
    table = table.assign(malignant=1 - table["target"]).drop(columns="target")
    return write(parent, document | changes, {"data/table.csv": table.to_csv(index=False)})


def wine(parent: Path, **changes: Any) -> Path:
    """Three classes, stratified split."""
    document = _document("wine", "From which vineyard does a bottle come?") | {
        "target": {"column": "vineyard"},
        "split": {"by": "stratified", "train": 0.6, "validation": 0.2, "test": 0.2},
        "candidates": {"logistic": LOGISTIC, "tree": TREE},
        "success": [{"metric": "balanced_accuracy", "at_least": 0.7}],
    }
    from sklearn.datasets import load_wine

    table = load_wine(as_frame=True).frame.rename(columns={"od280/od315_of_diluted_wines": "dilution"})
    table = table.assign(vineyard=table["target"].map({0: "north", 1: "middle", 2: "south"})).drop(columns="target")
    return write(parent, document | changes, {"data/table.csv": table.to_csv(index=False)})


def diabetes(parent: Path, **changes: Any) -> Path:
    """Regression, random split."""
    document = _document("diabetes", "How far will the disease have come in a year?") | {
        "target": {"column": "progression"},
        "split": {"by": "random", "train": 0.6, "validation": 0.2, "test": 0.2},
        "candidates": {
            "ridge": {"estimator": "sklearn.linear_model.Ridge", "space": {"alpha": {"loguniform": [0.001, 10]}}},
            "tree": {
                "estimator": "sklearn.tree.DecisionTreeRegressor",
                "space": {"max_depth": {"uniformint": [2, 5]}},
            },
        },
        "success": [{"metric": "rmse", "at_most": 70}],
    }
    from sklearn.datasets import load_diabetes

    table = load_diabetes(as_frame=True).frame.rename(columns={"target": "progression"})
    return write(parent, document | changes, {"data/table.csv": table.to_csv(index=False)})


def refused(parent: Path, **changes: Any) -> Path:
    """Cannot meet its bound: nobody's model is right about everything and a bit more."""
    hard = [{"metric": "roc_auc", "at_least": 1.5}]
    return breast_cancer(parent, **{"use_case": "refused", "success": hard, **changes})


TICKETS_SQL = """\
-- One row per ticket, with what is known of its customer.
select t.ticket_id, t.opened, t.due, t.channel, t.words, c.plan, c.age, t.escalated
from tickets t
join customers c on c.customer_id = t.customer_id
where t.opened >= :since and t.opened < :until
"""

TICKETS_FEATURES = '''\
"""Features of a ticket."""

import pandas as pd


def derive(table: pd.DataFrame) -> pd.DataFrame:
    """Add the time that is left."""
    return table.assign(hours_left=(table["due"] - table["opened"]).dt.total_seconds() / 3600)
'''


def tickets(
    parent: Path, *, sql: str = TICKETS_SQL, features: str = TICKETS_FEATURES, rows: int = 1200, **changes: Any
) -> Path:
    """Binary, split by time, two CSV joined by SQL, with text, times, categories and ``derive``.

    There is one ticket an hour from 2024-01-01, so 24 a day.
    """
    document = _document("tickets", "Which tickets will be escalated?") | {
        "sources": {"tickets": {"path": "data/tickets.csv"}, "customers": {"path": "data/customers.csv"}},
        "extract": "extract.sql",
        "data": {"since": "2024-01-01", "until": "2030-01-01"},
        "target": {"column": "escalated", "positive": 1},
        "entity_key": "ticket_id",
        "event_time": {"column": "opened", "zone": "Europe/Berlin"},
        "value": {"unit": "EUR", "true_positive": 50, "false_positive": -10},
        "split": {"by": "time", "train": 0.6, "validation": 0.2, "test": 0.2},
        "features": {"module": "features.py"},
        "candidates": {"logistic": LOGISTIC, "tree": TREE},
        "evaluation": {"slices": ["plan"], "minimum_rows": 20},
        "success": [
            {"metric": "roc_auc", "at_least": 0.7},
            {"metric": "roc_auc", "at_least": -0.05, "against": "champion"},
        ],
    }
    opened, customers = ticket_tables(rows)
    files = {
        "extract.sql": sql,
        "features.py": features,
        "data/tickets.csv": opened.to_csv(index=False),
        "data/customers.csv": customers.to_csv(index=False),
    }
    return write(parent, document | changes, files)


def ticket_tables(rows: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tickets and customers: angry words, little time and the small plan escalate more often."""
    draw = np.random.default_rng(3)
    customers = pd.DataFrame(
        {
            "customer_id": [f"K{number:03}" for number in range(60)],
            "plan": draw.choice(["small", "medium", "large"], 60),
            "age": draw.integers(18, 80, 60),
        }
    )
    opened = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(rows), unit="h")
    angry, hours = draw.random(rows) < 0.4, draw.integers(2, 72, rows)
    who = draw.integers(0, 60, rows)
    lean = 2.5 * angry - hours / 24 + 1.0 * (customers["plan"].to_numpy()[who] == "small") - 0.5
    tone = np.where(
        angry, "this is broken again and I am very angry", "a friendly question about my next invoice please"
    )
    tickets = pd.DataFrame(
        {
            "ticket_id": [f"T{number:05}" for number in range(rows)],
            "customer_id": customers["customer_id"].to_numpy()[who],
            "opened": opened,
            "due": opened + pd.to_timedelta(hours, unit="h"),
            "channel": draw.choice(["mail", "chat", "phone"], rows),
            "words": [f"{words} number {number}" for number, words in enumerate(tone)],
            "escalated": (draw.random(rows) < 1 / (1 + np.exp(-lean))).astype(int),
        }
    )
    return tickets, customers


def _document(name: str, question: str) -> Document:
    return {
        "version": 1,
        "use_case": name,
        "question": question,
        "owners": {"business": "owner@example.com", "technical": "team@example.com"},
        "seed": 7,
        "card": {"intended_use": "Tests.", "risk": "low"},
        "sources": {"table": {"path": "data/table.csv"}},
        "tuning": {"trials": 2, "folds": 2},
    }


def write(parent: Path, document: Mapping[str, Any], files: Mapping[str, str]) -> Path:
    """Make the folder of a use case, named after it."""
    folder = parent / str(document["use_case"])
    for name, text in {"usecase.yaml": yaml.safe_dump(dict(document), sort_keys=False), **files}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder
