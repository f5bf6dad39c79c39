"""Kinds of problems from end to end: what passes is in Staging, what does not leaves no trace in the registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import use_cases
from lifecycles import PARENT, STAGES, Lifecycle, client, newest, page, store_of, versions
from mlflow.entities import Run
from processes import Ended, mlops


@pytest.mark.parametrize(
    ("make", "metric"), [(use_cases.wine, "roc_auc_ovr"), (use_cases.diabetes, "rmse")], ids=["wine", "diabetes"]
)
def test_classes_and_numbers_run_to_a_version_in_staging(
    make: Callable[[Path], Path], metric: str, tmp_path: Path
) -> None:
    use_case = make(tmp_path)
    ended = mlops("run", use_case, cwd=tmp_path)
    assert f"{use_case.name} 1, in Staging" in ended.out
    (version,) = versions(store_of(tmp_path), use_case.name)
    assert version.current_stage == "Staging"
    lifecycle = newest(store_of(tmp_path), use_case.name)
    assert lifecycle.run.data.metrics[metric] == lifecycle.stages["validate"].data.metrics[metric]


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lifecycle, Ended]:
    folder = tmp_path_factory.mktemp("refused")
    ended = mlops("run", use_cases.refused(folder), cwd=folder, code=1)
    return newest(store_of(folder), "refused"), ended


def test_what_is_refused_is_said_and_exits_with_1(refused: tuple[Lifecycle, Ended]) -> None:
    lifecycle, ended = refused
    assert "FAILED" in ended.out
    assert "none: only what passes is registered" in ended.out
    assert "Traceback" not in ended.err
    assert lifecycle.run.info.status == "FINISHED", "it was judged, nothing broke"


def test_what_is_refused_is_tagged_and_has_its_cards(refused: tuple[Lifecycle, Ended]) -> None:
    lifecycle, _ = refused
    assert lifecycle.run.data.tags["mlops.verdict"] == "failed"
    assert lifecycle.stages["validate"].data.tags["mlops.verdict"] == "failed"
    assert "mlops.version" not in lifecycle.run.data.tags
    for stage in STAGES:
        assert "<html" in lifecycle.artifact(stage, "card.html")


def test_what_is_refused_is_not_registered_at_all(refused: tuple[Lifecycle, Ended]) -> None:
    assert client(refused[0].uri).search_registered_models() == []


@pytest.fixture(scope="module")
def tickets(tmp_path_factory: pytest.TempPathFactory) -> Lifecycle:
    folder = tmp_path_factory.mktemp("tickets")
    mlops("run", use_cases.tickets(folder), cwd=folder)
    return newest(store_of(folder), "tickets")


def test_texts_times_and_joined_sources_run_to_a_version_in_staging(tickets: Lifecycle) -> None:
    (version,) = versions(tickets.uri, "tickets")
    assert version.current_stage == "Staging"
    kinds = json.loads(tickets.artifact("prepare", "features.json"))["kinds"]
    assert {kinds["words"], kinds["due"], kinds["plan"], kinds["hours_left"]} == {
        "text",
        "datetime",
        "categorical",
        "numeric",
    }


def test_runs_are_nested_lifecycle_stage_trial_and_candidate(tickets: Lifecycle) -> None:
    assert list(tickets.stages) == list(STAGES)
    assert PARENT not in tickets.run.data.tags
    assert set(tickets.children["train"]) == {"logistic-000", "logistic-001", "tree-000", "tree-001"}
    assert {"logistic", "tree"} < set(tickets.children["evaluate"]), "and the baselines"
    kinds = {place.count("/") + bool(place): run.data.tags["mlops.kind"] for place, run in tickets.runs.items()}
    assert kinds[0] == "lifecycle"
    assert kinds[1] == "stage"
    assert {run.data.tags["mlops.kind"] for run in tickets.children["train"].values()} == {"trial"}
    assert {run.data.tags["mlops.kind"] for run in tickets.children["evaluate"].values()} == {"candidate"}
    assert {run.data.tags["mlops.use_case"] for run in tickets.runs.values()} == {"tickets"}
    assert {run.info.status for run in tickets.runs.values()} == {"FINISHED"}


def test_numbers_among_params_stay_numbers(tickets: Lifecycle) -> None:
    trials = tickets.children["train"]
    assert 0.01 <= float(trials["logistic-000"].data.params["C"]) <= 10
    assert trials["logistic-000"].data.params["max_iter"] == "500"
    assert trials["tree-000"].data.params["max_depth"] in {"2", "3", "4", "5", "6"}
    chosen = tickets.run.data.params["chosen"]
    named = {"logistic": "C", "tree": "max_depth"}[chosen]
    assert tickets.run.data.params[named] in {run.data.params.get(named) for run in trials.values()}


@pytest.mark.parametrize(("stage", "part"), [("evaluate", "validation"), ("validate", "test")])
def test_figures_belong_to_a_model_and_to_the_rows_that_they_were_measured_on(
    stage: str, part: str, tickets: Lifecycle
) -> None:
    chosen = tickets.run.data.params["chosen"]
    place, name = (f"evaluate/{chosen}", chosen) if stage == "evaluate" else ("validate", f"{chosen}_chosen")
    run = tickets.runs[place]
    (model,) = client(tickets.uri).search_logged_models([run.info.experiment_id], f"name = '{name}'")
    assert str(model.status) == "READY"
    linked = next(one for one in model.metrics if one.key == "roc_auc" and one.run_id == run.info.run_id)
    assert linked.model_id == model.model_id
    assert linked.value == run.data.metrics["roc_auc"]
    digests = {one.dataset.name: one.dataset.digest for one in tickets.stages[stage].inputs.dataset_inputs}
    assert linked.dataset_name == f"tickets.{part}"
    assert linked.dataset_digest == digests[f"tickets.{part}"]


def test_models_are_outputs_of_the_stage_that_made_them(tickets: Lifecycle) -> None:
    outputs = {
        stage: {client(tickets.uri).get_logged_model(one.model_id).name for one in run.outputs.model_outputs}
        for stage, run in tickets.stages.items()
        if run.outputs and run.outputs.model_outputs
    }
    assert outputs.keys() == {"train", "evaluate"}
    assert {"logistic", "tree"} < outputs["train"]
    assert outputs["evaluate"] == {f"{tickets.run.data.params['chosen']}_chosen"}
    (version,) = versions(tickets.uri, "tickets")
    (made,) = tickets.stages["evaluate"].outputs.model_outputs
    assert version.source == f"models:/{made.model_id}"


def contexts(run: Run) -> dict[str, str]:
    return {
        one.dataset.name: tag.value
        for one in run.inputs.dataset_inputs
        for tag in one.tags
        if tag.key == "mlflow.data.context"
    }


def test_datasets_are_inputs_with_their_context_schema_and_size(tickets: Lifecycle) -> None:
    extract = tickets.stages["extract"]
    assert contexts(extract) == {
        "tickets.tickets": "source",
        "tickets.customers": "source",
        "tickets.dataset": "dataset",
    }
    assert contexts(tickets.stages["prepare"]) == {
        "tickets.train": "training",
        "tickets.validation": "validation",
        "tickets.test": "test",
    }
    assert contexts(tickets.stages["validate"]) == {"tickets.test": "test"}
    whole = next(one.dataset for one in extract.inputs.dataset_inputs if one.dataset.name == "tickets.dataset")
    assert json.loads(whole.profile) == {"num_rows": 1200}
    names = [one["name"] for one in json.loads(whole.schema)["mlflow_colspec"]]
    assert {"ticket_id", "words", "escalated"} <= set(names)
    assert "customer_id" not in names


def test_pages_begin_with_a_note_and_links_open_the_model_training_mode(tickets: Lifecycle) -> None:
    notes = {place: run.data.tags.get("mlflow.note.content", "") for place, run in tickets.runs.items()}
    for stage in STAGES:
        assert "card.html" in notes[stage]
        run = tickets.stages[stage]
        assert f"{page(tickets, run)}?workflowType=machine_learning" in notes[""]
    experiment = client(tickets.uri).get_experiment_by_name("tickets")
    assert experiment is not None
    assert "Which tickets will be escalated?" in experiment.tags["mlflow.note.content"]
    (version,) = versions(tickets.uri, "tickets")
    for text in (*notes.values(), experiment.tags["mlflow.note.content"], version.description):
        assert text.count("](/#/") == text.count("?workflowType=machine_learning")
