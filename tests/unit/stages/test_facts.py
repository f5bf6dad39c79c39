"""What each stage gave comes back from JSON and the files of its run as it was."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from stage_chain import Chain, run_chain
from use_cases import breast_cancer, diabetes, tickets, wine

from mlops_mlflow.core.records import Artifact
from mlops_mlflow.learning.kept import FILE, from_parquet
from mlops_mlflow.lifecycle.folder import load_folder
from mlops_mlflow.stages import design, evaluate, explore, extract, prepare, train, validate

STRICT = {
    "contract": {"quarantine_at_most": 0.5, "columns": {"progression": {"min": 50}}},
    "requirements": [{"metric": "latency_p95_ms", "at_most": 2000}],
}
CASES = {
    "binary": breast_cancer,
    "binary, in time, with features": tickets,
    "multiclass": wine,
    "regression": lambda folder: diabetes(folder, **STRICT),
}


@pytest.fixture(scope="module", params=list(CASES))
def chain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """Every stage of a use case, and what it said."""
    folder = tmp_path_factory.mktemp("facts")
    return run_chain(CASES[request.param](folder), folder)


def plain(module: Any, output: Any) -> dict[str, Any]:
    """What a run keeps: text of JSON, read again."""
    found: dict[str, Any] = json.loads(json.dumps(module.to_dict(output)))
    return found


def artifact(chain: Chain, stage: str, path: str, folder: Path) -> Path:
    """A file as the run kept it."""
    (found,) = (one for one in chain.records[stage] if isinstance(one, Artifact) and one.path == path)
    if isinstance(found.content, Path):
        return found.content
    file = folder / f"{stage}-{path}"
    file.write_bytes(found.content if isinstance(found.content, bytes) else found.content.encode())
    return file


def content(chain: Chain, stage: str, path: str, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(artifact(chain, stage, path, folder).read_text())
    return found


def assert_same(one: Any, other: Any, place: str = "output") -> None:
    """Equal in every field, with the same types; arrays and tables by their values; NaN is NaN."""
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        assert type(one) is type(other), place
        for field in dataclasses.fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name), f"{place}.{field.name}")
    elif isinstance(one, np.ndarray):
        assert isinstance(other, np.ndarray), place
        assert one.dtype.kind == other.dtype.kind, place
        np.testing.assert_array_equal(one, other, err_msg=place)
    elif isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
    elif isinstance(one, Mapping):
        assert isinstance(other, Mapping), place
        assert list(one) == list(other), place
        for name in one:
            assert_same(one[name], other[name], f"{place}[{name!r}]")
    elif isinstance(one, (list, tuple)):
        assert type(one) is type(other), place
        assert len(one) == len(other), place
        for number, (first, second) in enumerate(zip(one, other, strict=True)):
            assert_same(first, second, f"{place}[{number}]")
    elif isinstance(one, (float, np.floating)):
        assert isinstance(other, (float, np.floating)), place
        assert one == other or (np.isnan(one) and np.isnan(other)), place
    else:
        assert type(one) is type(other) or isinstance(one, (np.generic, Path)), place
        assert one == other, place


def test_design(chain: Chain) -> None:
    output = chain.outputs["design"]
    assert_same(output, design.from_dict(plain(design, output)))


def test_extract(chain: Chain, tmp_path: Path) -> None:
    output = chain.outputs["extract"]
    path = artifact(chain, "extract", "dataset.parquet", tmp_path)
    assert_same(output, extract.from_dict(plain(extract, output), path))


def test_explore(chain: Chain, tmp_path: Path) -> None:
    output = chain.outputs["explore"]
    profile = content(chain, "explore", "profile.json", tmp_path)
    assert_same(output, explore.from_dict(plain(explore, output), profile))


def test_prepare(chain: Chain, tmp_path: Path) -> None:
    output, data = chain.outputs["prepare"], chain.outputs["extract"]
    setting = prepare.Setting(output.problem.spec, data.path, data.columns, data.digest, output.problem.package)
    parts = artifact(chain, "prepare", "parts.parquet", tmp_path)
    reference = content(chain, "prepare", "reference_profile.json", tmp_path)
    back = prepare.from_dict(plain(prepare, output), setting, parts, reference)
    assert_same(output, back)
    assert back.problem.parts.dtype == output.problem.parts.dtype
    for part in ("train", "validation", "test"):
        assert back.problem.input(part) == output.problem.input(part), "the same rows have the same digest"
        assert_same(output.problem.rows(part), back.problem.rows(part))


def test_train(chain: Chain) -> None:
    output = chain.outputs["train"]
    estimators = {one.name: one.estimator for one in output.fitted}
    back = train.from_dict(plain(train, output), estimators)
    assert_same(output, back)
    assert back.truncated == output.truncated
    assert [one.is_baseline for one in back.fitted] == [one.is_baseline for one in output.fitted]


def test_evaluate_but_for_single_rows_and_models_that_nobody_needs(chain: Chain, tmp_path: Path) -> None:
    output = chain.outputs["evaluate"]
    made = {one.name: one.made for one in from_parquet(artifact(chain, "evaluate", FILE, tmp_path))}
    models = {one.name: one.model for one in output.judged}
    back = evaluate.from_dict(plain(evaluate, output), models, made)
    assert_same(dataclasses.replace(output, worst=None), back)
    assert back.model == output.model
    fewer = evaluate.from_dict(plain(evaluate, output), {output.baseline: models[output.baseline]}, made)
    assert fewer.of(output.chosen).model is None
    assert fewer.of(output.baseline).model is models[output.baseline]


def test_validate(chain: Chain, tmp_path: Path) -> None:
    output = chain.outputs["validate"]
    (kept,) = (one for one in from_parquet(artifact(chain, "validate", FILE, tmp_path)) if one.role == "chosen")
    assert_same(output, validate.from_dict(plain(validate, output), kept.made))


@pytest.mark.parametrize(
    "values",
    [(0, 1), (False, True), ("no", "yes"), (0.0, 1.0), ("1", "2"), (2, 11), ("true", "false"), ("null", "nan")],
    ids=repr,
)
def test_classes_of_every_type_come_back_as_they_were(values: tuple[Any, ...], tmp_path: Path) -> None:
    """A class 1 that came back as "1" would match no row."""
    from mlops_mlflow.core.plain import from_plain, to_plain
    from mlops_mlflow.core.usecase.data import Target
    from mlops_mlflow.learning.target import Outcomes, recognise

    column = pd.Series([values[number % 2] for number in range(40)])
    outcomes = recognise(column, Target(column="y", positive=values[1]))
    back = from_plain(Outcomes, json.loads(json.dumps(to_plain(outcomes))))
    assert_same(outcomes, back)
    assert back.encode(column.to_numpy()).tolist() == outcomes.encode(column.to_numpy()).tolist()


def test_the_cards_of_what_came_back_are_those_of_what_was_given(chain: Chain, tmp_path: Path) -> None:
    """Whatever reads an output reads the same: the card is the widest reader there is."""
    from mlops_mlflow.cards.page import to_json

    folder = load_folder(chain.inputs["extract"].folder)
    assert folder.spec == chain.inputs["design"].spec
    output = chain.outputs["train"]
    back = train.from_dict(plain(train, output), {one.name: one.estimator for one in output.fitted})
    inputs = chain.inputs["train"]
    assert to_json(train.card(inputs, back)) == to_json(train.card(inputs, output))
    explored = chain.outputs["explore"]
    again = explore.from_dict(plain(explore, explored), content(chain, "explore", "profile.json", tmp_path))
    assert to_json(explore.card(chain.inputs["explore"], again)) == to_json(
        explore.card(chain.inputs["explore"], explored)
    )
