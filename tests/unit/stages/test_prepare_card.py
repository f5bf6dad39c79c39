from __future__ import annotations

from dataclasses import replace

import numpy as np

from mlops_mlflow.engines.tables import read_rows
from mlops_mlflow.stages.prepare import card


def test_the_headline_says_rows_of_each_part_and_columns(walk):
    assert (
        walk("priced").card("prepare").headline
        == "239 train, 80 validation and 80 test rows by time; 4 columns for the model"
    )


def test_a_split_by_time_is_a_timeline_and_others_are_shares(walk, page):
    by_time, others = (page(walk(kind).card("prepare")) for kind in ("priced", "plain"))
    assert "The parts in time" in by_time
    assert "2024-01-01" in by_time
    assert "The parts in time" not in others
    assert "Shares of the rows" in others


def test_what_is_kept_from_the_model_is_said_with_the_reason(walk, page):
    html = page(walk("priced").card("prepare"))
    assert "the key: it tells rows apart" in html
    assert "the target" in html


def test_every_column_of_the_model_has_a_kind_and_what_becomes_of_it(walk, page):
    html = page(walk("priced").card("prepare"))
    for name in walk("priced").outputs["prepare"].problem.features.kinds:
        assert f">{name}</th>" in html
    assert "hour and weekday on circles" in html


def test_outcomes_that_differ_between_the_parts_are_a_warning(walk, page):
    walked = walk("plain")
    output = walked.outputs["prepare"]
    assert card(walked.inputs["prepare"], output).status == "ok"
    happened = read_rows(output.problem.path, ["outcome"], None)["outcome"].to_numpy() == 1
    parts = output.problem.parts.copy()
    parts[happened & (parts == 0) & (np.arange(len(parts)) % 2 == 0)] = 2
    moved = card(walked.inputs["prepare"], replace(output, problem=replace(output.problem, parts=parts)))
    assert moved.status == "warning"
    assert "Outcomes are not alike" in page(moved)
    assert "% of train and in " in moved.headline


def test_a_group_that_stays_together_is_named(walk, page):
    walked = walk("plain")
    problem = walked.outputs["prepare"].problem
    split = problem.spec.split.model_copy(update={"by": "grouped", "group": "city"})
    spec = problem.spec.model_copy(update={"split": split})
    inputs = replace(walked.inputs["prepare"], spec=spec)
    html = page(card(inputs, replace(walked.outputs["prepare"], problem=replace(problem, spec=spec))))
    assert "Rows of one <code>city</code> stay together." in html
    assert "by city" in html
