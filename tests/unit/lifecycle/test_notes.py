"""What the pages of MLflow's UI say of a lifecycle."""

from __future__ import annotations

import types

import builders
import pytest

from mlops_mlflow.cards.blocks import Picture
from mlops_mlflow.core.judgement import Finding
from mlops_mlflow.lifecycle.compare.answer import telling
from mlops_mlflow.lifecycle.compare.card import card
from mlops_mlflow.lifecycle.compare.changes import ABSENT, Changed, Changes
from mlops_mlflow.lifecycle.compare.figures import Compared, Figure
from mlops_mlflow.lifecycle.compare.find import Side
from mlops_mlflow.lifecycle.compare.result import Comparison
from mlops_mlflow.lifecycle.notes import StagePage, lifecycle_note, verdict_note

FINDINGS = (
    Finding("roc_auc", "criterion", "passed", reason="0.8 is at least 0.7"),
    Finding("wording", "regulatory", "pending", reason="needs a yes from legal before Production"),
    Finding("value_per_row", "criterion", "failed", reason="1 is not at least 2"),
)
PAGES = (
    StagePage("extract", "/#/a", "10 rows | 2 columns", reused=True),
    StagePage("validate", "/#/b", "tree misses value_per_row", reused=False),
)


def test_the_verdict_comes_first_and_what_failed_before_what_holds_and_not_what_people_have_yet_to_say() -> None:
    lines = verdict_note("failed", "tree_1", FINDINGS).splitlines()
    assert lines[0] == "**✗ failed: tree\\_1** keeps 1 of 2 bounds on test rows."
    assert [line.split(":")[0] for line in lines[2:]] == ["- ✗ failed", "- ✓ passed"]


def test_each_stage_says_whether_it_ran_what_it_found_and_where() -> None:
    note = lifecycle_note("tickets", "failed", "tree", FINDINGS, PAGES)
    assert "Nothing had changed for extract: reused from earlier lifecycles." in note
    assert "| [extract](/#/a) | reused | 10 rows \\| 2 columns |" in note
    assert "| [validate](/#/b) | ran | tree misses value\\_per\\_row |" in note


def test_what_to_do_next_follows_from_the_verdict_and_stands_in_the_first_line() -> None:
    refused, passed = (
        lifecycle_note("tickets", verdict, "tree", FINDINGS, PAGES[1:]).splitlines()[0]
        for verdict in ("failed", "passed")
    )
    assert "is not registered: [the card of validate](/#/b) says what is missed" in refused
    assert "Read [the model card](/#/b)" in passed
    assert "`mlops compare tickets`" in passed


def test_nothing_is_said_of_reuse_where_all_ran() -> None:
    assert "reused" not in lifecycle_note("tickets", "passed", "tree", FINDINGS, PAGES[1:])


def test_a_comparison_lists_only_what_tells_something() -> None:
    same, open_here = Changed("estimator", ("Tree", "Tree")), Changed("tree.space.C.uniform", ("null", ABSENT))
    differs = Changed("tree.fixed.depth", ("3", ABSENT))
    assert telling((same, open_here, differs)) == (differs,)


@pytest.mark.parametrize(("apart", "pictures"), [(0.0, 0), (0.1, 1)])
def test_a_comparison_of_equals_has_no_picture_without_bars(apart: float, pictures: int) -> None:
    sides = tuple(
        Side(name, name, types.SimpleNamespace(info=types.SimpleNamespace(run_id=name, experiment_id="1")), {})
        for name in ("forest", "tree")
    )
    figures = Compared("roc_auc", (Figure(0.7 + apart), Figure(0.7)), (Figure(apart),))
    one = Comparison(
        builders.spec(),
        sides,
        "roc_auc",
        "test",
        (80, 80),
        paired=True,
        exact=True,
        told="on the same 80 test rows",
        hint="",
        block="",
        metrics=(figures,),
        slices=(),
        changes=Changes((), (), (), {}, (), ()),
        notes=(),
    )
    assert sum(isinstance(block, Picture) for block in card(one, None).blocks) == pictures
