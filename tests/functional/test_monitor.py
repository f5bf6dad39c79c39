"""Windows of production as runs: what is looked at, when, how often, and who is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import watched as own
from lifecycles import PARENT, client
from processes import PROJECT, mlops, run, start
from watched import BAD, FIRST, WEEKS, Said, Watched

from mlops_mlflow.core.errors import DataError, MlopsError, RegistryError, SourceError, UseCaseError

LONG_AGO, QUIET, LOUD, ALL = "2024-02-26", "2024-03-14", "2024-03-21", "2024-03-29"
"""When the first week is over, when the labels of the last good week, of the first bad one and of all are complete."""


@pytest.fixture(scope="module")
def seen(scored: Watched, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """And with all of them looked at, each when it was over and when it was closed."""
    copy = scored.copied(tmp_path_factory.mktemp("seen"))
    copy.monitor(LONG_AGO)
    copy.monitor(ALL)
    return copy


@pytest.fixture
def watched(scored: Watched, tmp_path: Path) -> Watched:
    """A copy of ``scored`` for one test."""
    return scored.copied(tmp_path / "copy")


def command(watched: Watched, *words: str, code: int | None = 0, **more: str) -> Any:
    """``mlops monitor`` in a process."""
    return mlops("monitor", watched.folder, *words, cwd=watched.work, code=code, **watched.settings(), **more)


# What is a run, and when


def test_every_closed_window_is_one_point_at_its_end_on_the_run_of_its_version(seen: Watched) -> None:
    ends = [datetime(2024, 2, 25, 23, tzinfo=UTC), *(datetime(2024, 3, day, 23, tzinfo=UTC) for day in (3, 10, 17, 24))]
    for metric in ("roc_auc", "rows", "coverage", "drift/plan", "health"):
        points = seen.points(metric)
        assert [step for step, *_ in points] == list(range(points[0][0], points[0][0] + 5)), metric
        assert [at for _, at, _ in points] == [int(end.timestamp() * 1000) for end in ends], metric
    assert [value for *_, value in seen.points("rows")] == [168] * 5
    assert seen.parent.info.status == "FINISHED"


def test_each_look_is_a_finished_child_with_card_profile_and_signals(seen: Watched) -> None:
    looks = seen.looks
    assert [run.data.params["window"] for run in looks] == [WEEKS[0], *WEEKS]
    assert {run.data.tags[PARENT] for run in looks} == {seen.parent.info.run_id}
    names = {one.path for one in client(seen.uri).list_artifacts(looks[-1].info.run_id)}
    assert {"card.html", "card.json", "profile.json", "signals.csv"} <= names
    assert client(seen.uri).get_run(looks[-1].info.run_id).inputs.model_inputs, (
        "each look names the model that it watches"
    )
    assert {run.data.tags["mlops.health"] for run in looks[:2]} <= {"ok", "warning"}
    assert [run.data.tags["mlops.health"] for run in looks[-2:]] == ["alarm", "alarm"]


def test_a_quiet_window_stores_little_and_never_imports_evidently(seen: Watched) -> None:
    files = client(seen.uri).list_artifacts(seen.looks[1].info.run_id)
    assert not [one.path for one in files if "evidently" in one.path]
    assert sum(one.file_size or 0 for one in files) < 100_000


def test_late_labels_make_a_child_that_supersedes_and_only_then_there_is_a_point(watched: Watched) -> None:
    first = watched.monitor(LONG_AGO)
    assert [(one.closed, one.coverage) for one in first.looked] == [(False, None)]
    assert (first.waiting, watched.points("rows")) == ({"1": 1}, [])
    second = watched.monitor("2024-02-29")
    assert [(one.closed, one.coverage) for one in second.looked] == [(True, 1.0)]
    assert second.looked[0].supersedes == first.looked[0].run_id
    assert watched.look(WEEKS[0]).data.tags["mlops.supersedes"] == first.looked[0].run_id
    assert len(watched.points("rows")) == len(watched.points("roc_auc")) == 1
    assert second.waiting == {"1": 0}


def test_labels_are_waited_for_to_the_moment(watched: Watched) -> None:
    watched.monitor(LONG_AGO)
    assert watched.monitor("2024-02-28T23:59:59").looked == ()
    assert [one.closed for one in watched.monitor("2024-02-29T00:00").looked] == [True]


def test_monitoring_again_looks_at_nothing_and_changes_nothing(seen: Watched, tmp_path: Path) -> None:
    copy = seen.copied(tmp_path / "copy")
    again = copy.monitor(ALL)
    assert again.looked == ()
    assert (again.health, again.alarmed) == ({"1": "alarm"}, False)
    assert [run.info.run_id for run in copy.looks] == [run.info.run_id for run in seen.looks]
    assert copy.points("rows") == seen.points("rows")
    assert copy.parent.info == seen.parent.info, "not even the time of its end"


def test_one_window_again_supersedes_and_adds_no_point(seen: Watched, tmp_path: Path) -> None:
    copy = seen.copied(tmp_path / "copy")
    (one,) = copy.monitor(ALL, window=WEEKS[1]).looked
    assert one.window.label == WEEKS[1]
    assert one.supersedes == seen.look(WEEKS[1]).info.run_id
    for metric in ("rows", "roc_auc", "health", "drift/age", "drift/(score)".replace("(", "_").replace(")", "_")):
        assert copy.points(metric) == seen.points(metric), metric


def test_an_empty_window_is_a_run_that_says_so_and_alarms_where_rows_were_usual(seen: Watched, tmp_path: Path) -> None:
    copy = seen.copied(tmp_path / "copy")
    (one,) = copy.monitor("2024-04-01").looked
    assert (one.window.label, one.rows, one.health, one.coverage) == ("2024-W13", 0, "alarm", None)
    assert one.blocks_retraining
    assert copy.look("2024-W13").data.tags["mlops.headline"] == "No row was scored in this window"
    (again,) = copy.monitor("2024-04-04").looked
    assert (again.closed, again.rows) == (True, 0)
    assert copy.points("rows")[-1][2] == 0


def test_an_empty_window_before_anything_is_usual_has_insufficient_data(fresh: Watched, tmp_path: Path) -> None:
    copy = fresh.copied(tmp_path / "copy")
    copy.score(FIRST, FIRST + pd.Timedelta(days=1))
    found = copy.monitor("2024-03-06").looked
    assert [(one.window.label, one.rows, one.health) for one in found][1:] == [(WEEKS[1], 0, "insufficient data")]
    assert found[0].health == "insufficient data", "24 rows are fewer than minimum_rows"


def test_a_window_is_of_the_use_cases_zone(watched: Watched) -> None:
    watched.monitor(ALL)
    assert watched.look(WEEKS[1]).data.params["begin"] == "2024-02-25T23:00:00+00:00", "midnight of Berlin in winter"


def test_windows_of_rows_are_numbered_on_and_full_ones_stay(fresh: Watched, tmp_path: Path) -> None:
    copy = fresh.copied(tmp_path / "copy")
    copy.change(monitoring=own.MONITORING | {"window": 100})
    copy.score(FIRST)
    first = copy.monitor("2024-03-01")
    assert [(one.window.number, one.rows, one.closed) for one in first.looked] == [(0, 100, True)]
    copy.score(FIRST + pd.Timedelta(weeks=1))
    second = copy.monitor("2024-03-15")
    assert [(one.window.number, one.rows) for one in second.looked] == [(1, 100), (2, 100)]
    assert [value for *_, value in copy.points("rows")] == [100] * 3
    assert copy.monitor("2024-03-15").looked == ()
    label = second.looked[0].window.label
    assert [one.window for one in copy.monitor("2024-03-15", window=label).looked] == [second.looked[0].window]


def test_windows_of_another_length_are_another_watch(seen: Watched, tmp_path: Path) -> None:
    copy = seen.copied(tmp_path / "copy")
    copy.change(monitoring=own.MONITORING | {"window": "P14D", "minimum_rows": 50})
    found = copy.monitor(ALL)
    assert [one.supersedes for one in found.looked] == [""] * len(found.looked)
    assert len(copy.runs("monitor")) == 2
    assert found.runs["1"] == copy.version.tags["mlops.monitor_run"] != seen.parent.info.run_id
    copy.change(monitoring=own.MONITORING)
    assert copy.monitor(ALL).looked == (), "those of before stand as they did"


# Versions


def test_the_version_carries_its_health_and_the_run(seen: Watched) -> None:
    tags = seen.version.tags
    assert (tags["mlops.health"], tags["mlops.monitor_run"]) == ("alarm", seen.parent.info.run_id)
    assert f"[monitoring](/#/experiments/1/runs/{seen.parent.info.run_id}" in seen.version.description
    assert seen.parent.data.tags["mlops.health"] == "alarm"
    assert "card.html" in {one.path for one in client(seen.uri).list_artifacts(seen.parent.info.run_id)}
    assert seen.parent.data.tags["mlflow.note.content"]


def two_versions(watched: Watched) -> None:
    """Version 1 is archived after three weeks and a day, and a twin of it goes on."""
    of, first = client(watched.uri), watched.version
    with watched.entered():
        of.create_model_version("tickets", first.source, first.run_id, tags={**first.tags})
    for number, stage in (("1", "Archived"), ("2", "Production")):
        of.transition_model_version_stage("tickets", number, stage)


def test_a_replaced_version_is_watched_to_its_last_row_and_no_further(fresh: Watched, tmp_path: Path) -> None:
    copy = fresh.copied(tmp_path / "copy")
    begin, handover = FIRST - pd.Timedelta(weeks=3), FIRST + pd.Timedelta(weeks=3, days=1)
    copy.score(begin, handover)
    two_versions(copy)
    copy.score(handover, handover + pd.Timedelta(weeks=1, days=6))
    found = copy.monitor(ALL)
    rows = {number: [one.rows for one in found.looked if one.version == number] for number in "12"}
    assert rows == {"1": [168] * 6 + [24], "2": [144, 168]}
    (last,) = (one for one in found.looked if (one.version, one.rows) == ("1", 24))
    volume = [one for one in last.loud if one.kind == "feed" and one.subject == "rows"]
    assert volume == [], "a week in which a version was replaced is short, and nothing is wrong with the feed"
    only = copy.monitor(ALL, window="2024-W12")
    assert [(one.version, one.window.label) for one in only.looked] == [("2", "2024-W12")]
    both = copy.monitor(ALL, window="2024-W11")
    assert [one.version for one in both.looked] == ["1", "2"]
    assert set(copy.monitor(ALL, version="Production").runs) == {"2"}
    assert set(copy.monitor(ALL, version="1").runs) == {"1"}


# Commands


def test_exit_codes_and_one_line_of_json(watched: Watched) -> None:
    quiet = command(watched, "--until", LONG_AGO, "--json")
    (line,) = quiet.out.splitlines()
    told = json.loads(line)
    assert (told["alarm"], told["model"], told["waiting"]) == (False, "tickets", {"1": 1})
    assert told["until"] == "2024-02-25T23:00:00+00:00"
    (window,) = told["windows"]
    assert (window["window"], window["rows"], window["closed"], window["coverage"]) == (WEEKS[0], 168, False, None)
    assert window["run"] == watched.looks[0].info.run_id

    loud = command(watched, "--until", LOUD, "--json", code=1)
    (line,) = loud.out.splitlines()
    told = json.loads(line)
    assert (told["alarm"], told["health"]) == (True, {"1": "alarm"})
    (about,) = (one["findings"] for one in told["windows"] if one["window"] == WEEKS[3])
    assert {"kind": "performance", "about": "roc_auc", "health": "alarm"} in about

    failed = command(watched, "--until", "soon", "--json", code=2)
    assert (failed.out, "soon" in failed.err) == ("", True)
    assert "nothing is due" in command(watched, "--until", LOUD).out


@pytest.mark.parametrize("project", ["root", "use case"])
def test_mlflow_run_monitors(watched: Watched, project: str) -> None:
    words = ["-e", "monitor", "--env-manager", "local", "-P", f"until={LONG_AGO}"]
    place: Path = PROJECT
    if project == "root":
        words += ["-P", f"use_case={watched.folder}"]
    else:
        place = watched.folder
        template = PROJECT / "mlops_mlflow" / "lifecycle" / "template"
        (place / "MLproject").write_text((template / "MLproject").read_text())
        (place / "conda.yaml").write_text((PROJECT / "conda.yaml").read_text())
    run("mlflow", "run", place, *words, cwd=watched.work, **watched.settings())
    assert [one.data.params["window"] for one in watched.looks] == [WEEKS[0]]
    assert watched.parent.info.status == "FINISHED"
    assert {one.info.status for one in watched.runs("monitor")} == {"FINISHED"}


# Killed, and at once


def test_two_monitors_at_once_look_at_each_window_once(watched: Watched) -> None:
    words = ["mlops", "monitor", str(watched.folder), "--until", QUIET]
    both = [start(*words, cwd=watched.work, **watched.settings()) for _ in range(2)]
    ended = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    assert [one.data.params["window"] for one in watched.looks] == list(WEEKS[:3])
    assert len(watched.points("rows")) == 3
    assert len(watched.runs("monitor")) == 1


# Labels


def test_labels_for_two_thirds_are_judged_and_the_rest_is_counted(watched: Watched) -> None:
    def forget(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(escalated=table["escalated"].where(table.index % 3 != 0))

    watched.relabel(forget)
    (one,) = watched.monitor("2024-02-29").looked
    assert one.coverage == pytest.approx(2 / 3, abs=0.01)
    assert watched.look(WEEKS[0]).data.metrics["roc_auc"] > 0.7, "labels that a missing one made 0.0 and 1.0 count"
    assert watched.health(WEEKS[0])["performance", "roc_auc"] in {"ok", "warning"}


def test_without_any_label_performance_is_insufficient_data(watched: Watched) -> None:
    watched.relabel(lambda table: table.assign(escalated=table["escalated"].where(table["opened"] < str(FIRST))))
    (one,) = watched.monitor("2024-02-29").looked
    assert (one.coverage, one.health) == (0.0, "ok")
    assert watched.health(WEEKS[0])["performance", "roc_auc"] == "insufficient data"


def test_labels_of_one_class_alone_are_insufficient_data(watched: Watched) -> None:
    watched.relabel(lambda table: table.assign(escalated=table["escalated"].where(table["opened"] < str(FIRST), 1)))
    watched.monitor("2024-02-29")
    assert watched.health(WEEKS[0])["performance", "roc_auc"] == "insufficient data"


def test_unknown_and_repeated_keys_of_labels_are_counted_and_the_last_counts(watched: Watched) -> None:
    def twice(table: pd.DataFrame) -> pd.DataFrame:
        inside = (table["opened"] >= str(FIRST)) & (table["opened"] < "2024-02-20")
        wrong = table[inside].assign(escalated=1 - table.loc[inside, "escalated"], told=1)
        strangers = table[inside].assign(ticket_id="X" + table.loc[inside, "ticket_id"], told=2)
        return pd.concat([table.assign(told=3), wrong, strangers], ignore_index=True)

    plain = watched.copied(watched.work.parent / "plain")
    plain.monitor("2024-02-29")
    watched.relabel(twice)
    sql = watched.folder / "extract.sql"
    sql.write_text(f"{sql.read_text()}order by t.told, t.ticket_id\n")
    (one,) = watched.monitor("2024-02-29").looked
    assert one.coverage == 1.0
    assert watched.look(WEEKS[0]).data.metrics["rows"] == 168
    assert watched.points("roc_auc") == plain.points("roc_auc")
    card = Path(watched.file(WEEKS[0], "card.html")).read_text()
    assert "24 outcomes of no scored row" in card
    assert "24 keys with several outcomes" in card


def test_a_label_that_the_model_does_not_know_is_left_out_and_counted(watched: Watched) -> None:
    def odd(table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(escalated=table["escalated"].where(table.index % 10 != 0, 7))

    watched.relabel(odd)
    (one,) = watched.monitor("2024-02-29").looked
    assert one.coverage == pytest.approx(0.9, abs=0.01)
    assert "with an outcome that the model does not know" in Path(watched.file(WEEKS[0], "card.html")).read_text()


@pytest.mark.parametrize("words", [("true", "false"), ("2024-01-01", "2024-01-02")])
def test_labels_of_another_type_are_an_error_that_says_so(watched: Watched, words: tuple[str, str]) -> None:
    watched.relabel(lambda table: table.assign(escalated=table["escalated"].map(dict(enumerate(words)))))
    with pytest.raises(DataError, match="no outcome in `escalated` is one that the model knows") as caught:
        watched.monitor("2024-02-29")
    assert "one of 0, 1" in str(caught.value)
    assert words[0] in str(caught.value).lower()
    assert {run.info.status for run in (*watched.runs("window"), watched.parent)} == {"FAILED"}


def test_after_labels_are_mended_the_next_call_goes_on(watched: Watched) -> None:
    good = (watched.folder / "data" / "tickets.csv").read_text()
    watched.relabel(lambda table: table.assign(escalated="maybe"))
    with pytest.raises(DataError):
        watched.monitor("2024-02-29")
    (watched.folder / "data" / "tickets.csv").write_text(good)
    assert [one.window.label for one in watched.monitor("2024-02-29").looked] == [WEEKS[0]]
    assert watched.parent.info.status == "FINISHED"
    assert len(watched.points("rows")) == 1


def test_a_use_case_without_labels_never_waits(watched: Watched) -> None:
    watched.change(labels=None)
    first = watched.monitor(LONG_AGO)
    assert [(one.closed, one.coverage) for one in first.looked] == [(True, None)]
    assert watched.monitor("2024-02-29").looked == ()
    assert len(watched.points("rows")) == 1


# People are told


@contextmanager
def listener(status: int = 200) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A service that takes Apprise's JSON; its address, with a password, and what it was told."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the name that http.server asks for
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *given: Any) -> None:
            """Quiet."""

    server = HTTPServer(("localhost", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"json://me:hush-hush@localhost:{server.server_port}/hidden-path", told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


SECRETS = ("hush-hush", "hidden-path")


def leaked(watched: Watched, *texts: str) -> list[str]:
    """Secrets that a run's tags or parameters, a card, or a text shows."""
    shown = [*texts]
    for one in (*watched.runs("monitor"), *watched.runs("window")):
        shown += [*one.data.tags.values(), *one.data.params.values()]
    shown += [path.read_text(errors="replace") for path in watched.work.rglob("*.html")]
    return [secret for secret in SECRETS if any(secret in text for text in shown)]


