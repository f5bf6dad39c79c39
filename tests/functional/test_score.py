"""Batches scored by a registered version: whole or not at all, every row scored or set aside with its reason."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy
from lifecycles import client
from processes import PROJECT, Ended, mlops, run, start
from watched import FIRST, Watched, to_score

from mlops_mlflow.engines.inference_log import select_window, versions

FATAL = Path(__file__).parent / "fatal_replace.py"
KILLS = int(os.environ.get("MLOPS_SOAK_KILLS", "4"))
SEED = int(os.environ.get("MLOPS_SOAK_SEED", "0"))
DAYS = pd.Timedelta(days=3)
ROWS = 72
OURS = ["prediction", "probability", "model_version", "scored_at", "request_id", "request_row"]


@pytest.fixture
def shop(fresh: Watched, tmp_path: Path) -> Watched:
    """A version in Production that has scored nothing, with 72 tickets in ``batch.parquet``."""
    copy = fresh.copied(tmp_path / "shop")
    tickets().to_parquet(copy.work / "batch.parquet")
    return copy


def tickets() -> pd.DataFrame:
    return to_score(FIRST, FIRST + DAYS)


def score(shop: Watched, *words: str, code: int = 0, **more: str) -> Ended:
    given = dict(zip(words[::2], words[1::2], strict=True))
    asked = {"--input": "batch.parquet", "--output": "scored.parquet"} | given
    flat = [word for pair in asked.items() for word in pair]
    return mlops("score", shop.folder, *flat, cwd=shop.work, code=code, **shop.settings(), **more)


def plain(shop: Watched, *words: str) -> dict[str, Any]:
    ended = mlops("score", shop.folder, "--json", *words, cwd=shop.work, **shop.settings())
    found: dict[str, Any] = json.loads(ended.out)
    return found


def logged(shop: Watched) -> pd.DataFrame:
    """All rows of the log, each once."""
    (span,) = versions(shop.log, model="tickets").values()
    ends = {"begin": span.first, "end": span.last + pd.Timedelta(microseconds=1)}
    found = select_window(shop.log, model="tickets", version="1", out=shop.work / "window.parquet", **ends)
    return pd.read_parquet(found.path)


def test_every_row_is_scored_logged_and_part_of_a_run_with_the_batch_as_input(shop: Watched) -> None:
    told = plain(shop, "--input", "batch.parquet", "--output", "scored.parquet")
    assert (told["rows"], told["scored"], told["set_aside"], told["version"]) == (ROWS, ROWS, 0, "1")
    found = pd.read_parquet(shop.work / "scored.parquet")
    assert found.columns.tolist() == [*tickets().columns, *OURS]
    assert found["ticket_id"].tolist() == tickets()["ticket_id"].tolist()
    assert found["probability"].between(0, 1).all()
    assert set(found["request_id"]) == {told["request_id"]}
    kept = logged(shop)
    assert sorted(kept["entity_key"]) == sorted(tickets()["ticket_id"].astype(str))
    assert set(kept["status"]) == {"ok"}
    of_run = client(shop.uri).get_run(told["run"])
    assert of_run.info.status == "FINISHED"
    (dataset,) = of_run.inputs.dataset_inputs
    assert json.loads(dataset.dataset.profile)["num_rows"] == ROWS
    assert of_run.inputs.model_inputs
    assert of_run.data.metrics["rows_scored"] == ROWS


@pytest.mark.parametrize("which", ["Production", "production", "challenger", "@challenger", "1"])
def test_a_version_is_named_by_registry_stage_alias_or_number(shop: Watched, which: str) -> None:
    assert "with version 1 (Production)" in score(shop, "--version", which).out


@pytest.mark.parametrize("which", ["Staging", "champion", "7", "nonsense"])
def test_a_version_that_is_not_there_is_refused_with_those_that_are(shop: Watched, which: str) -> None:
    told = score(shop, "--version", which, code=2).err
    assert f"tickets has no version {'in ' if which == 'Staging' else ''}{which}" in told
    assert "version 1 in Production" in told
    assert not (shop.work / "scored.parquet").exists()


def to_csv(rows: pd.DataFrame, folder: Path) -> str:
    rows.to_csv(folder / "batch.csv", index=False)
    return "batch.csv"


def to_lines(rows: pd.DataFrame, folder: Path) -> str:
    rows.to_json(folder / "batch.jsonl", orient="records", lines=True, date_format="iso")
    return "batch.jsonl"


@pytest.mark.parametrize("make", [to_csv, to_lines])
def test_texts_give_the_same_predictions_as_parquet(shop: Watched, make: Callable[..., str]) -> None:
    score(shop)
    score(shop, "--input", make(tickets(), shop.work), "--output", "again.csv")
    first, again = pd.read_parquet(shop.work / "scored.parquet"), pd.read_csv(shop.work / "again.csv")
    assert first["probability"].round(9).tolist() == again["probability"].round(9).tolist()
    assert first["prediction"].astype(str).tolist() == again["prediction"].astype(str).tolist()


def table_of(url: str, name: str) -> pd.DataFrame:
    engine = sqlalchemy.create_engine(url)
    found = pd.read_sql(f"select * from {name}", engine) if sqlalchemy.inspect(engine).has_table(name) else None
    engine.dispose()
    return pd.DataFrame() if found is None else found


def through_a_database(shop: Watched, url: str, shown: str) -> None:
    engine = sqlalchemy.create_engine(url)
    tickets().to_sql("due", engine, index=False)
    words = ("--input", shown, "--input-table", "due", "--output", shown, "--output-table", "scored")
    score(shop, *words, SHOP=url)
    score(shop, *words, SHOP=url)
    engine.dispose()
    found = table_of(url, "scored")
    assert len(found) == ROWS, "scored again, the same rows are replaced"
    assert sorted(found["ticket_id"]) == sorted(tickets()["ticket_id"])


def test_from_a_table_to_a_table_of_sqlite(shop: Watched) -> None:
    through_a_database(shop, f"sqlite:///{shop.work / 'shop.db'}", "${SHOP}")


def test_from_a_table_to_a_table_of_postgresql(shop: Watched, postgresql_url: str) -> None:
    through_a_database(shop, postgresql_url, "${SHOP}")
    password = sqlalchemy.make_url(postgresql_url).password
    runs = [one for one in shop.runs("stage") if one.data.tags["mlops.stage"] == "score"]
    assert runs
    assert not password or not any(password in json.dumps(one.to_dictionary()) for one in runs)


def test_the_same_batch_scored_again_is_once_in_the_log(shop: Watched) -> None:
    score(shop)
    score(shop)
    assert len(logged(shop)) == ROWS


def test_rows_that_break_the_contract_are_set_aside_with_the_reason_and_never_scored(shop: Watched) -> None:
    rows = tickets().astype({"age": object})
    rows.loc[0, "age"] = "old"
    rows.loc[1, "ticket_id"] = None
    rows.loc[2, "opened"] = None
    rows.to_csv(shop.work / "batch.csv", index=False)
    told = plain(shop, "--input", "batch.csv", "--output", "scored.parquet")
    assert (told["scored"], told["set_aside"]) == (ROWS - 3, 3)
    kept = pd.read_parquet(shop.work / "scored.parquet")
    assert kept["request_row"].tolist() == list(range(3, ROWS))
    file = client(shop.uri).download_artifacts(told["run"], "quarantine.parquet", str(shop.work))
    reasons = pd.read_parquet(file).iloc[:, -1].tolist()
    assert "age: not a number (old)" in reasons[0] or "age: not a whole number (old)" in reasons[0]
    assert "ticket_id" in reasons[1]
    assert "opened" in reasons[2]
    assert logged(shop)["status"].value_counts().to_dict() == {"ok": ROWS - 3, "rejected": 3}


def test_a_batch_of_which_no_row_can_be_scored_writes_nothing_and_says_why(shop: Watched) -> None:
    tickets().assign(ticket_id=None).astype({"ticket_id": "string"}).to_parquet(shop.work / "batch.parquet")
    assert "none of the 72 rows can be scored" in score(shop, code=2).err
    assert not (shop.work / "scored.parquet").exists()
    assert not versions(shop.log, model="tickets")
    (run,) = [one for one in shop.runs("stage") if one.data.tags["mlops.stage"] == "score"]
    file = client(shop.uri).download_artifacts(run.info.run_id, "quarantine.parquet", str(shop.work))
    assert set(pd.read_parquet(file)["_reason"]) == {"ticket_id: missing"}


def test_an_empty_batch_is_a_run_that_says_so(shop: Watched) -> None:
    tickets()[:0].to_parquet(shop.work / "batch.parquet")
    assert "scored     0 of 0 rows" in score(shop).out
    assert len(pd.read_parquet(shop.work / "scored.parquet")) == 0


def test_columns_that_lack_are_named_and_further_ones_stay(shop: Watched) -> None:
    tickets().drop(columns=["plan", "age"]).to_parquet(shop.work / "batch.parquet")
    told = score(shop, code=2).err
    assert "the batch has no column" in told
    assert "add what is missing" in told
    tickets().assign(note="x").to_parquet(shop.work / "batch.parquet")
    score(shop)
    assert set(pd.read_parquet(shop.work / "scored.parquet")["note"]) == {"x"}


def test_a_batch_that_was_scored_before_is_not_scored_over(shop: Watched) -> None:
    score(shop)
    told = score(shop, "--input", "scored.parquet", "--output", "twice.parquet", code=2).err
    assert "was this batch scored before?" in told


def test_times_with_and_without_a_zone_are_the_same_moments(shop: Watched) -> None:
    """Those without one are read in the use case's zone; the model sees what it learned from."""
    score(shop)
    first = logged(shop).set_index("entity_key")["event_time"]
    before = pd.read_parquet(shop.work / "scored.parquet")["probability"].tolist()
    zoned = tickets().assign(opened=tickets()["opened"].dt.tz_localize("Europe/Berlin").dt.tz_convert("Asia/Tokyo"))
    zoned.to_parquet(shop.work / "zoned.parquet")
    score(shop, "--input", "zoned.parquet", "--output", "zoned-scored.parquet")
    kept = logged(shop)
    assert len(kept) == 2 * ROWS, "other bytes are another batch"
    assert kept.groupby("entity_key")["event_time"].nunique().eq(1).all()
    assert sorted(kept["event_time"].unique()) == sorted(first.unique())
    assert pd.read_parquet(shop.work / "zoned-scored.parquet")["probability"].tolist() == before


