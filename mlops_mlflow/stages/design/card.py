"""The card of design: what is asked for, what the model is held to, what is tried and how it is judged."""

from __future__ import annotations

from collections.abc import Iterator

from mlops_mlflow.cards.blocks import Block, Card, Cell, Findings, Heading, KeyValues, Quantity, Remark, Table, Text
from mlops_mlflow.cards.numbers import figure
from mlops_mlflow.cards.wording import counted, title
from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.core.usecase.base import Task
from mlops_mlflow.core.usecase.candidates import Candidate, Distribution
from mlops_mlflow.core.usecase.data import Source
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.success import ApprovalRequirement, Value
from mlops_mlflow.stages.design.run import Inputs, Output

_SPLITS = {
    "time": "by `{event_time}`: the oldest rows train, the newest test",
    "random": "at random, by a hash of each row's content",
    "stratified": "at random within each outcome",
    "grouped": "at random, rows of one `{group}` together",
}


def card(inputs: Inputs, output: Output) -> Card:
    """The page of this stage."""
    spec = inputs.spec
    approvals = [one for one in spec.requirements if isinstance(one, ApprovalRequirement)]
    checked = len(output.promises) - len(approvals)
    held = f"{counted(checked, 'bound')} to keep"
    held += f" and {counted(len(approvals), 'approval')} to get" if approvals else ""
    blocks: list[Block] = [Heading("What is asked"), Text(spec.question), _purpose(spec)]
    blocks += [Heading("What the model is held to"), _promises(output)]
    if spec.value:
        blocks += [Heading("What a decision is worth"), _prices(spec.value)]
    blocks += [Heading("What is tried"), _candidates(spec), Heading("How it is judged"), _judgement(spec)]
    blocks += [Heading("What it is made of"), _sources(spec)]
    if remarks := tuple(_unsaid(spec)):
        blocks += [Heading("What is not said"), Findings(remarks)]
    return Card(
        title("design", spec),
        f"{', '.join(inputs.files)} · nothing has been read or trained yet",
        "ok",
        f"The use case holds together: {held}, {counted(len(spec.candidates), 'candidate')} to try",
        tuple(blocks),
        (
            ("bounds", checked),
            ("approvals", len(approvals)),
            ("candidates", len(spec.candidates)),
            ("sources", len(spec.sources)),
            ("risk", spec.card.risk),
        ),
    )


def _purpose(spec: UseCaseSpec) -> KeyValues:
    told: list[tuple[str, Cell]] = [("Intended use", spec.card.intended_use)]
    told += [("Not for", spec.card.not_for)] if spec.card.not_for else []
    told += [("Known limits", " ".join(spec.card.limits))] if spec.card.limits else []
    told += [("Answers for the business", spec.owners.business), ("Answers for the technology", spec.owners.technical)]
    return KeyValues(tuple(told))


def _promises(output: Output) -> Table:
    rows = tuple((one.what, one.kind, one.checked_by, one.owner) for one in output.promises)
    caption = "Criteria are the business's acceptance, on test rows that nobody has seen."
    return Table(("what", "kind", "checked by", "who answers for it"), rows, caption)


def _prices(value: Value) -> Table:
    if value.matrix is not None:
        pairs = [(actual, decided, worth) for actual, row in value.matrix.items() for decided, worth in row.items()]
        rows: tuple[tuple[Cell, ...], ...] = tuple((a, d, Quantity(worth, value.unit)) for a, d, worth in pairs)
        return Table(("actual", "predicted", "worth"), rows, "Pairs that are not named are worth nothing.")
    named = (
        ("one unit too high", value.over),
        ("one unit too low", value.under),
        ("yes, and it was so (true positive)", value.true_positive),
        ("yes, but it was not so (false positive)", value.false_positive),
        ("no, but it was so (false negative)", value.false_negative),
        ("no, and it was not so (true negative)", value.true_negative),
    )
    wanted = named[:2] if value.form == "regression" else named[2:]
    rows = tuple((name, Quantity(0.0 if worth is None else worth, value.unit)) for name, worth in wanted)
    return Table(("prediction" if value.form == "regression" else "decision", "worth per row"), rows)


