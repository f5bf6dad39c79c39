from __future__ import annotations

import re
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from mlops_mlflow.core.usecase.base import Duration

ADAPTER = TypeAdapter(Duration)
POSITIVE = st.timedeltas(min_value=timedelta(microseconds=1))


@given(POSITIVE)
def test_a_duration_is_written_so_that_it_reads_back_the_same(duration: timedelta):
    assert ADAPTER.validate_python(ADAPTER.dump_python(duration, mode="json")) == duration


@given(POSITIVE)
def test_what_is_written_matches_the_pattern_that_editors_check_with(duration: timedelta):
    text = ADAPTER.dump_python(duration, mode="json")
    assert re.search(ADAPTER.json_schema()["pattern"], text)
