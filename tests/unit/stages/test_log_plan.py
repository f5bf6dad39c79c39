"""What each stage wants logged, held against a golden file: names and kinds, and figures that the seed fixes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stage_chain import Chain, run_chain
from use_cases import tickets

from mlops_mlflow.core.records import (
    Artifact,
    ChildEnd,
    ChildRun,
    Dataset,
    Metric,
    Model,
    ModelFile,
    Param,
    Record,
    Tag,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "log_plan.json"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    folder = tmp_path_factory.mktemp("stages")
    (folder / "scratch").mkdir()
    return run_chain(tickets(folder), folder / "scratch")


def _word(record: Record) -> str:
    match record:
        case Metric():
            links = "".join(
                f" {name}={value}" for name, value in (("model", record.model), ("data", record.dataset)) if value
            )
            return f"metric {record.run}/{record.name}{links}"
        case Param():
            return f"param {record.run}/{record.name}"
        case Tag():
            return f"tag {record.run}/{record.name}"
        case Artifact():
            return f"artifact {record.path}"
        case Dataset():
            return f"dataset {record.name} ({record.context}, {record.rows} rows)"
        case Model():
            return f"model {record.name}"
        case ModelFile():
            return f"file {record.path} of {record.model}"
        case ChildRun():
            return f"begin {record.key}"
        case ChildEnd():
            return f"end {record.key} {record.status}"
    return f"{type(record).__name__} {getattr(record, 'model', '')}"


def test_each_stage_logs_what_the_golden_file_says(chain: Chain, request: pytest.FixtureRequest) -> None:
    plan = {stage: [_word(record) for record in records] for stage, records in chain.records.items()}
    if request.config.getoption("--rewrite-golden"):
        GOLDEN.write_text(json.dumps(plan, indent=1) + "\n")
    assert plan == json.loads(GOLDEN.read_text())


def test_parameters_that_are_numbers_stay_numbers(chain: Chain) -> None:
    trials = [record for record in chain.records["train"] if isinstance(record, Param) and record.name == "C"]
    assert trials
    assert all(isinstance(record.value, float) for record in trials)


def test_a_trial_is_begun_before_it_runs_and_ended_before_the_next(chain: Chain) -> None:
    runs = [record.key for record in chain.records["train"] if isinstance(record, ChildRun | ChildEnd)]
    assert runs[::2] == runs[1::2]


def test_the_same_seed_gives_the_same_figures(chain: Chain, tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    again = run_chain(tickets(tmp_path), tmp_path / "scratch")

    def figures(one: Chain) -> dict[str, float]:
        timed = ("seconds", "latency")
        return {
            f"{stage} {record.run} {record.name} {record.step}": record.value
            for stage, records in one.records.items()
            for record in records
            if isinstance(record, Metric) and not any(word in record.name for word in timed)
        }

    assert figures(chain) == figures(again)


def test_no_row_of_test_data_reaches_what_is_fitted(chain: Chain) -> None:
    problem = chain.outputs["prepare"].problem
    seen = {part: set(problem.rows(part).numbers.tolist()) for part in ("train", "validation", "test")}
    assert not seen["train"] & seen["validation"]
    assert not (seen["train"] | seen["validation"]) & seen["test"]
    times = {part: problem.rows(part).about["opened"] for part in seen}
    assert times["train"].max() < times["validation"].min()
    assert times["validation"].max() < times["test"].min()


def test_the_reference_profile_is_of_the_train_rows(chain: Chain) -> None:
    prepared = chain.outputs["prepare"]
    assert prepared.reference.rows == len(prepared.problem.rows("train"))


def test_the_verdict_is_what_its_findings_say(chain: Chain) -> None:
    validated = chain.outputs["validate"]
    assert validated.verdict == "passed"
    assert {finding.outcome for finding in validated.findings} == {"passed"}


def test_every_stage_has_a_table(chain: Chain) -> None:
    import importlib

    def rows(stage: str) -> Any:
        return importlib.import_module(f"mlops_mlflow.stages.{stage}").table(chain.outputs[stage])

    assert all(len(rows(stage)) for stage in chain.outputs)
