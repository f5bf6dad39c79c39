"""The parts of the benchmarks that measure nothing: ratios, table, last line."""

from __future__ import annotations

import importlib
import json
import math
import sys

import pytest

from benchmarks import __main__ as command
from benchmarks import recipes, stages, timing
from benchmarks.report import Figure, last_line, ratio, table
from benchmarks.timing import Measured

FIGURES = [
    Figure("cold_ratio", 8.123456789, "peer cold / ours cold", "x", "≥ 8"),
    Figure("peak_mb", 1520.0, "peak memory", "MB"),
    Figure("undefined", math.nan, "nothing was there"),
]


def test_a_ratio_is_of_medians_so_that_one_disturbed_run_does_not_move_it():
    assert ratio([60.0, 61.0, 600.0], [6.0, 6.1, 0.1]) == pytest.approx(61 / 6)


def test_a_ratio_to_nothing_is_not_a_number():
    assert math.isnan(ratio([1.0], [0.0]))


def test_the_last_line_is_one_json_object_with_null_for_what_is_not_defined():
    line = last_line(FIGURES)
    assert "\n" not in line
    assert json.loads(line) == {"cold_ratio": 8.12346, "peak_mb": 1520.0, "undefined": None}


def test_the_table_shows_meaning_unit_and_target_beside_each_figure():
    lines = table(FIGURES).splitlines()
    assert [line.split("  ")[0] for line in lines[2:]] == [one.what for one in FIGURES]
    assert "8.12 x" in lines[2]
    assert lines[2].endswith("≥ 8")
    assert "1,520 MB" in lines[3]
    assert lines[4].endswith("-")


def _samples(**seconds: float) -> recipes.Samples:
    return {name: [Measured(one, one / 2, 100.0)] for name, one in seconds.items()}


def test_recipes_compares_the_peer_with_ours_and_ours_with_the_floors():
    found = recipes.figures(
        _samples(
            peer_cold=60, peer_cached=2.5, ours_cold=6, ours_cached=2, launcher_cold=10, launcher_cached=7,
            launcher_floor=5, plain=4,
        )
    )  # fmt: skip
    values = {one.key: one.value for one in found}
    assert values["cold_ratio"] == 10
    assert values["cold_cpu_ratio"] == 10
    assert values["cached_ratio"] == 1.25
    assert values["launcher_cold_ratio"] == 6
    assert values["launcher_cached_over_floor_seconds"] == 2
    assert values["floor_ratio"] == 1.5
    assert values["plain_seconds"] == 4
    assert values["plain_cpu_seconds"] == 2


def test_overhead_of_a_stage_is_the_run_less_a_plain_script_and_the_worst_stage_counts():
    samples = [
        {"design": stages.Times(0.3, 0.1, 0.1), "train": stages.Times(5.0, 4.0, 0.5)},
        {"design": stages.Times(0.3, 0.1, 0.1), "train": stages.Times(6.0, 5.2, 0.5)},
        {"design": stages.Times(9.0, 0.1, 0.1), "train": stages.Times(5.0, 4.1, 0.5)},
    ]
    values = {one.key: one.value for one in stages.figures(samples)}
    assert values["seconds_per_stage"] == pytest.approx(0.4)
    assert values["seconds_design"] == pytest.approx(0.1)
    assert values["seconds_per_stage_mean"] == pytest.approx(0.25)
    assert values["floor_ratio"] == pytest.approx(5.3 / 4.8)


def test_the_command_prints_the_table_and_ends_with_the_json_line(monkeypatch, capsys):
    class Stub:
        @staticmethod
        def measure(*, repeats, quick):
            assert (repeats, quick) == (2, True)
            return FIGURES

    monkeypatch.setattr(importlib, "import_module", {"benchmarks.overhead": Stub}.__getitem__)
    assert command.main(["overhead", "--quick", "--repeats", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("figure")
    assert json.loads(lines[-1])["peak_mb"] == 1520


def test_without_a_name_the_names_are_listed(capsys):
    assert command.main([]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in command.NAMES)


def test_a_process_that_fails_is_told_with_the_end_of_its_output(tmp_path):
    with pytest.raises(RuntimeError, match=r"ended with 3:\nlast words"):
        timing.run((sys.executable, "-c", "print('last words'); raise SystemExit(3)"), folder=tmp_path)


def test_a_process_is_measured_by_the_clock_and_by_its_work(tmp_path):
    measured = timing.run((sys.executable, "-c", "import time; time.sleep(0.2)"), folder=tmp_path)
    assert 0.2 <= measured.seconds < 20
    assert measured.cpu_seconds < measured.seconds
    assert measured.peak_mb > 1


def test_settings_of_mlflow_and_of_bytecode_do_not_reach_what_is_measured(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_RUN_ID", "of somebody else")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    environment = timing.clean_environment(tmp_path, BROWSER="true")
    assert {name for name in environment if name.startswith("MLFLOW_")} == {"MLFLOW_TRACKING_URI"}
    assert environment["MLFLOW_TRACKING_URI"].endswith("mlflow.db")
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    assert environment["BROWSER"] == "true"
