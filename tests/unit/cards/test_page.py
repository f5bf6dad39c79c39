from __future__ import annotations

import json
import re

import pytest

from mlops_mlflow.cards import charts
from mlops_mlflow.cards.blocks import (
    Badge,
    Bar,
    Card,
    Code,
    Columns,
    Findings,
    Fold,
    Heading,
    KeyValues,
    Link,
    Picture,
    Quantity,
    Remark,
    Status,
    Table,
    Text,
)
from mlops_mlflow.cards.failure import failure_card
from mlops_mlflow.cards.page import LARGEST_PAGE, to_html, to_json, to_markdown

CARD = Card(
    "Validate · flights",
    "trial 5",
    "failed",
    "Not ready: **too slow**.",
    (
        Table(("name", "figure"), (("roc_auc", 0.74), ("f1", 0.5)), caption="Criteria"),
        Fold("More", (Findings((Remark("warning", "Look at `LGA`.", "0.58 < 0.60"),)),)),
        Picture(charts.sparkline([1, 2]), "course"),
    ),
    (("rows", 25_258), ("late", Quantity(0.23, "%"))),
    "not passed",
)


def drawn(*blocks) -> str:
    return to_html(Card("t", "s", "ok", "h", blocks)).split("</header>")[1]


def test_the_answer_comes_first():
    page = to_html(CARD)
    assert (
        page.index("not passed") < page.index("<h1>Not ready: <strong>too slow</strong>.</h1>") < page.index("25,258")
    )


def test_a_page_loads_nothing_and_runs_nothing():
    page = to_html(CARD)
    assert "<script" not in page
    assert not re.search(r"\b(src|srcset|poster|action|formaction|data)\s*=", page)
    assert "url(" not in page
    assert "@import" not in page
    assert "<link" not in page
    assert "default-src 'none'" in page


def test_a_status_is_told_by_a_shape_and_a_word():
    page = drawn(Table(("a", "b"), (("x", Status.WARNING), ("y", Badge("ok", "passed")))))
    assert page.count('class="sign"') == 2
    assert "<span>Warning</span>" in page
    assert "<span>passed</span>" in page


def test_heads_of_a_table_have_a_scope_and_numbers_are_on_the_right():
    page = drawn(Table(("name", "figure"), (("a", 0.5), ("b", 0.25))))
    assert '<th scope="col">name</th><th scope="col" class="number">figure</th>' in page
    assert '<th scope="row">a</th><td class="number">0.50</td>' in page


def test_the_author_can_align_a_column():
    assert '<th scope="col" class="number">b</th>' in drawn(Table(("a", "b"), (("x", "y"),), align=("left", "right")))


def test_a_table_says_how_many_rows_it_leaves_out():
    page = drawn(Table(("n",), tuple((i,) for i in range(1_234)), limit=100))
    assert page.count("<tr>") == 101
    assert "… and 1,134 more rows" in page


def test_cells_show_what_they_hold():
    cells = (None, True, float("nan"), "", Quantity(3.5, "USD"), Bar(0.25), "<b>")
    page = drawn(KeyValues(tuple((str(i), cell) for i, cell in enumerate(cells))))
    shown = re.findall(r"<dd>(.*?)</dd>", page)
    assert shown[:5] == ["–", "yes", "–", "–", "3.5\u00a0USD"]
    assert 'style="width:25.0%"' in shown[5]
    assert "25%" in shown[5]
    assert shown[6] == "&lt;b&gt;"


@pytest.mark.parametrize(
    ("url", "followed"), [("https://a.b/c", True), ("javascript:alert(1)", False), ("data:x", False)]
)
def test_only_web_addresses_are_followed(url, followed):
    assert ("<a " in drawn(KeyValues((("see", Link("there", url)),)))) == followed


def test_only_drawings_of_this_package_are_markup():
    assert "&lt;svg onload=x&gt;" in drawn(Picture("<svg onload=x>"))


def test_columns_stand_side_by_side_and_may_be_stacks():
    page = drawn(Columns((Text("a"), (Heading("b", 3), Text("c")))))
    assert '<div class="columns"><div><p>a</p>\n</div><div><h3>b</h3>\n<p>c</p>\n</div></div>' in page


