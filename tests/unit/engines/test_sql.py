from __future__ import annotations

import pytest

from mlops_mlflow.engines.sql import for_duckdb, for_sqlalchemy, literal, quoted


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("t >= :since", "t >= $since"),
        ("t::since", "t::since"),
        ("':since' || ':until'", "':since' || ':until'"),
        ("'it''s :since' = :since", "'it''s :since' = $since"),
        ('":since"', '":since"'),
        ("1 -- :since\n+ :since", "1 -- :since\n+ $since"),
        ("/* :since\n; */ :until;", "/* :since\n; */ $until"),
        ("$$ :since $$, $x$ :until $x$", "$$ :since $$, $x$ :until $x$"),
        (r"e'\' :since'", r"e'\' :since'"),
        ("select 1; select :since;", "select 1; select $since"),
        (":sincerely", ":sincerely"),
        ("list[1:2]", "list[1:2]"),
    ],
)
def test_only_bounds_become_parameters_of_duckdb(sql: str, expected: str) -> None:
    got, used = for_duckdb(sql)
    assert got == expected
    assert set(used) == {name for name in ("since", "until") if f"${name}" in expected}


def test_colons_that_are_no_bounds_are_escaped_for_sqlalchemy() -> None:
    assert for_sqlalchemy("a::int, ':x', :until -- :y") == (r"a\:\:int, '\:x', :until -- \:y", ("until",))


def test_names_and_texts_are_quoted() -> None:
    assert (quoted('a"b'), literal("it's")) == ('"a""b"', "'it''s'")
