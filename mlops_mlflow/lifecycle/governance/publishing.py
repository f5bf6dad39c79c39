"""What was decided, where people look: a run with a card for each record, and the pages of model and version."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import replace

from mlops_mlflow.cards.blocks import Card
from mlops_mlflow.core.errors import MlopsError, RegistryError
from mlops_mlflow.core.policy.decide import decide
from mlops_mlflow.core.policy.evidence import Evidence
from mlops_mlflow.core.policy.rules import Rules
from mlops_mlflow.governance.audit_runs import headline, make_up, publisher
from mlops_mlflow.governance.desk.desk import Desk, Matter
from mlops_mlflow.governance.desk.standing import standing
from mlops_mlflow.governance.evidence import VALIDATE_RUN, EvidenceReader, champion_digest
from mlops_mlflow.governance.opening import desk_for
from mlops_mlflow.governance.shelf import Shelf, Version
from mlops_mlflow.lifecycle.governance import facts
from mlops_mlflow.lifecycle.governance.descriptions import about_in, model_description, version_description
from mlops_mlflow.lifecycle.governance.reading import address
from mlops_mlflow.lifecycle.governance.request_card import request_card
from mlops_mlflow.lifecycle.launcher import RUN_ID, name_run
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.tracker import Tracker

Tell = Callable[[str], None]
DRAWN = {"request", "approval", "rejection", "transition", "override"}
"""Actions that are about a request, whose runs get the card that people decide by."""


def public_desk(
    tracker: Tracker,
    *,
    tell: Tell,
    environment: MutableMapping[str, str] | None = None,
    cards: bool = True,
) -> Desk:
    """A desk whose decisions are seen in MLflow. Whatever goes wrong in showing them is told, and changes nothing.

    Args:
        tracker: Where the runs are.
        tell: Gets a warning, one sentence.
        environment: Names the policy file, and the run that ``mlflow run`` began; the process's own when left out.
        cards: Whether runs of decisions get a card.

    Raises:
        MlopsError: The policy file cannot be used, or the registry cannot be opened.
    """
    own = os.environ if environment is None else environment
    desk = desk_for(tracker, own)
    show = publisher(tracker.client, tell=tell, card=lambda matter: _card(tracker, matter) if cards else None)

    def publish(matter: Matter) -> None:
        if not matter.records:
            return
        show(matter)
        with _forgiving("describe the model in MLflow", tracker, tell):
            describe(desk, tracker, matter)
        if cards and (launched := own.pop(RUN_ID, None)):
            with _forgiving("name the run that mlflow run began", tracker, tell):
                name_run(tracker, launched, headline(matter.records[-1]))
        if cards:
            # What a killed process decided and did not get to show, and what plain clients did.
            make_up(tracker.client, desk.registry, tell=tell)

    return replace(desk, publish=publish)


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
    return {name: at.page(own) for name, own in {**judged, "lifecycle": version.run_id}.items()}


def _card(tracker: Tracker, matter: Matter) -> Card | None:
    """What an approver read, or should have."""
    if not DRAWN & {one.entry.action for one in matter.records}:
        return None
    answered = {int(one.entry.details.get("request", 0)) for one in matter.records}
    numbers = answered | {one.sequence for one in matter.records if one.entry.action == "request"}
    case = matter.now()
    request = next((one for number, one in case.history.requests.items() if number in numbers), None)
    if request is None:
        return None
    known = facts.known(tracker, matter.change.shelf, request.version)
    enforced = matter.desk.registry.enforced
    return request_card(case, decide(case), request, known, enforced=enforced, address=address(tracker))


@contextlib.contextmanager
def _forgiving(doing: str, tracker: Tracker, tell: Tell) -> Iterator[None]:
    """The decision stands, whatever becomes of showing it."""
    try:
        yield
    except MlopsError as error:
        tell(f"could not {doing} ({tracker.shown_uri}): {error.what} (what was decided stands)")
