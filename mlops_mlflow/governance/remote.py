"""The registry of a plain MLflow server: decisions are recorded beside it, and nobody is bound to them."""

from __future__ import annotations

import contextlib
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mlops_mlflow.core.errors import MlopsError
from mlops_mlflow.core.ledger.chain import Head, Stored
from mlops_mlflow.core.ledger.record import BEGINNING, Record
from mlops_mlflow.core.ledger.replay import history
from mlops_mlflow.governance.audit_runs import (
    HASH,
    PREVIOUS,
    audit_experiment,
    begin_run,
    end_run,
    ensure_audit_experiment,
    name_digest,
    search,
)
from mlops_mlflow.governance.remote_change import RemoteChange, Step
from mlops_mlflow.governance.shelf import Attempt, Shelf, Version, read_record
from mlops_mlflow.tracking.errors import RegistryError, translated, without_password
from mlops_mlflow.tracking.tracker import check_reachable, now_ms

PLACE, MODEL, TEXT = "mlops.ledger.place", "mlops.ledger.model", "mlops.ledger.text."
DIGITS = 12
"""MLflow orders runs by a tag's text, so a place has leading zeros."""
LONGEST_TAG = 5_000
"""Characters: MLflow 3.17 keeps 8,000 of a tag and cuts off what is longer; servers before kept 5,000."""
PATIENCE, PAUSE = 30.0, 0.2
"""Seconds to wait for somebody who is writing, and between two looks."""
VERSIONS_AT_ONCE, RIVALS = 1_000, 10


