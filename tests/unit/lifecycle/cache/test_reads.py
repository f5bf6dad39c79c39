"""What a stage really reads and runs is what its key is made of: spied on, not believed."""

from __future__ import annotations

import importlib
import sys
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from stage_chain import run_chain
from use_cases import breast_cancer, diabetes, tickets, wine

import mlops_mlflow
from mlops_mlflow.core.usecase.base import Section
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.lifecycle.cache.code import code_of
from mlops_mlflow.lifecycle.cache.keys import READS, UPSTREAM, Known, stage_key
from mlops_mlflow.lifecycle.folder import load_folder
from mlops_mlflow.lifecycle.plan import STAGES

PACKAGE = Path(mlops_mlflow.__file__).parent
WHOLE = {"model_dump", "model_dump_json", "model_copy", "__dict__"}
"""Attributes by which everything in a section is read."""

REFUSES = "`check_columns` only refuses, and is asked again where the dataset is reused"
BESIDE = "columns beside a row (`problem.about_columns`), which train carries and does not look at"
SHOWN = "the part `columns shown` of its key"
PRICES = "`check_prices` only refuses, and evaluate asks it again"
CARRIED = "carried with predictions; looked at where trials are judged by it only, and then in the key"
EXCUSED: dict[str, dict[str, str]] = {
    "extract": {
        **dict.fromkeys(["forbidden", "entity_key", "event_time", "split", "features", "evaluation"], REFUSES),
        **dict.fromkeys(["success", "requirements", "monitoring", "target"], REFUSES),
        "extract": "name of the file in messages; its text is a part of the key",
    },
    "prepare": {"value": PRICES},
    "train": {**dict.fromkeys(["evaluation.slices", "success", "requirements"], BESIDE), "value": CARRIED},
    "evaluate": dict.fromkeys(["success", "requirements"], SHOWN),
}
"""What may be read without being in the key, and why."""
ONLY_BY = {"success", "requirements"}
"""Of these, ``by`` alone is excused, and that there are none."""


def excused(stage: str, spec: UseCaseSpec, leaf: str) -> bool:
    """Whether a leaf may be read without being in the key."""
    section = next((path for path in EXCUSED.get(stage, {}) if leaf == path or leaf.startswith(f"{path}.")), "")
    if stage == "train" and section == "value":
        return spec.tuning.metric != "value_per_row"
    return bool(section) and (section not in ONLY_BY or leaf in {section, f"{section}.by"})


class Reads:
    """Which leaves of a use case are read, by stage, while ``watching`` one."""

    def __init__(self, spec: UseCaseSpec) -> None:
        self.paths = dict(_sections(spec, ""))
        self.alive = spec  # ids stay taken as long as it lives
        self.stage = ""
        self.leaves: dict[str, set[str]] = defaultdict(set)

    def read(self, section: Section, name: str) -> None:
        """Take note of an attribute."""
        path = self.paths.get(id(section))
        if not self.stage or path is None:
            return
        if name in WHOLE:
            self.leaves[self.stage].add(path)
        elif name in type(section).model_fields:
            value = object.__getattribute__(section, "__dict__")[name]
            if not _inner(value):
                self.leaves[self.stage].add(f"{path}.{name}".lstrip("."))


def _inner(value: Any) -> bool:
    """Whether what matters of a value are the sections in it."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else [value]
    return any(isinstance(one, Section) for one in inside)


def _sections(value: Any, path: str) -> Iterator[tuple[int, str]]:
    """Each section with its path; places in lists do not count."""
    if isinstance(value, Section):
        yield id(value), path
        for name in type(value).model_fields:
            yield from _sections(getattr(value, name), f"{path}.{name}".lstrip("."))
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _sections(inner, f"{path}.{name}")
    elif isinstance(value, tuple):
        for inner in value:
            yield from _sections(inner, path)


@contextmanager
def spied(reads: Reads) -> Iterator[None]:
    """Let every section tell what is read of it."""

    def told(section: Section, name: str) -> Any:
        if not name.startswith("__") or name in WHOLE:
            reads.read(section, name)
        return object.__getattribute__(section, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Section, "__getattribute__", told, raising=False)
        yield


@contextmanager
def executed(into: set[str]) -> Iterator[None]:
    """Files of ours of which a function ran."""

    def told(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            into.add(frame.f_code.co_filename)

    before = sys.getprofile()
    sys.setprofile(told)
    try:
        yield
    finally:
        sys.setprofile(before)


CASES = {
    "binary": lambda folder: breast_cancer(folder, features={"kinds": {"mean_radius": "numeric"}}),
    "in time": lambda folder: tickets(
        folder,
        card={"intended_use": "Tests.", "limits": ["One."], "not_for": "Else."},
        contract={"quarantine_at_most": 0.5, "columns": {"age": {"min": 19}}},
        success=[
            {"metric": "roc_auc", "at_least": 0.7, "by": "plan", "min_rows": 20},
            {"metric": "value_per_row", "at_least": 0, "against": "baseline"},
        ],
        requirements=[
            {"metric": "latency_p95_ms", "at_most": 2000},
            {"metric": "demographic_parity_difference", "at_most": 1, "by": "channel", "min_rows": 20},
            {"approval": "legal", "subject": "wording"},
        ],
        tuning={"trials": 2, "folds": 2, "metric": "roc_auc", "early_stop": 5, "timeout": "PT60S"},
    ),
    "by price": lambda folder: tickets(folder, tuning={"trials": 2, "folds": 2, "metric": "value_per_row"}),
    "grouped": lambda folder: tickets(
        folder, split={"by": "grouped", "group": "age", "train": 0.6, "validation": 0.2, "test": 0.2}
    ),
    "classes": wine,
    "a number": lambda folder: diabetes(folder, value={"over": -1, "under": -2}),
}


@pytest.fixture(scope="module", params=list(CASES))
def watched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each stage, and its card, read and ran."""
    folder = tmp_path_factory.mktemp("watched")
    case = CASES[request.param](folder)
    spec = load_folder(case).spec
    reads, cards, files = Reads(spec), Reads(spec), defaultdict(set)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stage_chain.load_folder", lambda path: _with(load_folder(path), spec))
        for name in STAGES:
            module = importlib.import_module(f"mlops_mlflow.stages.{name}")
            patch.setattr(module, "run", _watching(module.run, name, reads, files[name]))
        with spied(reads):
            chain = run_chain(case, folder)
    with spied(cards):
        for name in STAGES:
            cards.stage = name
            importlib.import_module(f"mlops_mlflow.stages.{name}").card(chain.inputs[name], chain.outputs[name])
    return {"spec": spec, "runs": reads.leaves, "cards": cards.leaves, "files": files}


