"""What was decided, where people look: a run with a card for each record, and the pages of model and version."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from dataclasses import replace

from mlops_mlflow.cards.blocks import Card
from mlops_mlflow.core.policy.decide import decide
from mlops_mlflow.core.policy.words import moment
from mlops_mlflow.governance.audit_runs import headline, make_up
from mlops_mlflow.governance.desk.desk import Desk, Matter
from mlops_mlflow.governance.opening import desk_for
from mlops_mlflow.governance.pages.showing import Tell, forgiving, shown
from mlops_mlflow.lifecycle.governance import facts
from mlops_mlflow.lifecycle.governance.reading import address
from mlops_mlflow.lifecycle.governance.request_card import request_card
from mlops_mlflow.lifecycle.launcher import RUN_ID, name_run
from mlops_mlflow.tracking.tracker import Tracker

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
    with forgiving("look for changes that were cut off", tracker, tell):
        for one in desk.registry.interrupted():
            tell(
                f"a change of {one.model} that {one.actor} began on {moment(one.began)} was cut off, "
                "and nothing of it was written: ask again"
            )
    show = shown(desk, tracker, tell=tell, card=lambda matter: _card(tracker, matter) if cards else None)

    def publish(matter: Matter) -> None:
        if not matter.records:
            return
        show(matter)
        if cards and (launched := own.pop(RUN_ID, None)):
            with forgiving("name the run that mlflow run began", tracker, tell):
                name_run(tracker, launched, headline(matter.records[-1]))
        if cards:
            made = make_up(tracker.client, desk.registry, tell=tell)
            if made:
                which = f"record {made[0]} has its run" if len(made) == 1 else f"{len(made)} records have their runs"
                tell(f"{which} only now (a plain client's, or a command's that was cut off); what it says holds")

    return replace(desk, publish=publish)


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
