"""What MLflow's pages of a model and of a version say: where it stands, what waits for whom, where to read more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlops_mlflow.cards.markup import markdown
from mlops_mlflow.core.policy.words import moment
from mlops_mlflow.governance.desk.standing import Place, Standing, Step
from mlops_mlflow.governance.pages import people
from mlops_mlflow.governance.shelf import Shelf, Version

_SIGNS = {"passed": "✓", "failed": "✗", "unknown": "?"}
_RULE = "\n\n---\n\n"
_READ = "Read: "
LONGEST_NOTE = 5_000
"""Of a description: MLflow keeps no more of it on every database."""


def version_description(
    shelf: Shelf, version: str, standing: Standing, *, about: str = "", pages: Mapping[str, str] | None = None
) -> str:
    """Markdown for the page of a version.

    Args:
        shelf: The model.
        version: Its number.
        standing: How the model stands, with what the policy says of each next step.
        about: What the lifecycle said of the version: question, verdict, findings; Markdown.
        pages: Address of each run that is worth a look, by what it shows; behind the server's address.
    """
    own = shelf.versions[version]
    parts = [_where(shelf, own, standing)]
    parts += [_step(shelf.name, step) for step in standing.steps if step.version == version]
    parts += [f"{_READ}{links}."] if (links := _links(pages or {})) else []
    own_words = "\n\n".join(parts)
    return _cut(f"{own_words}{_RULE}{about.strip()}" if about.strip() else own_words)


def with_page(description: str, what: str, address: str) -> str:
    """A description of ours with one more page that is worth a look; once it is there, the same.

    Args:
        description: Markdown.
        what: The page shows.
        address: Of the page, behind the server's.
    """
    link = f"[{markdown(what)}]({address})"
    if link in description:
        return description
    lines = description.split("\n")
    for place, line in enumerate(lines):
        if line.startswith(_READ):
            return _cut("\n".join([*lines[:place], f"{line.removesuffix('.')}, {link}.", *lines[place + 1 :]]))
    own, rule, about = description.rpartition(_RULE)
    return _cut(f"{own or about}\n\n{_READ}{link}.{rule}{about if own else ''}".strip())


def about_in(description: str) -> str:
    """What the lifecycle said, from a description of a version: its own, or one of ours that took it up."""
    return description.rpartition(_RULE)[2]


def model_description(
    shelf: Shelf,
    standing: Standing,
    *,
    question: str = "",
    pages: Mapping[str, Mapping[str, str]] | None = None,
) -> str:
    """Markdown for the page of a registered model.

    Args:
        shelf: The model.
        standing: How it stands.
        question: Of the use case.
        pages: As in ``version_description``, by version.
    """
    there = [place.version for place in standing.places if place.version.registry_stage in ("Production", "Staging")]
    parts = [f"**{markdown(question)}**"] if question else []
    parts += [_where(shelf, one, standing, named=True) for one in there] or ["Nothing is in Production or Staging."]
    parts += [_step(shelf.name, step) for step in standing.steps]
    parts += [
        f"**Override R{one.sequence}** by {markdown(one.actor.name)} waits for a review by somebody else until "
        f'{moment(one.review_due)}: `mlops review {people.word(shelf.name)} R{one.sequence} --comment "..."`'
        for one in standing.reviews
    ]
    for one in there:
        if links := _links((pages or {}).get(one.number, {})):
            parts.append(f"Version {one.number}: {links}.")
    name = people.word(shelf.name)
    parts.append(f"More: `mlops status {name}`, `mlops card {name}`, `mlops history {name}`.")
    return _cut("\n\n".join(parts))


def _where(shelf: Shelf, version: Version, standing: Standing, *, named: bool = False) -> str:
    """Where a version is, since when, by whom, and its verdict."""
    place = next((one for one in standing.places if one.version.number == version.number), None)
    stage = "Registered" if version.registry_stage == "None" else version.registry_stage
    which = f": [version {version.number}]({_page(version)})" if named else ""
    told = f"**{stage}**{which}"
    if place is not None and place.since is not None:
        told += f" since {moment(place.since)}, by {markdown(place.by)}"
    registration = shelf.history.registrations.get(version.number)
    if registration is not None and registration.verdict in _SIGNS:
        told += f". {_SIGNS[registration.verdict]} verdict: {registration.verdict}"
    told += f". Approved by {names}" if (names := _approvers(place)) else ""
    told += ". **The ledger does not explain this**" if place is not None and not place.explained else ""
    told += ". **not enforced**: this server does not know the policy" if not standing.enforced else ""
    return f"{told}."


def _approvers(place: Place | None) -> str:
    """Who approved what brought it where it is."""
    given = dict.fromkeys((one.actor.name, one.role) for one in place.approved) if place else {}
    return ", ".join(f"{markdown(name)}{f' as {markdown(role)}' if role else ''}" for name, role in given)


def _step(model: str, step: Step) -> str:
    """What is asked, or could be, and who has to do what."""
    way = f"version {step.version} to {step.to}"
    ask = f"`mlops request {people.word(model)} --to {step.to} --version {step.version}`"
    if step.request is None:
        return f"Next, once somebody asks for it: {way}, {ask}."
    asked = step.request
    head = f"**{asked.name} waits**: {way}, asked by {markdown(asked.actor.name)}, lapses {moment(asked.lapses)}. "
    read = f"Read `mlops card {people.word(model)} --request {asked.name}`"
    if step.decision.would_allow:
        return f"{head}Nothing is missing: {ask} makes it."
    return "\n".join([f"{head}{read}.", "", *_missing(step)])


def _missing(step: Step) -> Iterator[str]:
    name = step.request.name if step.request else ""
    for role, who in people.waiting(step.decision).items():
        as_role = f" --role {people.word(role)}" if role else ""
        yield f'- {markdown(role) or "approval"}: {markdown(who)}, `mlops approve {name}{as_role} --comment "..."`'
    for one in people.other_missing(step.decision):
        yield f"- {markdown(one.rule)}: {markdown(one.reason)}{f'; {markdown(one.todo)}' if one.todo else ''}"


def _links(pages: Mapping[str, str]) -> str:
    return ", ".join(f"[{markdown(what)}]({address})" for what, address in pages.items())


def _page(version: Version) -> str:
    from urllib.parse import quote

    return f"/#/models/{quote(version.name, safe='')}/versions/{version.number}?workflowType=machine_learning"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_NOTE else f"{text[: LONGEST_NOTE - 1].rstrip()}…"