def _candidates(spec: UseCaseSpec) -> Table:
    rows = tuple((name, *_candidate(one, spec.tuning.trials)) for name, one in spec.candidates.items())
    return Table(("candidate", "estimator", "fixed", "searched", "trials"), rows)


def _candidate(one: Candidate, trials: int) -> tuple[Cell, ...]:
    fixed = ", ".join(f"{name} = {value}" for name, value in one.fixed.items())
    space = "; ".join(f"{name}: {_drawn(found)}" for name, found in one.space.items())
    return one.estimator.rsplit(".", 1)[-1], fixed, space, trials if one.space else 1


def _drawn(found: Distribution) -> str:
    """A distribution as a reader would say it."""
    if found.choice is not None:
        return f"one of {', '.join(map(str, found.choice))}"
    low, high = found.arguments[:2]
    if found.kind.endswith("normal"):
        return f"around {low:g} ± {high:g}" + (" (log)" if "log" in found.kind else "")
    return f"{low:g} to {high:g}" + (" (log)" if "log" in found.kind else "")


def _judgement(spec: UseCaseSpec) -> KeyValues:
    split, tuning = spec.split, spec.tuning
    how = _SPLITS[split.by].format(event_time=spec.event_time and spec.event_time.column, group=split.group)
    tuned = f"`{tuning.metric}`" if tuning.metric else "the usual metric of the task"
    folds = "on one hold-out" if tuning.folds == 1 else f"in {tuning.folds} folds"
    guard = f", at most {figure(tuning.timeout.total_seconds(), 's')} per candidate" if tuning.timeout else ""
    chosen = spec.evaluation.choose_by or ("value_per_row" if spec.value else tuning.metric)
    shares = " / ".join(figure(share, "%") for share in (split.train, split.validation, split.test))
    told: list[tuple[str, Cell]] = [
        ("Rows are divided", f"{shares} (train / validation / test) {how}"),
        ("Trials are judged by", f"{tuned}, {folds} inside the train rows{guard}"),
        ("The candidate is chosen by", f"{f'`{chosen}`' if chosen else tuned}, on validation rows"),
        ("The verdict is given", "on test rows, once"),
    ]
    if spec.evaluation.slices:
        told.append(("Shown apart for each", ", ".join(spec.evaluation.slices)))
    if spec.forbidden:
        told.append(("Must not be known", ", ".join(f"`{name}`" for name in spec.forbidden)))
    return KeyValues((*told, ("Seed of every random choice", str(spec.seed))))


def _sources(spec: UseCaseSpec) -> Table:
    rows = tuple((name, *_where(source)) for name, source in spec.sources.items())
    joined = f"They are joined by `{spec.extract}`." if spec.extract else ""
    return Table(("source", "from", "what is read"), rows, joined)


def _where(source: Source) -> tuple[str, str]:
    """Where a source comes from; of a database only its kind, for its URL may hold what nobody should read."""
    if source.sql is not None:
        read = f"table {source.table}" if source.table else "a query"
        return f"database ({source.sql.partition(':')[0].partition('+')[0]})", read
    return (f"package {source.package}" if source.package else "file"), source.path or ""


def _unsaid(spec: UseCaseSpec) -> Iterator[Remark]:
    if not spec.value:
        decides = _task(spec) != "regression"
        detail = "A yes or no is then decided at even odds, whatever a mistake costs." if decides else ""
        yield Remark("info", "No outcome is priced (`value`): candidates are compared by a statistic alone.", detail)
    if not spec.card.not_for:
        yield Remark("info", "No use is ruled out (`card.not_for`).", "Say what the model must not be used for.")
    if not spec.card.limits:
        yield Remark("info", "No limit is stated (`card.limits`).", "Say where the data does not reach.")
    if not any(one.against == "champion" for one in spec.success):
        yield Remark("info", "Nothing asks a new model to be as good as the one in Production (`against: champion`).")
    if spec.monitoring is None:
        yield Remark("info", "Nothing is watched once a version serves (`monitoring`).")


def _task(spec: UseCaseSpec) -> Task | None:
    """The kind of target, as far as that is told before any row is read."""
    tasks = [CATALOGUE[bound.metric].tasks for bound in spec.success if bound.metric in CATALOGUE]
    only_numbers = any(found == {"regression"} for found in tasks)
    return spec.target.task or ("regression" if only_numbers else None)
