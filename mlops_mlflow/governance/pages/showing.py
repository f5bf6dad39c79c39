"""What was decided, written where people look: a run for each record, and the pages of the model and its versions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from mlops_mlflow.cards.blocks import Card
from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.policy.evidence import Evidence
from mlops_mlflow.core.policy.rules import Rules
from mlops_mlflow.governance.audit_runs import publisher
from mlops_mlflow.governance.desk.desk import Desk, Matter
from mlops_mlflow.governance.desk.standing import standing
from mlops_mlflow.governance.evidence import VALIDATE_RUN, EvidenceReader, champion_digest
from mlops_mlflow.governance.pages.descriptions import about_in, model_description, version_description, with_page
from mlops_mlflow.governance.shelf import Shelf, Version
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.tracker import Tracker

Tell = Callable[[str], None]
MONITORING = "monitoring"
MONITOR_RUN = "mlops.monitor_run"
"""Tag of a version: the run that carries its figures over time."""


def shown(
    desk: Desk, tracker: Tracker, *, tell: Tell, card: Callable[[Matter], Card | None] = lambda _: None
) -> Callable[[Matter], None]:
    """What shows a change that was committed; whatever goes wrong is told, and changes nothing.

    Args:
        desk: Who decided.
        tracker: Where the runs are.
        tell: Gets a warning, one sentence.
        card: What an approver read, or should have.
    """
    show = publisher(tracker.client, tell=tell, card=card)

    def publish(matter: Matter) -> None:
        if matter.records:
            show(matter)
            with forgiving("describe the model in MLflow", tracker, tell):
                describe(desk, tracker, matter)

    return publish


@contextlib.contextmanager
def forgiving(doing: str, tracker: Tracker, tell: Tell) -> Iterator[None]:
    """The decision stands, whatever becomes of showing it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # whatever it is
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        tell(f"could not {doing} ({tracker.shown_uri}): {why} (what was decided stands)")


def describe(desk: Desk, tracker: Tracker, matter: Matter) -> None:
    """Write on the pages of the model and of its versions where they stand, and what waits for whom.

    Raises:
        RegistryError: MLflow refused.
    """
    model = matter.case.transition.model
    shelf = desk.registry.shelf(model)
    stands = standing(replace(desk, evidence=_once_read(desk, matter)), model)
    moved = {str(move[0]) for one in matter.records for move in one.entry.details.get("moves", ())}
    waiting = {step.version for step in stands.steps}
    client, about = tracker.client, ""
    with translated(f"describe {model}", uri=tracker.shown_uri, kind=RegistryError):
        for number in sorted({matter.case.transition.version, *moved, *waiting} & set(shelf.versions)):
            about = about_in(client.get_model_version(model, number).description or "")
            pages = _pages(tracker, shelf.versions[number])
            text = version_description(shelf, number, stands, about=about, pages=pages)
            client.update_model_version(model, number, text)
        question = about.strip().partition("\n")[0]
        client.update_registered_model(model, model_description(shelf, stands, question=question))


def link_monitoring(tracker: Tracker, version: Version, run_id: str) -> None:
    """Let the page of a version lead to the run that carries its figures over time.

    Raises:
        RegistryError: MLflow refused.
    """
    with translated(f"describe {version.name}", uri=tracker.shown_uri, kind=RegistryError):
        now = tracker.client.get_model_version(version.name, version.number).description or ""
        text = with_page(now, MONITORING, tracker.page(run_id))
        tracker.client.update_model_version(version.name, version.number, text)


def _once_read(desk: Desk, matter: Matter) -> EvidenceReader:
    """Evidence of the version that was just decided about is known; reading it may take a download."""
    about, known = matter.case.transition.version, matter.case.evidence

    def read(shelf: Shelf, version: str, rules: Rules) -> Evidence:
        if version != about or not known.parts:
            return desk.evidence(shelf, version, rules)
        now = {"policy": rules.digest, "champion": champion_digest(shelf, version)}
        return replace(known, parts={**known.parts, **now})

    return read


def _pages(tracker: Tracker, version: Version) -> Mapping[str, str]:
    """Addresses of a version's runs, behind the server's; none where they are gone."""
    from mlflow.exceptions import MlflowException

    try:
        run = tracker.client.get_run(version.run_id)
    except MlflowException:
        return {}
    at = replace(tracker, experiment_id=run.info.experiment_id)
    judged = {"model card": version.tags[VALIDATE_RUN]} if VALIDATE_RUN in version.tags else {}
    watched = {MONITORING: version.tags[MONITOR_RUN]} if MONITOR_RUN in version.tags else {}
    return {name: at.page(own) for name, own in {**judged, "lifecycle": version.run_id, **watched}.items()}