def test_times_of_a_csv_that_are_written_with_and_without_a_zone_are_the_same_moments(shop: Watched) -> None:
    score(shop)
    first = logged(shop).set_index("entity_key")["event_time"]
    rows = tickets()
    there = rows["opened"].dt.tz_localize("Europe/Berlin")
    written = [
        str(time.tz_localize(None)) if number % 2 else time.tz_convert("Asia/Tokyo").isoformat()
        for number, time in enumerate(there)
    ]
    rows.assign(opened=written).to_csv(shop.work / "mixed.csv", index=False)
    score(shop, "--input", "mixed.csv", "--output", "mixed.parquet")
    kept = logged(shop)
    assert len(kept) == 2 * ROWS
    assert kept.groupby("entity_key")["event_time"].nunique().eq(1).all()
    assert sorted(kept["event_time"].unique()) == sorted(first.unique())
    scored, again = (pd.read_parquet(shop.work / f"{name}.parquet") for name in ("scored", "mixed"))
    assert again["probability"].tolist() == pytest.approx(scored["probability"].tolist())


def test_the_hour_that_clocks_skip_is_the_next_that_exists(shop: Watched) -> None:
    rows = tickets()[:2].assign(opened=pd.to_datetime(["2024-03-31 02:30", "2024-03-31 03:00"]))
    rows.to_parquet(shop.work / "batch.parquet")
    score(shop)
    assert logged(shop)["event_time"].nunique() == 1


