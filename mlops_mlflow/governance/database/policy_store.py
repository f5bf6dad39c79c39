"""MLflow's registry store with the policy inside: whoever calls MLflow's own methods meets it.

It does not protect from whoever opens the database by its plain address.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NoReturn, TypeVar

import sqlalchemy
from mlflow.entities.model_registry import ModelVersion, ModelVersionTag, RegisteredModel, RegisteredModelTag
from mlflow.entities.model_registry.model_version_stages import get_canonical_stage
from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2 as codes
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

from mlops_mlflow.core.errors import MlopsError
from mlops_mlflow.core.ledger.record import Entry
from mlops_mlflow.core.policy.document import Policy
from mlops_mlflow.core.policy.transitions import ALIASES
from mlops_mlflow.governance.actor import current_actor
from mlops_mlflow.governance.database.reading import is_governed
from mlops_mlflow.governance.database.registry import PATIENCE, DatabaseChange, DatabaseRegistry
from mlops_mlflow.governance.database.store import BusyError, GovernedStore, waiting
from mlops_mlflow.governance.desk.desk import Desk, RefusedError, known
from mlops_mlflow.governance.desk.transitions import move
from mlops_mlflow.governance.evidence import evidence_reader
from mlops_mlflow.governance.guard import GUARD, GUARDED
from mlops_mlflow.governance.pages.showing import shown
from mlops_mlflow.governance.policy_file import load_policy
from mlops_mlflow.tracking.tracker import GOVERNED, Tracker

T = TypeVar("T")
_logger = logging.getLogger(__name__)
OURS = "mlops."
"""How the names of tags begin that only this program sets."""


@contextmanager
def answering() -> Iterator[None]:
    """Turn our errors into MLflow's, with a code that says whose turn it is.

    A refusal is 403, a registry that others hold 409, a wrong question 400: MLflow's client would repeat whatever is
    500 or above, so that is left to a database in trouble.
    """
    try:
        yield
    except RefusedError as error:
        raise MlflowException(str(error), codes.PERMISSION_DENIED) from error
    except BusyError as error:
        raise MlflowException(str(error), codes.RESOURCE_CONFLICT) from error
    except MlopsError as error:
        raise MlflowException(str(error), _code(error.__cause__)) from error
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise MlflowException(str(error), _code(error)) from error


def _code(cause: BaseException | None) -> int:
    if isinstance(cause, sqlalchemy.exc.SQLAlchemyError):
        return int(codes.TEMPORARILY_UNAVAILABLE)
    if isinstance(cause, MlflowException) and cause.get_http_status_code() < 500:
        return int(codes.ErrorCode.Value(cause.error_code))
    return int(codes.INVALID_PARAMETER_VALUE)


class PolicyStore(SqlAlchemyStore):  # type: ignore[misc]  # MLflow is not type-checked here
    """MLflow's store, in which models of the ledger change as the policy allows, and others as ever.

    Tags whose name begins with ``mlops.`` are set by this program alone, on every model: a version with a forged one
    could pass for the result of a lifecycle.

    Args:
        address: SQLAlchemy's of the database, with or without ``mlops+`` before it.
        tracking_uri: Where the evidence is; the same database when left out.

    Raises:
        RegistryError: The database is neither SQLite nor PostgreSQL, or its ledger is of a newer version.
    """

    def __init__(self, address: str, tracking_uri: str | None = None) -> None:
        address = address.removeprefix(GOVERNED)
        super().__init__(address)
        self._governed = GovernedStore(address, PATIENCE)
        self._registry = DatabaseRegistry(self._governed)
        self._tracking_uri = tracking_uri or address

    def get_registered_model(self, name: str) -> RegisteredModel:
        """A model; about one name it says that a policy holds here, so that others can tell over the network."""
        if name == GUARD:
            raise MlflowException(f"{GUARD}: {GUARDED}", codes.RESOURCE_DOES_NOT_EXIST)
        return super().get_registered_model(name)

    def transition_model_version_stage(
        self, name: str, version: int | str, stage: str, archive_existing_versions: bool
    ) -> ModelVersion:
        """Ask the desk: with what the policy wants to see in place, alias, tag and ledger change with the stage.

        The desk archives the version that is replaced in any case.
        """
        to = get_canonical_stage(stage)

        def stock(store: SqlAlchemyStore) -> ModelVersion:
            policy = self._policy()
            if policy.other_models == "refuse":
                raise RefusedError(
                    f"{name} version {version}: refused by {policy.name}",
                    expected="a model of a use case",
                    got="one that the ledger does not know",
                    hint=f"register it with `mlops run`, or take it over: `mlops adopt {name}`",
                )
            return store.transition_model_version_stage(name, version, to, archive_existing_versions)

        def desk(_: str) -> ModelVersion:
            if archive_existing_versions and to not in ALIASES:
                message = f"only a transition to {' or '.join(ALIASES)} archives what was there before, none to {to}"
                raise MlflowException(message, codes.INVALID_PARAMETER_VALUE)
            move(self._desk(), name, str(self.get_model_version(name, version).version), to)
            return self.get_model_version(name, version)

        return self._either(stock, desk, name)

    def delete_model_version(self, name: str, version: int | str) -> None:
        """Delete what was never in Staging or Production; that is recorded."""

        def desk(_: str) -> None:
            number = str(self.get_model_version(name, version).version)
            with self._registry.changing(name) as change:
                stage = known(change.shelf, number).registry_stage
                if not _was_served(change, number):
                    change.record(Entry("deletion", name, current_actor(), number, stage))
                    change.delete(number)
                    return
            archived = "it is archived, which is as far as it goes: a rollback or an audit may ask for it"
            asks = f"archive it: `mlops request {name} --to Archived --version {number}`"
            hint = archived if stage == "Archived" else asks
            what = f"{name} version {number} was in Staging or Production, so it stays"
            self._refuse(name, "deletion", what, hint, number)

        self._either(lambda store: store.delete_model_version(name, version), desk, name)

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Rename a model that the ledger does not know: it knows models by their names."""
        hint = "register a model of the other name from a use case of that name"
        return self._either(
            lambda store: store.rename_registered_model(name, new_name),
            lambda model: self._refuse(
                model, "rename", f"{name} cannot become {new_name}: the ledger knows {model}", hint
            ),
            name,
            new_name,
        )

    def delete_registered_model(self, name: str) -> None:
        """Delete a model that the ledger does not know."""
        hint = f"archive its versions: `mlops status {name}` shows them"
        self._either(
            lambda store: store.delete_registered_model(name),
            lambda model: self._refuse(model, "deletion", f"{name} is in the ledger, so it stays", hint),
            name,
        )

    def set_registered_model_alias(self, name: str, alias: str, version: int | str) -> None:
        """Set any alias but those that follow registry stages."""
        if alias not in ALIASES.values():
            super().set_registered_model_alias(name, alias, version)
            return
        self._either(
            lambda store: store.set_registered_model_alias(name, alias, version),
            lambda model: self._refuse_alias(model, alias),
            name,
        )

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Delete any alias but those that follow registry stages."""
        if alias not in ALIASES.values():
            super().delete_registered_model_alias(name, alias)
            return
        self._either(
            lambda store: store.delete_registered_model_alias(name, alias),
            lambda model: self._refuse_alias(model, alias),
            name,
        )

    def create_registered_model(
        self, name: str, tags: list[RegisteredModelTag] | None = None, *more: Any, **named: Any
    ) -> RegisteredModel:
        """Create a model, without tags of ours."""
        self._check_tags(name, "", *(tag.key for tag in tags or ()))
        return super().create_registered_model(name, tags, *more, **named)

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: list[ModelVersionTag] | None = None,
        *more: Any,
        **named: Any,
    ) -> ModelVersion:
        """Create a version, without tags of ours."""
        self._check_tags(name, "", *(tag.key for tag in tags or ()))
        return super().create_model_version(name, source, run_id, tags, *more, **named)

    def copy_model_version(self, src_mv: ModelVersion, dst_name: str) -> ModelVersion:
        """Copy a version; what our tags say of it does not hold for the copy."""
        own = [ModelVersionTag(key, value) for key, value in src_mv.tags.items() if not key.startswith(OURS)]
        plain = {**dict(src_mv), "tags": own}
        return super().copy_model_version(ModelVersion.from_dictionary(plain), dst_name)

    def set_registered_model_tag(self, name: str, tag: RegisteredModelTag) -> None:
        """Set a tag that is not ours."""
        self._check_tags(name, "", tag.key)
        super().set_registered_model_tag(name, tag)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Delete a tag that is not ours."""
        self._check_tags(name, "", key)
        super().delete_registered_model_tag(name, key)

    def set_model_version_tag(self, name: str, version: int | str, tag: ModelVersionTag) -> None:
        """Set a tag that is not ours."""
        self._check_tags(name, str(version), tag.key)
        super().set_model_version_tag(name, version, tag)

    def delete_model_version_tag(self, name: str, version: int | str, key: str) -> None:
        """Delete a tag that is not ours."""
        self._check_tags(name, str(version), key)
        super().delete_model_version_tag(name, version, key)

    def _either(self, stock: Callable[[SqlAlchemyStore], T], governed: Callable[[str], T], *names: str) -> T:
        """What MLflow does, while nobody brings one of the models under the policy; or what holds for such a model."""
        with answering():
            found = next((name for name in names if self._is_governed(name)), None)
            if found is None:
                with waiting(self._registry.place, PATIENCE), self._governed.alone() as session:
                    found = next((name for name in names if is_governed(session, name)), None)
                    if found is None:
                        with self._governed.within(session):
                            return stock(self._governed)
            return governed(found)

    def _check_tags(self, name: str, version: str, *keys: str) -> None:
        ours = [key for key in keys if str(key).startswith(OURS)]
        if not ours:
            return
        what = f"{', '.join(ours)}: tags that begin with `{OURS}` are not set or deleted by hand"
        with answering():
            if self._is_governed(name):
                self._refuse(name, "tag", what, "take another name for a tag of yours", version)
            raise RefusedError(what, hint="take another name for a tag of yours")

    def _refuse_alias(self, name: str, alias: str) -> NoReturn:
        stage = next(stage for stage, own in ALIASES.items() if own == alias)
        self._refuse(
            name,
            "alias",
            f"the alias {alias} of {name} follows the registry stage {stage} and is not set or deleted by hand",
            f"ask for the transition: `mlops request {name} --to {stage}`",
        )

    def _refuse(self, name: str, attempt: str, what: str, hint: str, version: str = "") -> NoReturn:
        """Record that somebody tried, and say no."""
        details = {"attempt": attempt, "why": what}
        with self._registry.changing(name) as change:
            change.record(Entry("refusal", name, current_actor(), version, reason=what, details=details))
        raise RefusedError(what, hint=hint)

    def _is_governed(self, name: str) -> bool:
        with self._registry.asking(f"look for {name}"), self._governed.snapshot() as session:
            return is_governed(session, name)

    def _policy(self) -> Policy:
        """As the file says now: a server need not be started again."""
        return load_policy(os.environ)

    def _desk(self) -> Desk:
        from mlflow import MlflowClient

        client = MlflowClient(self._tracking_uri, registry_uri=self.db_uri)
        tracker = Tracker(client, self._tracking_uri, experiment_id="")
        desk = Desk(self._registry, self._policy(), current_actor(), evidence_reader(tracker))
        return replace(desk, publish=shown(desk, tracker, tell=_logger.warning))


def _was_served(change: DatabaseChange, version: str) -> bool:
    """Whether somebody may have loaded a version by its registry stage."""
    moves = [move for move in change.shelf.history.moves if move.version == version]
    stages = {change.shelf.versions[version].registry_stage, *(move.to for move in moves)}
    return not stages.isdisjoint(ALIASES)
