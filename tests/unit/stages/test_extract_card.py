from __future__ import annotations

from dataclasses import replace


def test_the_headline_says_rows_columns_sources_and_what_was_set_aside(walk):
    headline = walk("priced").card("extract").headline
    assert headline == "399 rows × 6 columns from 1 source, 1 set aside (height: max 4)"


def test_reasons_of_set_aside_rows_have_an_example_only_where_that_is_allowed(walk, page):
    shown, hidden = (page(walk(kind).card("extract")) for kind in ("priced", "plain"))
    assert "such as 987654" in shown
    assert "987654" in shown
    assert "such as" not in hidden
    assert "987654" not in hidden
    assert "quarantine.parquet" in hidden


def test_without_set_aside_rows_all_is_well(walk, page):
    walked = walk("classes")
    card = walked.card("extract")
    assert card.status == "ok"
    assert "none set aside" in card.headline
    assert "What was set aside" not in page(card)


def test_columns_are_listed_with_type_and_role(walk, page):
    html = page(walk("priced").card("extract"))
    assert "event time (UTC)" in html
    assert "target" in html
    assert "double" in html


def test_digests_are_there_in_full(walk, page):
    output = walk("priced").outputs["extract"]
    html = page(walk("priced").card("extract"))
    assert output.digest in html
    assert output.sources[0].digest in html


def test_a_source_that_read_only_the_asked_range_says_so(walk, page):
    output = walk("priced").outputs["extract"]
    bounded = tuple(replace(one, bounded=True) for one in output.sources)
    assert "only since and until" in page(walk("priced").card("extract", sources=bounded))


def test_the_rule_that_most_rows_broke_is_where_to_look_first(walk, page):
    walked = walk("priced")
    html = page(walked.card("extract"))
    assert "Look at <code>height</code> first: 1 row against <code>max 4</code>" in html
    assert "<code>contract.columns.height</code>" in html
    assert "rule that was broken" not in html  # one rule was said already
    contract = walked.outputs["extract"].contract
    two = replace(contract, reasons=(*contract.reasons, replace(contract.reasons[0], rule="pattern " + 40 * "x")))
    assert "rule that was broken" in page(walked.card("extract", contract=two))
    long = walked.card("extract", contract=replace(contract, reasons=two.reasons[1:]))
    assert long.headline.endswith("(height: pattern)")