def test_the_hour_that_clocks_show_twice_is_the_first(shop: Watched) -> None:
    rows = tickets()[:2].assign(opened=pd.to_datetime(["2024-10-27 02:30", "2024-10-27 03:30"]))
    rows.to_parquet(shop.work / "batch.parquet")
    score(shop)
    times = sorted(pd.to_datetime(logged(shop)["event_time"], utc=True))
    assert [time.strftime("%H:%M") for time in times] == ["00:30", "02:30"]


def test_the_batch_is_not_written_over(shop: Watched) -> None:
    before = (shop.work / "batch.parquet").read_bytes()
    assert "the output batch.parquet is the input, too" in score(shop, "--output", "batch.parquet", code=2).err
    assert (shop.work / "batch.parquet").read_bytes() == before


def test_a_full_disk_is_told_and_leaves_nothing(shop: Watched, tmp_path: Path) -> None:
    with full(tmp_path / "small", kilobytes=4) as small:
        told = score(shop, "--output", str(small / "scored.parquet"), code=2).err
        assert "the scored rows could not be written" in told
        assert "the disk is full" in told
        assert list(small.iterdir()) == []
    assert not versions(shop.log, model="tickets")
    (run,) = [one for one in shop.runs("stage") if one.data.tags["mlops.stage"] == "score"]
    assert run.info.status == "FAILED"