def test_an_empty_line_begins_a_paragraph():
    assert "<p>a</p>\n<p>b</p>" in drawn(Text("a\n\nb"))


def test_a_page_never_outgrows_its_limit():
    wide = tuple(("x" * 400,) * 20 for _ in range(200))
    page = to_html(Card("t", "s", "ok", "h" * 10**6, (*[Table(("c",) * 20, wide)] * 5, Text("end"))))
    assert len(page.encode()) < LARGEST_PAGE
    assert "A table of 1.6" in page
    assert "<p>end</p>" in page


def test_a_thousand_oversized_blocks_keep_the_limit_too():
    code = Code("é" * 100_000)
    assert len(to_html(Card("t", "s", "ok", "h", (code,) * 1_000)).encode()) < LARGEST_PAGE


def test_a_card_with_a_wide_profile_is_small():
    rows = tuple((f"c{i}", Bar(0.1), Picture(charts.spark_histogram(range(20)))) for i in range(25))
    assert len(to_html(Card("t", "s", "ok", "h", (Table(("c", "missing", "shape"), rows),)))) < 60_000


def test_the_note_is_headline_remarks_and_facts():
    assert to_markdown(CARD) == (
        "**✗ not passed: Not ready: too slow.**\n\n- ⚠ Look at `LGA`. 0.58 &lt; 0.60\n\n"
        "| rows | late |\n| --- | --- |\n| 25,258 | 23% |\n\nValidate · flights · trial 5\n"
    )


def test_the_note_stays_short():
    many = Findings(tuple(Remark("ok", f"remark {i}") for i in range(100)))
    assert "- … and 80 more" in to_markdown(Card("t", "s", "ok", "h", (many,)))


def test_json_keeps_numbers_and_tells_pictures_in_words():
    told = json.loads(to_json(CARD))
    assert told["status"] == "failed"
    assert told["facts"] == [["rows", 25_258], ["late", {"type": "quantity", "value": 0.23, "unit": "%"}]]
    table, fold, picture = told["blocks"]
    assert table["rows"] == [["roc_auc", 0.74], ["f1", 0.5]]
    assert fold["blocks"][0]["items"][0]["sentence"] == "Look at `LGA`."
    assert picture["description"] == "1 at first, 2 at last."


def test_json_says_how_many_rows_are_left_out():
    told = json.loads(to_json(Card("t", "s", "ok", "h", (Table(("n",), ((1,), (2,), (3,)), limit=2),))))
    assert (told["blocks"][0]["rows"], told["blocks"][0]["rows_left_out"]) == ([[1], [2]], 1)


def test_an_unknown_status_is_refused():
    with pytest.raises(ValueError, match="'splendid' is not a valid Status"):
        to_html(Card("t", "s", "splendid", "h"))


def test_a_failure_says_what_to_do_before_what_went_wrong():
    card = failure_card("Extract", "No column `a`.", "column a", "b, c", "Add it.", "\n".join(map(str, range(100))))
    page = to_html(card)
    assert page.index("<h1>No column <code>a</code>.</h1>") < page.index("Add it.") < page.index("b, c")
    assert "<details open>" in page
    assert "\n99</code>" in page
    assert "\n69\n" not in page


def test_a_failure_without_details_is_a_headline():
    assert failure_card("Extract", "It failed.").blocks == ()


def test_a_failure_says_on_the_note_too_what_came_and_what_to_do():
    note = to_markdown(failure_card("Extract", "Too many rows.", "at most 1 %", "age: min 60", "look at the rows"))
    assert "Look at the rows." in note
    assert "Got: age: min 60 Expected: at most 1 %" in note


def test_code_in_a_note_is_shown_without_the_backslashes_that_escape_text():
    note = to_markdown(Card("t", "s", "ok", "h", (Findings((Remark("info", "a_b", "write `c_d: [1, 2]` <i>"),)),)))
    assert "a\\_b write `c_d: [1, 2]` &lt;i&gt;" in note


def test_figures_beside_bars_have_the_same_number_of_decimals():
    page = to_html(
        Card("t", "s", "ok", "h", (Table(("a", "b"), (("x", Bar(0.1, unit=None)), ("y", Bar(0.25, unit=None)))),))
    )
    assert '<span class="figure">0.10</span>' in page
    assert '<span class="figure">0.25</span>' in page
