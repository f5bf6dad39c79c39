"""Predict the rows of a batch, a few at a time; what breaks the data contract is set aside, never scored."""

from __future__ import annotations

from contextlib import ExitStack, closing

import pandas as pd

from mlops_mlflow.core.errors import ContractError
from mlops_mlflow.core.records import Artifact, Dataset, Emit, Metric, ModelUse, Param, Progress
from mlops_mlflow.core.usecase.data import ColumnRule, Contract
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.engines.batch import Batch
from mlops_mlflow.engines.contract import Reason, find_broken
from mlops_mlflow.engines.sinks import opened
from mlops_mlflow.engines.tables import read_beside
from mlops_mlflow.stages.score.beside import Beside, ahead
from mlops_mlflow.stages.score.job import MODEL, Inputs, Output
from mlops_mlflow.stages.score.rows import Aside, Scoring, log_writer, read, schema_of


def run(inputs: Inputs, emit: Emit) -> Output:
    """Score every row that keeps the contract; all of it becomes visible at the end, or nothing.

    Raises:
        ContractError: A column is missing or cannot be what the model takes, or no row keeps the contract.
        UseCaseError: The batch has a column of a name that the output needs.
        StorageError: The output or the inference log takes no more.
    """
    batch = inputs.batch
    emit(Progress(0, batch.rows, "checking the contract"))
    broken = find_broken(batch.path, scoring_contract(inputs.spec, batch), required=())
    schema = schema_of(inputs)
    with ExitStack() as stack:
        write = stack.enter_context(opened(inputs.sink, schema, environment=inputs.environment))
        log = stack.enter_context(log_writer(inputs))  # left first: what is in the output is in the log
        aside = stack.enter_context(Aside(inputs.quarantine))
        beside = stack.enter_context(Beside())
        scoring = Scoring(inputs, broken, write, log, aside, beside, schema)
        rows = stack.enter_context(closing(ahead(read_beside(batch.path, read(inputs)))))
        for stored, table in rows:
            scoring.take(stored, table)
            emit(Progress(scoring.seen, batch.rows, "scoring"))
        beside.wait()
        if batch.rows and not scoring.scored:
            aside.close()
            emit(Artifact("quarantine.parquet", inputs.quarantine))
            raise _nothing_kept(batch, scoring.reasons)
        write.finish()  # a disk that is full now is found before the log has the rows
    output = scoring.output
    _log(inputs, output, emit)
    return output


def scoring_contract(spec: UseCaseSpec, batch: Batch) -> Contract:
    """What the data contract says of the columns that are there; the outcome is not known yet, so nothing of it.

    Each row needs its key, by which its label is found, and its time, by which its window is.
    """
    declared = spec.contract.columns.items()
    rules = {name: rule for name, rule in declared if name in batch.columns and name != spec.target.column}
    for name in (spec.entity_key, spec.event_time.column if spec.event_time else None):
        if name:
            rules[name] = rules.get(name, ColumnRule()).model_copy(update={"nullable": False})
    return Contract(quarantine_at_most=spec.contract.quarantine_at_most, columns=rules)


def _nothing_kept(batch: Batch, reasons: tuple[Reason, ...]) -> ContractError:
    told = "; ".join(f"{one.column}: {one.rule} ({one.count:,} rows)" for one in reasons[:5])
    return ContractError(
        f"none of the {batch.rows:,} rows can be scored",
        expected="rows that keep the data contract",
        got=told,
        hint="nothing was written; quarantine.parquet among the artifacts of the run says why of each row; mend them, "
        "or the contract in usecase.yaml",
    )


def _log(inputs: Inputs, output: Output, emit: Emit) -> None:
    batch, model = inputs.batch, inputs.model
    emit(Dataset(f"{inputs.spec.use_case}.batch", batch.digest[:16], batch.uri, "scoring", batch.columns, batch.rows))
    emit(ModelUse(MODEL, "input"))
    # Not `version` and `output`: so are called what a person gives to the entry point of the project.
    emit(Param("model_version", model.version))
    emit(Param("registry_stage", model.stage))
    emit(Param("written_to", str(inputs.sink)))
    emit(Param("request_id", inputs.request))
    emit(Metric("rows", output.rows))
    emit(Metric("rows_scored", output.scored))
    emit(Metric("rows_quarantined", output.aside))
    emit(Metric("quarantined_share", output.aside / output.rows if output.rows else 0.0))
    if output.mean is not None:
        emit(Metric("mean_prediction", output.mean))
    if model.outcomes.task == "binary" and output.scored:
        positive = dict(output.decided).get(model.outcomes.classes[1], 0)
        emit(Metric("positive_rate", positive / output.scored))
    if output.aside:
        emit(Artifact("quarantine.parquet", inputs.quarantine))


def table(output: Output) -> pd.DataFrame:
    """One row per decision: rows and share."""
    rows = [(decision, count, count / output.scored) for decision, count in output.decided]
    return pd.DataFrame(rows, columns=["decision", "rows", "share"])
