"""The whole of ``usecase.yaml``, and what has to hold between its sections."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlops_mlflow.core.usecase.base import Column, Name, Section, Text, contradiction
from mlops_mlflow.core.usecase.candidates import Candidates, Evaluation, Tuning
from mlops_mlflow.core.usecase.data import Contract, DataRange, EventTime, Features, Labels, Source, Split, Target
from mlops_mlflow.core.usecase.operation import Governance, Monitoring, Retraining
from mlops_mlflow.core.usecase.success import Criterion, Requirement, Value


class Owners(Section):
    """Who answers for it."""

    business: Text
    technical: Text


class CardText(Section):
    """What readers of the cards are told."""

    intended_use: Text
    not_for: str = ""
    """Uses that it was not made for."""
    risk: Literal["low", "medium", "high"] = "low"
    limits: tuple[str, ...] = ()
    """Known limits, one sentence each."""
    examples: bool = True
    """Whether findings may show values of single rows."""


class UseCaseSpec(Section):
    """One use case, from the business's question to what is watched in production."""

    version: Literal[1] = 1
    use_case: Name
    """Also the name of the experiment and of the registered model."""
    question: Text
    """The business question, in one sentence."""
    owners: Owners
    card: CardText
    target: Target
    sources: Annotated[dict[Name, Source], Field(min_length=1)]
    candidates: Annotated[Candidates, Field(min_length=1)]
    success: Annotated[tuple[Criterion, ...], Field(min_length=1)]
    """The business's acceptance, on rows that nobody has seen."""
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    """Of every random choice in every stage."""
    entity_key: Column | None = None
    """One value per row; predictions are joined with labels by it."""
    event_time: EventTime | None = None
    labels: Labels | None = None
    value: Value | None = None
    extract: Annotated[str, Field(pattern=r"\.sql$")] | None = None
    """SQL file that joins the sources; needed when there are several."""
    data: DataRange = DataRange()
    contract: Contract = Contract()
    forbidden: tuple[Column, ...] = ()
    """Known only after the decision, or not allowed to decide: the dataset must not hold them."""
    split: Split = Split()
    features: Features = Features()
    tuning: Tuning = Tuning()
    evaluation: Evaluation = Evaluation()
    requirements: tuple[Requirement, ...] = ()
    governance: Governance = Governance()
    monitoring: Monitoring | None = None
    retraining: Retraining | None = None

    @model_validator(mode="after")
    def _together(self) -> UseCaseSpec:
        if self.split.by == "time" and self.event_time is None:
            raise contradiction("rows cannot be divided by time without `event_time`", "split", "by")
        if self.extract is None and len(self.sources) > 1:
            raise contradiction(f"{len(self.sources)} sources need `extract`, the SQL file that joins them", "sources")
        if self.labels and self.labels.source not in self.sources:
            raise contradiction(
                f"`{self.labels.source}` is not one of the sources: {', '.join(self.sources)}", "labels", "source"
            )
        if self.labels and self.entity_key is None:
            raise contradiction("needs `entity_key`, by which outcomes find their predictions", "labels")
        if self.target.column in self.forbidden:
            raise contradiction(f"`{self.target.column}` is the target and cannot be forbidden", "forbidden")
        if self.retraining and not self.monitoring:
            raise contradiction("needs `monitoring`: it is decided by its alarms", "retraining")
        return self
