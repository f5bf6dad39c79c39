from __future__ import annotations

import json
import re
from html.parser import HTMLParser

from hypothesis import example, given, settings
from hypothesis import strategies as st

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
from mlops_mlflow.cards.page import to_html, to_json, to_markdown

NASTY = st.sampled_from(
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onmouseover='x",
        "</style><b>",
        "**<b>**",
        "`<i>`",
        "javascript:alert(1)",
        "https://example.com/\"onclick='x'",
        "&lt;script&gt;",
        "[a](javascript:b)",
        "| a |\n# b",
        "\ud800\x00\u202e",
        "]]>",
        "<!--",
    ]
)
ANY_TEXT = st.text(max_size=30) | NASTY | st.tuples(NASTY, NASTY).map("".join)
TAGS = frozenset(
    """
    html head meta title style body main header p b span h1 h2 h3 dl div dt dd ul li svg circle path
    rect g desc text table caption thead tbody tr th td i a figure figcaption pre code details
    summary strong
    """.split()  # noqa: SIM905  # a list of words is read as words
)
ATTRIBUTES = frozenset(
    """
    lang charset http-equiv content name class scope tabindex role aria-label aria-hidden style href
    target rel open viewbox d cx cy r x y rx width height fill fill-opacity stroke stroke-width
    stroke-dasharray stroke-opacity xmlns font-family font-size font-weight font-style text-anchor
    stroke-linejoin stroke-linecap paint-order
    """.split()  # noqa: SIM905  # a list of words is read as words
)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    return reader


def card_of(text: str) -> Card:
    """A card where every field that takes text has this one."""
    drawn = charts.bars([text, "b"], [1, 2], title=text, reference=1, reference_label=text)
    cells = (text, Badge("ok", text), Link(text, text), Link(text, f"https://a.b/{text}"), Picture(drawn, text), None)
    blocks = (
        Heading(text),
        Text(text),
        Table((text,) * len(cells), (cells, cells), caption=text),
        Findings((Remark("failed", text, text),)),
        KeyValues(((text, text), (text, Quantity(1.0, text)))),
        Columns((Text(text), (Code(text, text), Picture(drawn, text)))),
        Fold(text, (Text(text), Findings((Remark("ok", text),)))),
        Picture(text, text),
    )
    return Card(text, text, "warning", text, blocks, ((text, text), (text, Bar(0.5)), (text, Status.INFO)), text)


@settings(max_examples=150, deadline=None)
@given(ANY_TEXT)
@example("<script>")
@example("a\n\n<p>\n\nb")
def test_no_text_in_any_field_opens_a_tag_or_an_attribute(text):
    page = to_html(card_of(text))
    page.encode()
    reader = read(page)
    for tag, attributes in reader.tags:
        assert tag in TAGS
        assert set(attributes) <= ATTRIBUTES
        assert "href" not in attributes or re.match(r"(https?://|mailto:)", attributes["href"], re.IGNORECASE)


@settings(max_examples=50, deadline=None)
@given(
    st.text(
        alphabet=st.characters(codec="ascii", exclude_characters="*`", min_codepoint=32, max_codepoint=126),
        min_size=1,
        max_size=40,
    )
)
def test_every_text_is_shown_as_it_is(text):
    shown = read(to_html(Card("t", "s", "ok", text, (Code(text),)))).text
    assert shown.count(text) >= 2


@settings(max_examples=100, deadline=None)
@given(ANY_TEXT)
def test_the_note_holds_no_html_and_no_link(text):
    note = to_markdown(card_of(text))
    note.encode()
    assert "<" not in note
    assert not re.search(r"(?<!\\)\]\(", note)


@settings(max_examples=100, deadline=None)
@given(ANY_TEXT, st.floats() | st.integers(-(10**400), 10**400) | st.none() | st.booleans())
def test_json_is_strict_for_any_text_and_number(text, number):
    card = Card(text, text, "ok", text, (Table(("a",), ((number,),)),), ((text, number), (text, Bar(number))))
    told = json.loads(to_json(card), parse_constant=lambda name: (_ for _ in ()).throw(AssertionError(name)))
    assert list(told) == ["title", "subtitle", "status", "headline", "blocks", "facts", "word"]
    read(to_html(card))
    to_markdown(card)


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[ANY_TEXT] * 6))
def test_a_failure_of_any_kind_has_a_card(parts):
    card = failure_card(*parts)
    assert card.status == "failed"
    assert {tag for tag, _ in read(to_html(card)).tags} <= TAGS