@contextmanager
def full(folder: Path, *, kilobytes: int) -> Iterator[Path]:
    """A file system in memory that holds next to nothing."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", folder]
    made = subprocess.run(["mount", *options], capture_output=True, check=False)
    if made.returncode:
        pytest.skip(f"this user may not mount a tmpfs: {made.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_an_output_folder_that_may_not_be_written_to_is_told_and_nothing_is_logged(shop: Watched) -> None:
    (shop.work / "file").write_text("in the way")
    assert "file/scored.parquet" in score(shop, "--output", "file/scored.parquet", code=2).err
    assert not versions(shop.log, model="tickets")


def test_foreign_and_torn_files_in_the_log_do_not_keep_anybody_from_scoring(shop: Watched) -> None:
    score(shop)
    day = next(shop.log.glob("date=*"))
    (day / "notes.parquet").write_text("mine")
    (day / "foreign-0.parquet").write_bytes(b"PAR1 and nothing more")
    score(shop, "--output", "again.parquet")
    assert len(logged(shop)) == ROWS


def test_equal_jobs_at_once_write_their_rows_once(shop: Watched, postgresql_url: str) -> None:
    words = [
        "mlops",
        "score",
        shop.folder,
        "--input",
        "batch.parquet",
        "--output",
        "${SHOP}",
        "--output-table",
        "at_once",
    ]
    processes = [start(*words, cwd=shop.work, SHOP=postgresql_url, **shop.settings()) for _ in range(2)]
    for process in processes:
        _, told = process.communicate(timeout=120)
        assert process.returncode == 0, told
    assert len(table_of(postgresql_url, "at_once")) == ROWS
    assert len(logged(shop)) == ROWS


def test_it_is_a_stage_of_the_project(shop: Watched) -> None:
    words = ["-e", "score", "--env-manager", "local"]
    given = {"use_case": shop.folder, "input": shop.work / "batch.parquet", "output": shop.work / "scored.parquet"}
    options = [word for name, value in given.items() for word in ("-P", f"{name}={value}")]
    run("mlflow", "run", PROJECT, *words, *options, cwd=shop.work, **shop.settings())
    assert len(pd.read_parquet(shop.work / "scored.parquet")) == ROWS
    (scored,) = [one for one in shop.runs("stage") if one.data.tags["mlops.stage"] == "score"]
    assert scored.data.params["model_version"] == "1"
    assert scored.data.params["version"] == "Production", "what was asked for"
    assert scored.data.metrics["rows_scored"] == ROWS


def test_as_a_stage_of_the_project_it_reads_and_writes_tables(shop: Watched) -> None:
    url = f"sqlite:///{shop.work / 'shop.db'}"
    engine = sqlalchemy.create_engine(url)
    tickets().to_sql("due", engine, index=False)
    engine.dispose()
    words = ["-e", "score", "--env-manager", "local"]
    given = {"use_case": shop.folder, "input": "${SHOP}", "input_table": "due"}
    given |= {"output": "${SHOP}", "output_table": "scored"}
    options = [word for name, value in given.items() for word in ("-P", f"{name}={value}")]
    run("mlflow", "run", PROJECT, *words, *options, cwd=shop.work, SHOP=url, **shop.settings())
    assert len(table_of(url, "scored")) == ROWS


def test_killed_before_any_of_its_files_is_in_place_it_has_all_or_nothing(shop: Watched) -> None:
    """What is in the output is in the log; never a part of either."""
    words = ["score", shop.folder, "--input", "batch.parquet", "--output", "scored.parquet"]
    output, seen = shop.work / "scored.parquet", []
    for number in range(1, 20):
        process = start(sys.executable, FATAL, str(number), *words, cwd=shop.work, **shop.settings())
        _, told = process.communicate(timeout=120)
        scored = len(pd.read_parquet(output)) if output.exists() else 0
        rows = len(logged(shop)) if versions(shop.log, model="tickets") else 0
        seen.append((rows, scored))
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, told
    assert seen[-1] == (ROWS, ROWS)
    assert set(seen) == {(0, 0), (ROWS, 0), (ROWS, ROWS)}, "the log first, then the output"
    assert not list(shop.work.glob(".*.part")), "what was left is gone"


@pytest.mark.timeout(3600)
def test_killed_at_any_moment_it_leaves_no_half_written_output_and_the_next_call_goes_on(shop: Watched) -> None:
    """Into a file and into a table, in turns."""
    began = time.monotonic()
    score(shop, "--output", "reference.parquet")
    seconds = time.monotonic() - began
    draw = random.Random(SEED)
    url = f"sqlite:///{shop.work / 'shop.db'}"
    outputs = (["--output", "scored.parquet"], ["--output", url, "--output-table", "scored"])
    for number in range(KILLS):
        words = ["mlops", "score", shop.folder, "--input", "batch.parquet", *outputs[number % 2]]
        process = start(*words, cwd=shop.work, **shop.settings())
        time.sleep(draw.uniform(0.3, 1.0) * seconds)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if (shop.work / "scored.parquet").exists():
            assert len(pd.read_parquet(shop.work / "scored.parquet")) == ROWS, f"seed {SEED}, kill {number}"
        assert len(table_of(url, "scored")) in {0, ROWS}, f"seed {SEED}, kill {number}"
        assert len(logged(shop)) == ROWS, f"seed {SEED}, kill {number}"
    score(shop)
    score(shop, *outputs[1])
    assert len(pd.read_parquet(shop.work / "scored.parquet")) == ROWS
    assert len(table_of(url, "scored")) == ROWS
    assert len(logged(shop)) == ROWS
    assert not list(shop.work.glob(".*.part"))
    states = {one.info.status for one in shop.runs("stage") if one.data.tags["mlops.stage"] == "score"}
    assert states <= {"FINISHED", "KILLED"}