@dataclass
class RemoteRegistry:
    """A plain server's registry, with the ledger kept as runs of the experiment ``mlops.audit``.

    Everything is advisory: whoever may write to the server can move versions and change runs without us. Only the chain
    of hashes shows it afterwards.

    A plain server has no lock and no transaction, so a change is prepared here and written when its block ends:

    1. If the ledger's head is not the one that the change began with, somebody was quicker, and nothing is written.
    2. The records are written, as runs that are still running.
    3. If records of somebody else stand beside them, both were equally quick: ours are taken back, as are theirs.
    4. The registry is changed, step by step; if it refuses, what was done is undone and the records are taken back.
    5. The runs are finished. Nobody builds on a record whose run still runs, unless it has for ``patience`` seconds.

    What can still go wrong: a process that is killed between 2 and 5, or loses the server while it takes something
    back, leaves records without all of their moves; one that stands still for longer than ``patience`` between 2 and 5
    can meet others that went on without it, and then the chain has a fork. ``mlops audit verify`` names both.

    Attributes:
        address: Of the server.
        patience: Seconds to wait for others who are writing.
    """

    address: str
    patience: float = PATIENCE
    enforced: bool = field(default=False, init=False)
    _experiment: str | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def place(self) -> str:
        """Where it is, for people, without a password."""
        return without_password(self.address)

    @cached_property
    def client(self) -> Any:
        """MLflow's client.

        Raises:
            TrackingError: The server does not answer; MLflow itself would try for minutes.
        """
        import mlflow

        check_reachable(self.address)
        return mlflow.MlflowClient(self.address, self.address)

    def shelf(self, model: str) -> Shelf:
        """A model as it is now, in three requests; one that does not exist has no versions.

        Raises:
            RegistryError: It cannot be read.
        """
        aliases = self.aliases(model)
        versions = {} if aliases is None else self.versions(model)
        kept = self._kept(f"tags.`{MODEL}` = '{name_digest(model)}'")
        records = [read_record(one.stored.sequence, one.stored.text) for one in kept]
        return Shelf(model, versions, aliases or {}, history([one for one in records if one.entry.model == model]))

    @contextmanager
    def changing(self, model: str) -> Iterator[RemoteChange]:
        """Begin a change; it is written when the block ends, and not at all after an error.

        Raises:
            RegistryError: Somebody else changed something meanwhile, or the server refuses. Then nothing has changed,
                or the message says what has.
        """
        head = self._settled_head()
        change = RemoteChange(self.shelf(model), now_ms(), head)
        yield change
        if change.records or change.steps:
            _Writing(self, head, change).write()

    def governed(self) -> tuple[str, ...]:
        """Names of the models that the ledger knows, sorted."""
        return tuple(sorted({read_record(one.sequence, one.text).entry.model for one in self.stored()}))

    def stored(self, after: int = 0) -> Iterator[Stored]:
        """The ledger's records after a sequence, in their order, as they are kept; after 0, whatever is there."""
        if after <= 0:
            yield from (one.stored for one in self._kept())
            return
        # Tags cannot be compared by size: the next record is found by its place, the others from the newest backward.
        first = list(self._kept(f"tags.`{PLACE}` = '{_place(after + 1)}'"))
        yield from (one.stored for one in first)
        newer: dict[str, Stored] = {}
        for one in self.newest():
            if one.stored.sequence <= after + 1:
                break
            newer[one.run_id] = one.stored
        yield from reversed(newer.values())

    def interrupted(self) -> tuple[Attempt, ...]:
        """None: what was recorded on a plain server and not done is for ``audit verify`` to find."""
        return ()

    def newest(self, at_once: int | None = None) -> Iterator[Kept]:
        """The ledger's records from the last to the first, without those whose place somebody has made unreadable."""
        return (one for one in self._kept(order="DESC", at_once=at_once) if one.stored.sequence)

    def aliases(self, model: str) -> dict[str, str] | None:
        """Numbers of versions by alias; None where there is no such model."""
        from mlflow.exceptions import MlflowException

        client = self.client
        with self.asking(f"read {model}"):
            try:
                found = client.get_registered_model(model)
            except MlflowException as error:
                if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                    return None
                raise
        return {alias: str(number) for alias, number in sorted(found.aliases.items())}

    def versions(self, model: str) -> dict[str, Version]:
        """Versions of a model by number."""
        found: list[Any] = []
        token = None
        while True:
            with self.asking(f"read the versions of {model}"):
                page = self.client.search_model_versions(
                    _of_model(model), VERSIONS_AT_ONCE, ["version_number ASC"], token
                )
            found += page
            if not (token := page.token):
                break
        # Everything that is deleted does not come; other models do, where the name cannot be asked for exactly.
        return {str(one.version): Version.of(one) for one in found if one.name == model}

    @contextmanager
    def asking(self, doing: str) -> Iterator[None]:
        """Turn what MLflow raises into our errors.

        Args:
            doing: What is being done, as in "could not ...".
        """
        with translated(doing, uri=self.place, kind=RegistryError), warnings.catch_warnings():
            # MLflow marks registry stages as deprecated; they are the visible state here, aliases follow them.
            warnings.filterwarnings("ignore", message=".*deprecated.*", category=FutureWarning)
            yield

    def _kept(self, where: str = "", order: str = "ASC", at_once: int | None = None) -> Iterator[Kept]:
        wanted = " and ".join(filter(None, [where, f"tags.`{PLACE}` LIKE '%'"]))
        client = self.client
        if self._experiment is None:
            with self.asking("read the ledger"):
                self._experiment = audit_experiment(client)
        runs = search(client, self._experiment, wanted, order=f"tags.`{PLACE}` {order}", at_once=at_once)
        while True:
            with self.asking("read the ledger"):
                run = next(runs, None)
            if run is None:
                return
            if PLACE in run.data.tags:  # it may have been taken back while the server was answering
                yield Kept.of(run)

    def _settled_head(self) -> Head:
        """The last record, when whoever wrote it has finished."""
        until = time.monotonic() + self.patience
        while True:
            last = next(self.newest(1), None)
            if last is None:
                return Head(0, BEGINNING)
            if not last.is_running or time.monotonic() >= until:
                return Head(last.stored.sequence, last.stored.hash)
            time.sleep(PAUSE)


@dataclass(frozen=True)
class Kept:
    """A record and the run that it is kept in."""

    run_id: str
    is_running: bool
    stored: Stored

    @classmethod
    def of(cls, run: Any) -> Kept:
        """From MLflow's run, whatever somebody did to it: ``walk`` is to find that."""
        tags = run.data.tags
        text = "".join(tags[key] for key in sorted(tags) if key.startswith(TEXT))
        place = tags[PLACE] if tags[PLACE].isdecimal() else "0"
        stored = Stored(int(place), text.encode(), tags.get(PREVIOUS, ""), tags.get(HASH, ""))
        return cls(run.info.run_id, run.info.status == "RUNNING", stored)


