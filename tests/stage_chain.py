"""The stages one after another without MLflow: what each emits and gives."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_mlflow.core.records import Progress, Record
from mlops_mlflow.learning.predict import predictor
from mlops_mlflow.lifecycle.folder import load_folder
from mlops_mlflow.stages import design, evaluate, explore, extract, prepare, train, validate


@dataclass
class Chain:
    """Inputs, outputs and records of every stage."""

    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    records: dict[str, list[Record]] = field(default_factory=dict)

    def run(self, stage: Any, inputs: Any) -> Any:
        """Run one stage and keep what it said; progress is for eyes only."""
        name = stage.__name__.rpartition(".")[2]
        said: list[Record] = []
        self.inputs[name] = inputs
        self.outputs[name] = stage.run(inputs, said.append)
        self.records[name] = [record for record in said if not isinstance(record, Progress)]
        return self.outputs[name]


def run_chain(folder: Path, scratch: Path, *, champion: Any = None) -> Chain:
    """All stages of a use case."""
    use_case, chain = load_folder(folder), Chain()
    spec = use_case.spec
    chain.run(design, design.Inputs(spec, use_case.files()))
    data = chain.run(
        extract,
        extract.Inputs(spec, use_case.path, use_case.sql, {}, scratch, spec.data.since, spec.data.until),
    )
    chain.run(explore, explore.Inputs(spec, data.path, data.columns))
    prepared = chain.run(
        prepare, prepare.Inputs(spec, data.path, data.columns, data.digest, use_case.modules(), scratch)
    )
    problem = prepared.problem
    trained = chain.run(train, train.Inputs(problem))
    candidates = tuple(
        evaluate.Candidate(one.name, one.estimator, one.params, one.mean, one.is_baseline) for one in trained.fitted
    )
    chosen = chain.run(evaluate, evaluate.Inputs(problem, candidates, json.dumps(prepared.reference.to_dict())))
    best = chosen.of(chosen.chosen)
    chain.run(
        validate,
        validate.Inputs(
            problem,
            best.name,
            predictor(best.model, problem.outcomes),
            best.threshold,
            chosen.baseline,
            predictor(chosen.of(chosen.baseline).model, problem.outcomes),
            champion,
            0.5,
            0.1,
            chosen.choose_by,
            time.perf_counter,
        ),
    )
    return chain
