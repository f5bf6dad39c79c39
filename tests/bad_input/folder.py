"""A tiny use case on disk that runs in about two seconds; each test breaks one thing of it."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml

ROWS = 300
HEADER = ("id", "when", "plan", "minutes", "calls", "churned")
Rows = list[list[object]]


def rows(count: int = ROWS) -> Rows:
    """Customers who call often leave more often; the first row is the header."""
    draw = random.Random(7)
    found: Rows = [list(HEADER)]
    for number in range(count):
        calls = draw.randrange(8)
        left = int(calls + draw.gauss(0, 1.5) > 4)
        when = f"2024-{1 + number * 12 // max(count, 1):02}-{1 + number % 28:02} 10:00:00"
        found.append([f"C{number:04}", when, draw.choice("ABC"), draw.randrange(50, 450), calls, left])
    return found


def sections() -> dict[str, Any]:
    """What ``usecase.yaml`` says."""
    return {
        "version": 1,
        "use_case": "tiny",
        "question": "Who will leave?",
        "owners": {"business": "b@example.com", "technical": "t@example.com"},
        "seed": 7,
        "card": {"intended_use": "Tests."},
        "target": {"column": "churned"},
        "entity_key": "id",
        "sources": {"customers": {"path": "customers.csv"}},
        "split": {"by": "stratified"},
        "features": {"exclude": ["when"]},
        "candidates": {"logistic": {"estimator": "sklearn.linear_model.LogisticRegression"}},
        "tuning": {"metric": "roc_auc", "trials": 1, "folds": 2},
        "success": [{"metric": "roc_auc", "at_least": 0.5}],
    }


class Folder:
    """The folder of a use case.

    Args:
        path: Where it is; made with everything that it needs.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.sections = sections()
        self.data(rows())
        self.save()

    def save(self, **changed: Any) -> Folder:
        """Write ``usecase.yaml`` with some sections replaced; None takes one away."""
        self.sections |= changed
        kept = {name: section for name, section in self.sections.items() if section is not None}
        return self.text("usecase.yaml", yaml.safe_dump(kept, sort_keys=False))

    def text(self, name: str, content: str) -> Folder:
        """Write a file."""
        (self.path / name).write_text(content, encoding="utf-8", newline="")
        return self

    def data(self, table: Sequence[Sequence[object]], name: str = "customers.csv") -> Folder:
        """Write a CSV file."""
        with (self.path / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(table)
        return self

    def column(self, name: str, value: Callable[[int, Any], object]) -> Folder:
        """Write the data with one column changed (value of row number and old value), or added."""
        table = rows()
        if name not in table[0]:
            table[0].append(name)
            for row in table[1:]:
                row.append(None)
        place = table[0].index(name)
        for number, row in enumerate(table[1:]):
            row[place] = value(number, row[place])
        return self.data(table)

    def sql(self, query: str, **changed: Any) -> Folder:
        """Let this SQL make the dataset."""
        return self.text("extract.sql", query).save(extract="extract.sql", **changed)

    def features(self, code: str) -> Folder:
        """Give the use case a feature module."""
        return self.text("features.py", code).save(features={"module": "features.py", "exclude": ["when"]})