@dataclass
class _Writing:
    """A prepared change on its way to the server."""

    registry: RemoteRegistry
    begin: Head
    change: RemoteChange
    runs: list[tuple[str, Record]] = field(default_factory=list)
    done: list[Step] = field(default_factory=list)

    def write(self) -> None:
        self._check_head()
        try:
            self._append()
            self._check_alone()
            self._move()
        except BaseException:
            self._take_back()
            raise
        with self._asking("finish the records"):
            for run_id, record in self.runs:
                end_run(self.registry.client, run_id, record.time)

    def _check_head(self) -> None:
        last = next(self.registry.newest(1), None)
        head = Head(last.stored.sequence, last.stored.hash) if last else Head(0, BEGINNING)
        if head != self.begin:
            raise self._conflict(f"record {head.sequence} was written meanwhile")

    def _append(self) -> None:
        if not self.change.records:
            return
        client = self.registry.client
        with self._asking("record the decision"):
            experiment = ensure_audit_experiment(client)
        for record in self.change.records:
            with self._asking(f"record a {record.entry.action}"):
                self.runs.append((begin_run(client, experiment, record, _tags(record)), record))

    def _check_alone(self) -> None:
        """Whether nobody else wrote records that follow from the same one."""
        own = {run_id for run_id, _ in self.runs}
        for one in self.registry.newest(len(own) + RIVALS):
            if one.stored.sequence <= self.begin.sequence:
                return
            if one.run_id not in own:
                raise self._conflict(f"two records {one.stored.sequence} at the same moment")

    def _move(self) -> None:
        """Do the steps; what a server with a policy of its own did along with the first is not done again."""
        steps, registry, model = self.change.steps, self.registry, self.change.shelf.name
        for step in steps[:1]:
            self._do(step)
        if steps[1:]:
            versions, aliases = registry.versions(model), registry.aliases(model) or {}
            for step in steps[1:]:
                if not step.is_done(versions, aliases):
                    self._do(step)

    def _do(self, step: Step) -> None:
        with self._asking(str(step)):
            step.do(self.registry.client, self.change.shelf.name, step.value)
        self.done.append(step)

    def _take_back(self) -> None:
        """As if nothing had been; the error that led here matters more."""
        client, model = self.registry.client, self.change.shelf.name
        with contextlib.suppress(MlopsError), self._asking("take back a change"):
            for step in reversed(self.done):
                step.do(client, model, step.before)
            for run_id, _ in reversed(self.runs):
                client.delete_tag(run_id, PLACE)
                client.delete_run(run_id)

    def _asking(self, doing: str) -> contextlib.AbstractContextManager[None]:
        return self.registry.asking(f"{doing} of {self.change.shelf.name}")

    def _conflict(self, got: str) -> RegistryError:
        return RegistryError(
            f"somebody else changed the registry on {self.registry.place} while {self.change.shelf.name} was looked at",
            expected="one change at a time: a plain MLflow server cannot make others wait",
            got=got,
            hint="nothing was changed: try again",
        )


def _tags(record: Record) -> dict[str, str]:
    """What makes a run a record: its place and its text, in parts that fit."""
    text = record.text.decode()
    parts = [text[begin : begin + LONGEST_TAG] for begin in range(0, len(text), LONGEST_TAG)]
    kept = {f"{TEXT}{number:04d}": part for number, part in enumerate(parts)}
    return {PLACE: _place(record.sequence), MODEL: name_digest(record.entry.model), **kept}


def _place(sequence: int) -> str:
    return f"{sequence:0{DIGITS}d}"


def _of_model(name: str) -> str:
    """MLflow's filter for a name; it knows two kinds of quotes and no way to write one inside its own kind."""
    if "'" not in name:
        return f"name = '{name}'"
    if '"' not in name:
        return f'name = "{name}"'
    return "name LIKE '{}'".format(name.replace("'", "_"))