def test_people_are_told_once_of_each_change_of_health_and_not_of_each_window(
    watched: Watched, capfd: pytest.CaptureFixture[str]
) -> None:
    said = Said()
    with listener() as (address, told), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPS_NOTIFY", address)
        watched.monitor(LONG_AGO, said=said)
        assert told == [], "nobody is told that all is well from the start"
        watched.monitor(LOUD, said=said)
        assert [one["title"] for one in told] == ["tickets version 1: alarm"]
        assert WEEKS[3] in told[0]["message"]
        assert watched.parent.info.run_id in told[0]["message"], "with the link"
        watched.monitor(ALL, said=said)
        assert len(told) == 1, "the next bad week is no news"
    assert watched.parent.data.tags["mlops.notified"] == "sent"
    assert leaked(watched, *said.lines, *capfd.readouterr()) == []


def test_people_are_told_that_health_is_back(watched: Watched) -> None:
    def mended(table: pd.DataFrame) -> pd.DataFrame:
        bad = table["opened"] >= str(BAD)
        return table.assign(escalated=table["escalated"].mask(bad, 1 - table["escalated"]))

    with listener() as (address, told), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPS_NOTIFY", address)
        watched.monitor(LOUD)
        watched.relabel(mended)
        watched.monitor(LOUD, window=WEEKS[3])
        first, second = (one["title"].rpartition(": ")[2] for one in told)
        assert (first, second in {"ok", "warning"}) == ("alarm", True)
        assert "It was: alarm." in told[1]["message"]


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("bogus://me:hush-hush@host/hidden-path", "1 of 1 addresses are none that Apprise knows"),
        ("json://me:hush-hush@localhost:9/hidden-path", "a service refused"),
        ("", "nobody to tell"),
    ],
)
def test_a_message_that_cannot_be_sent_is_recorded_and_fails_nothing(
    watched: Watched, address: str, why: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLOPS_NOTIFY", address)
    said = Said()
    assert watched.monitor(LOUD, said=said).alarmed
    assert why in watched.parent.data.tags["mlops.notified"]
    assert any(why in line for line in said.lines) == bool(address)
    assert watched.parent.info.status == "FINISHED"
    assert leaked(watched, *said.lines, *capfd.readouterr()) == []


def test_a_service_that_answers_with_an_error_is_recorded(watched: Watched) -> None:
    said = Said()
    with listener(500) as (address, told), pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPS_NOTIFY", address)
        assert watched.monitor(LOUD, said=said).alarmed
    assert len(told) == 1
    assert watched.parent.data.tags["mlops.notified"] == "failed: a service refused"
    assert [line for line in said.lines if "not everybody was told" in line]


# What cannot be done


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--version", "Shelf"], "tickets has no version Shelf"),
        (["--version", "99"], "tickets has no version 99"),
        (["--version", "Staging"], "tickets has no version in Staging"),
        (["--window", "2024-W40"], "there is no window `2024-W40` that is over"),
        (["--window", "2024-02-30"], "there is no window `2024-02-30`"),
        (["--window", "2024-02-20"], "2024-02-20 lies in 2024-W08"),
        (["--until", "yesterday"], "a time cannot be read"),
    ],
)
def test_what_is_not_there_is_an_error_that_says_what_is(scored: Watched, words: list[str], expected: str) -> None:
    asked = {words[0].removeprefix("--"): words[1]}
    with pytest.raises(MlopsError) as caught:
        scored.monitor(**{"until": ALL, **asked})
    assert expected in str(caught.value)
    assert scored.looks == []


