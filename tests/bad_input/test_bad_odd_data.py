"""Data that is odd, and yet can be learned from; and noise, which is refused in words."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mlops_mlflow.core.errors import MlopsError
from mlops_mlflow.lifecycle.folder import load_folder
from mlops_mlflow.stages.extract import Inputs
from mlops_mlflow.stages.extract import run as extract

REPOSITORY = Path(__file__).parents[2]

ODD_NAMES = """select id, churned, plan, "when",
    minutes as "a ""b' <b>x</b> ü 💥", calls as "x, y", -calls as "[z]<", calls / 7 as "new
line", minutes + 0.5 as "a:b/c %s {x}", calls as "or", minutes as " " from customers"""
ODD_TYPES = """select *, calls > 3 as b, minutes::decimal(10, 2) as d, "when"::date as dd, "when"::time as tt,
    [1, 2] as li, {'a': 1} as st, interval 1 day as iv, 'x'::blob as bl, minutes::hugeint as hh, md5(id)::uuid as uu,
    "when"::timestamptz as tz, 'A'::enum('A', 'B') as en, null as e1, null::double as e2, null::timestamp as e3,
    case when calls = 7 then 'inf'::double when calls = 6 then 'nan' when calls = 5 then '-inf' else calls end as oo
    from customers order by id"""


@pytest.mark.parametrize("query", [ODD_NAMES, ODD_TYPES], ids=["names", "types"])
def test_odd_columns_are_learned_from(use_case: Any, shell: Any, query: str) -> None:
    use_case.sql(query)

    ended = shell("run", "uc")

    assert ended.code == 0, ended.err
    assert "Warning" not in ended.err
    drawn = [run.data.tags.get("mlops.card_error") for run in shell.runs("stage")]
    assert drawn == [None] * 7


@pytest.mark.parametrize(
    "target", ["calls > 3", "churned::decimal(4, 2)", "case churned when 1 then 'ü <b>' else '' end"]
)
def test_odd_targets_are_learned_from(use_case: Any, shell: Any, target: str) -> None:
    use_case.sql(f'select id, plan, minutes, {target} as "it\'s <b>" from customers')
    use_case.save(target={"column": "it's <b>"}, features={})

    ended = shell("run", "uc", "--stage", "train")

    assert ended.code == 0, ended.err


def test_a_byte_order_mark_windows_lines_and_zones_are_read(use_case: Any, shell: Any) -> None:
    use_case.column("when", lambda number, old: f"{old}+02:00")
    use_case.save(event_time={"column": "when"}, split={"by": "time"}, features={})
    file = use_case.path / "customers.csv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))

    ended = shell("run", "uc", "--stage", "prepare")

    assert ended.code == 0, ended.err


def test_a_question_of_any_length_is_asked(use_case: Any, shell: Any) -> None:
    use_case.save(question="Why? " * 5000)

    ended = shell("run", "uc", "--stage", "design")

    assert ended.code == 0, ended.err
    assert "truncated" not in ended.err


@pytest.mark.filterwarnings("default::RuntimeWarning")
def test_numbers_beyond_all_measure_are_refused_or_learned_from(use_case: Any, shell: Any) -> None:
    use_case.column("minutes", lambda number, old: "1e308" if number % 2 else "-1e308")

    ended = shell("run", "uc", "--stage", "train")

    assert ended.code in {0, 2}, ended.err
    assert "Warning" not in ended.err
    assert "Traceback" not in ended.err


def refused_or_read(use_case: Any, folder: Path) -> None:
    """Extract, which either gives rows or one of our errors with a message."""
    loaded = load_folder(use_case.path)
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    with contextlib.suppress(MlopsError):
        extract(Inputs(loaded.spec, loaded.path, loaded.sql, {}, scratch, None, None), lambda _: None)


FUZZ = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@FUZZ
@given(st.one_of(st.binary(max_size=200), st.text('ab,;"\n\r\t1.\x00é', max_size=60).map(lambda text: text.encode())))
@example(b"id,when,plan,churned\n\x00,\xff,1,2")
@example(b'"')
@example(b"\xff\xfe\x00")
@example(b"a" * 3_000_000)
def test_noise_as_csv_is_refused_in_words(use_case: Any, tmp_path: Path, content: bytes) -> None:
    (use_case.path / "customers.csv").write_bytes(content)

    refused_or_read(use_case, tmp_path)


WORDS = ["select", "from", "customers", "*", "(", ")", ",", "churned", "where", "'", '"', ":since", "$1", "?", "union"]


@FUZZ
@given(
    st.one_of(st.text(min_size=1, max_size=60), st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join))
)
@example("select * from customers where id = :since")
@example("select * from customers --")
@example("select " + "(" * 500 + "1" + ")" * 500)
@example("select repeat('x', 999999999999) as churned from customers")
@example("select 'a\x00b' as id, 1 as churned")
def test_noise_as_sql_is_refused_in_words(use_case: Any, tmp_path: Path, query: str) -> None:
    use_case.sql("select 1").text("extract.sql", query.encode(errors="replace").decode())

    with contextlib.suppress(MlopsError):  # such as an empty file
        refused_or_read(use_case, tmp_path)


@pytest.mark.functional
def test_a_folder_named_like_a_command_is_a_folder(use_case: Any, shell: Any, tmp_path: Path) -> None:
    named = use_case.path.rename(tmp_path / 'x\'; touch pwned; "$(touch pwned)" `touch pwned`')
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    ended = subprocess.run(
        [
            "mlflow", "run", REPOSITORY, "--env-manager", "local", "--entry-point", "design",
            "--param-list", f"use_case={named}",
        ],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert ended.returncode == 0, ended.stderr
    assert shell.statuses() == {"design": "FINISHED"}
    assert not [*tmp_path.rglob("pwned"), *REPOSITORY.glob("pwned")]
    assert mlflow.MlflowClient(shell.uri).search_registered_models() == []
