"""Tell people that the health of a version has changed: by any of the services that Apprise knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mlops_mlflow.core.monitoring.health import Health
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.governance.shelf import Version
from mlops_mlflow.lifecycle.operate.looking import Looked
from mlops_mlflow.tracking.errors import without_password

ADDRESSES = "MLOPS_NOTIFY"
"""The environment variable with Apprise addresses, separated by spaces; they hold secrets."""
_MOST = 5


@dataclass(frozen=True)
class Notified:
    """What became of a message.

    Attributes:
        record: For the run: ``sent``, ``nobody to tell`` or why it failed; without addresses, which hold secrets.
        told: For the person at the terminal; empty where there is nothing to say.
    """

    record: str
    told: str = ""


@dataclass(frozen=True)
class News:
    """A change of health.

    Attributes:
        version: Whose health it is.
        health: As it is now.
        before: As people were last told; empty where they never were.
        looked: Windows that were looked at since.
        page: Where MLflow's UI shows more, behind the server's address.
    """

    version: Version
    health: Health
    before: str
    looked: Sequence[Looked]
    page: str


def notify(spec: UseCaseSpec, news: News, environment: Mapping[str, str]) -> Notified:
    """Send one message about a change of health. Whatever goes wrong is told, and fails nothing.

    Args:
        spec: The use case.
        news: What has changed.
        environment: Holds the addresses.
    """
    addresses = environment.get(ADDRESSES, "").split()
    if not addresses:
        return Notified("nobody to tell")
    try:
        from apprise import Apprise
    except ImportError:
        why = "Apprise is not installed (`pip install 'mlops-mlflow[notify]'`)"
        return Notified(f"failed: {why}", f"nobody was told: {why}")
    service = Apprise()
    title = f"{spec.use_case} version {news.version.number}: {news.health}"
    body = "\n".join([*_body(spec, news), _link(news.page, environment)])
    try:
        bad = sum(not service.add(one) for one in addresses)
        sent = bool(len(service)) and service.notify(title=title, body=body)
    except Exception as error:  # noqa: BLE001  # a service's own; its words may hold the address
        return _failed(f"a service failed with {type(error).__name__}")
    if bad:
        return _failed(f"{bad} of {len(addresses)} addresses are none that Apprise knows")
    if not sent:
        return _failed("a service refused")
    return Notified("sent", f"told {len(addresses)} of {len(addresses)} addresses: {news.health}")


def _failed(why: str) -> Notified:
    return Notified(f"failed: {why}", f"not everybody was told: {why}; see {ADDRESSES}")


def _body(spec: UseCaseSpec, news: News) -> list[str]:
    lines = [spec.question, f"It was: {news.before}." if news.before else ""]
    loud = [(one, signal) for one in news.looked for signal in one.loud]
    loud.sort(key=lambda pair: pair[1].health != "alarm")
    lines += [f"{one.window.label}: {signal.health}, {signal.subject}: {signal.reason}" for one, signal in loud[:_MOST]]
    if len(loud) > _MOST:
        lines.append(f"and {len(loud) - _MOST} more findings")
    return [line for line in lines if line]


def _link(page: str, environment: Mapping[str, str]) -> str:
    """The address of the page, where the server has one that others can open."""
    server = without_password(environment.get("MLFLOW_TRACKING_URI", ""))
    return f"{server.rstrip('/')}{page}" if server.startswith("http") else f"In MLflow's UI: {page}"