def _with(folder: Any, spec: UseCaseSpec) -> Any:
    from dataclasses import replace

    return replace(folder, spec=spec)


def _watching(run: Any, name: str, reads: Reads, files: set[str]) -> Any:
    def wrapped(inputs: Any, emit: Any) -> Any:
        reads.stage = name
        try:
            with executed(files):
                return run(inputs, emit)
        finally:
            reads.stage = ""

    return wrapped


def chain_of(stage: str | None) -> list[str]:
    found = []
    while stage is not None:
        found.append(stage)
        stage = UPSTREAM.get(stage)
    return found


def covered(leaf: str, stage: str, spec: UseCaseSpec) -> bool:
    """Whether a leaf is in the key of a stage, or of one that it stands on."""
    known = Known(spec, {}, {}, None, "", evidently=False)
    parts = [part for one in chain_of(stage) for part in stage_key(known, one).parts]
    return any(part == leaf or part.startswith(f"{leaf}.") or leaf.startswith(f"{part}.") for part in parts)


def missing(leaves: set[str], stage: str, spec: UseCaseSpec) -> set[str]:
    return {leaf for leaf in leaves if not covered(leaf, stage, spec) and not excused(stage, spec, leaf)}


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage in READS])
def test_what_a_stage_reads_is_in_its_key(watched: dict[str, Any], stage: str) -> None:
    read = watched["runs"][stage]
    assert read, "the spy sees something"
    assert missing(read, stage, watched["spec"]) == set()


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage in READS])
def test_what_a_card_reads_is_in_the_key_of_its_stage(watched: dict[str, Any], stage: str) -> None:
    """A page that is reused must not show what the use case said earlier, above all not examples, once forbidden."""
    assert missing(watched["cards"][stage], stage, watched["spec"]) == set()


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_runs_is_in_the_digest_of_its_code(watched: dict[str, Any], stage: str) -> None:
    ran = {_module(file) for file in watched["files"][stage] if Path(file).is_relative_to(PACKAGE)}
    assert f"mlops_mlflow.stages.{stage}.run" in ran, "the spy sees something"
    known = {module for one in chain_of(stage) for module in code_of(one).modules}
    assert ran - known == set()


def _module(file: str) -> str:
    parts = [PACKAGE.name, *Path(file).relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_the_spy_tells_an_unread_leaf_from_one_that_is_read() -> None:
    spec = UseCaseSpec.model_validate(
        {
            "use_case": "u",
            "question": "q",
            "owners": {"business": "b", "technical": "t"},
            "card": {"intended_use": "i"},
            "target": {"column": "y"},
            "sources": {"s": {"path": "s.csv"}},
            "candidates": {"c": {"estimator": "a.B"}},
            "success": [{"metric": "roc_auc", "at_least": 0.5, "by": "x"}],
        }
    )
    reads = Reads(spec)
    with spied(reads):
        reads.stage = "train"
        _ = spec.tuning.trials, spec.candidates["c"].fixed, spec.value, [one.by for one in spec.success]
        spec.split.model_dump()
    assert reads.leaves["train"] == {"tuning.trials", "candidates.c.fixed", "value", "success.by", "split"}
    assert covered("tuning.trials", "train", spec)
    assert covered("target.column", "train", spec), "through prepare"
    assert not covered("success.by", "train", spec)
    assert excused("train", spec, "success.by")
    assert not excused("train", spec, "success.metric")


def test_every_section_that_is_read_by_nobody_is_known() -> None:
    """A new section is somebody's business: either a stage reads it, or it stands here with a reason."""
    of_design_alone = {
        "version": "of the file",
        "labels": "of monitoring",
        "extract": "its text is in the key of extract",
        "data": "the bounds are in the key of extract",
        "forbidden": "checked whenever a dataset is made or reused",
        "governance": "of the registry",
        "retraining": "of monitoring",
    }
    read = {path.partition(".")[0] for paths in READS.values() for path in paths}
    assert set(UseCaseSpec.model_fields) - read == set(of_design_alone)
