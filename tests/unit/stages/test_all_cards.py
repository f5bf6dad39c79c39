from __future__ import annotations

import time

import pytest

KINDS = ["priced", "plain", "classes", "number", "hidden number"]
NAMES = ["design", "extract", "explore", "prepare", "train", "evaluate", "validate"]


@pytest.mark.parametrize("stage", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_card_of_every_kind_of_target_is_drawn_quickly_as_a_small_page(walk, page, kind, stage):
    walked = walk(kind)
    walked.card(stage)  # the first one imports
    began = time.perf_counter()
    html = page(walked.card(stage))
    assert time.perf_counter() - began < 1.0
    assert "tiny" in html
    assert "no data to draw" not in html


@pytest.mark.parametrize("stage", NAMES)
@pytest.mark.parametrize("kind", ["plain", "hidden number"])
def test_no_value_of_a_row_is_shown_where_examples_are_off(walk, page, kind, stage):
    html = page(walk(kind).card(stage))
    assert "secret" not in html
    assert "987,65" not in html


@pytest.mark.parametrize("stage", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_headline_is_one_short_line_without_markup(walk, kind, stage):
    headline = walk(kind).card(stage).headline
    assert 20 < len(headline) < 140
    assert not set("*`\n") & set(headline)