def test_no_log_no_section_and_no_reference_are_errors_that_say_what_to_do(fresh: Watched, tmp_path: Path) -> None:
    copy = fresh.copied(tmp_path / "copy")
    with pytest.raises(SourceError, match="no version of tickets has scored anything"):
        copy.monitor(ALL)
    assert not copy.log.exists(), "nothing is made where nothing was"
    copy.score(FIRST)
    copy.change(monitoring=None)
    with pytest.raises(UseCaseError, match="does not say how it is monitored"):
        copy.monitor(ALL)
    copy.change(monitoring=own.MONITORING)
    with without_file(copy, "reference_profile.json"), pytest.raises(RegistryError, match="no reference profile"):
        copy.monitor(ALL)
    assert copy.parent.info.status == "FAILED"
    with without_file(copy, "reference_performance.json"):
        (one, *_) = copy.monitor("2024-02-29").looked
    assert one.health == "ok", "what it lacks is told as insufficient data"
    assert copy.health(WEEKS[0])["performance", "roc_auc"] == "insufficient data"


@contextmanager
def without_file(watched: Watched, name: str) -> Iterator[None]:
    """A file of the model is not there meanwhile."""
    of = client(watched.uri).get_logged_model(watched.version.source.rpartition("/")[2])
    places = [*Path(of.artifact_location.removeprefix("file://")).rglob(name)]
    assert places, "the model has the file"
    for place in places:
        place.rename(place.with_suffix(".away"))
    try:
        yield
    finally:
        for place in places:
            place.with_suffix(".away").rename(place)


def test_a_window_without_data_that_is_asked_for_is_looked_at(seen: Watched, tmp_path: Path) -> None:
    copy = seen.copied(tmp_path / "copy")
    (one,) = copy.monitor("2024-04-20", window="2024-W14").looked
    assert (one.rows, one.closed) == (0, True)


def test_torn_and_foreign_files_of_the_log_are_told_on_the_card_and_the_rest_is_looked_at(watched: Watched) -> None:
    (day, other, *_) = sorted(path for path in watched.log.iterdir() if path.name.startswith("date=2024-02-2"))
    (file,) = day.glob("*.parquet")
    file.write_bytes(file.read_bytes()[:200])
    pd.DataFrame({"x": [1]}).to_parquet(other / "theirs-0.parquet")
    (one,) = watched.monitor("2024-02-29").looked
    assert 100 < one.rows < 168
    card = Path(watched.file(WEEKS[0], "card.html")).read_text()
    assert "theirs-0.parquet: not a file of the inference log" in card
    assert f"{file.name}: torn" in card
