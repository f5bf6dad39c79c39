"""From a desk and a tracking server to cards."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_mlflow.cards.blocks import Card
from mlops_mlflow.core.errors import RegistryError
from mlops_mlflow.core.ledger.history import Request
from mlops_mlflow.core.policy.decide import Case, decide
from mlops_mlflow.governance.desk.desk import Desk, known
from mlops_mlflow.governance.shelf import Shelf
from mlops_mlflow.lifecycle.governance import facts
from mlops_mlflow.lifecycle.governance.model_card import model_card
from mlops_mlflow.lifecycle.governance.plain import model_json, request_json
from mlops_mlflow.lifecycle.governance.request_card import request_card
from mlops_mlflow.tracking.tracker import Tracker


@dataclass(frozen=True)
class Drawn:
    """A card, and the same for programs.

    Attributes:
        name: Of a file for it, without an ending.
        card: The page.
        json: With whole digests and exact figures.
    """

    name: str
    card: Card
    json: str


def draw_request(desk: Desk, tracker: Tracker, number: int, model: str | None = None) -> Drawn:
    """What an approver reads; nothing is recorded.

    Args:
        desk: In front of the registry.
        tracker: Where the runs are.
        number: Of the request.
        model: That it has to be about; any when left out.

    Raises:
        RegistryError: There is no such request, it is about another model, or its version was deleted.
    """
    request, asked_of = desk.find(number)
    if model is not None and asked_of != model:
        raise RegistryError(
            f"{request.name} is not about {model}",
            expected=f"a request of {model}",
            got=f"one of {asked_of}",
            hint=f"`mlops card {asked_of} --request {request.name}`",
        )
    shelf = desk.registry.shelf(asked_of)
    known(shelf, request.version)
    case = desk.case(shelf, request.version, request.to, desk.clock())
    return _of_request(desk, tracker, shelf, case, request)


def _of_request(desk: Desk, tracker: Tracker, shelf: Shelf, case: Case, request: Request) -> Drawn:
    decision, found = decide(case), facts.known(tracker, shelf, request.version)
    enforced = desk.registry.enforced
    card = request_card(case, decision, request, found, enforced=enforced, address=address(tracker))
    told = request_json(card, case, decision, request, found, enforced=enforced)
    return Drawn(f"request-{request.name}", card, told)


def draw_version(desk: Desk, tracker: Tracker, model: str, version: str | None = None) -> Drawn:
    """The model card of a version; nothing is recorded.

    Args:
        desk: In front of the registry.
        tracker: Where the runs are.
        model: Its name.
        version: Its number; that in Staging when left out, else that in Production, else the newest.

    Raises:
        RegistryError: There is no such version.
    """
    shelf = desk.registry.shelf(model)
    number = version or _meant(shelf)
    known(shelf, number)
    found = facts.facts(tracker, shelf, number)
    now = desk.clock()
    asked = [one.to for one in shelf.history.open_requests(now) if one.version == number]
    case = desk.case(shelf, number, asked[-1] if asked and asked[-1] != "Archived" else "Production", now)
    enforced = desk.registry.enforced
    card = model_card(shelf, case, found, enforced=enforced, address=address(tracker))
    return Drawn("model-card", card, model_json(card, shelf, case, found, enforced=enforced))


def _meant(shelf: Shelf) -> str:
    for some in (shelf.in_stage("Staging"), shelf.in_stage("Production"), tuple(shelf.versions.values())):
        if some:
            return max(some, key=lambda one: int(one.number)).number
    raise RegistryError(
        f"{shelf.name} has no registered version",
        expected="a version that `mlops run` registered",
        got="none",
        hint="run it first; only what passes `validate` is registered",
    )


def address(tracker: Tracker) -> str | None:
    """Of the server's pages; None for a database, which has none."""
    return tracker.shown_uri.rstrip("/") if tracker.shown_uri.startswith("http") else None
