"""Results that a finished run keeps, found again by key, and verified before they are trusted."""

from __future__ import annotations

import functools
import hashlib
import json
import urllib.parse
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from mlops_mlflow.core.errors import MlopsError
from mlops_mlflow.tracking.errors import translated
from mlops_mlflow.tracking.tracker import STAGE, Tracker

KEY, PARTS, RESULT = "mlops.key", "mlops.key_parts", "mlops.result"
RESULT_FILE = "result.json"
FIT, FIT_SECONDS = "mlops.fit", "mlops.fit_seconds"
NEAREST_AMONG = 50


class GoneError(MlopsError):
    """A result that cannot be trusted any more: deleted, incomplete or changed. What made it has to run again.

    Attributes:
        facts: What it gave, as plain values, where that at least can still be read.
    """

    facts: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class StoredFile:
    """Digest and size in bytes of a file as it was written."""

    sha256: str
    size: int

    @classmethod
    def of(cls, path: Path) -> StoredFile:
        """Of a file on this machine."""
        with path.open("rb") as file:
            return cls(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


@dataclass(frozen=True)
class StoredModel:
    """A logged model: its id, where its files are, and the files as they were written."""

    model_id: str
    location: str
    files: dict[str, StoredFile] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What a finished stage run keeps.

    Attributes:
        run_id: The run.
        ended: When it ended, milliseconds since 1970.
        artifact_uri: Where its artifacts are.
        identity: Digest of ``result.json``: equal for equal results only.
        key: What decided it.
        facts: What the stage gave, as plain values.
        headline: Of its card.
        seconds: How long it took.
        files: Its artifacts.
        models: Models that it logged or took over, by name.
        datasets: Digests of its datasets, by name.
    """

    run_id: str
    ended: int
    artifact_uri: str
    identity: str
    key: str
    facts: Mapping[str, Any]
    headline: str
    seconds: float
    files: Mapping[str, StoredFile]
    models: Mapping[str, StoredModel]
    datasets: Mapping[str, str]


def result_of(
    files: Mapping[str, StoredFile],
    models: Mapping[str, StoredModel],
    own: Collection[str],
    datasets: Mapping[str, str],
) -> dict[str, Any]:
    """The content of ``result.json`` as far as the tracking layer knows it."""
    return {
        "version": 1,
        "files": {name: asdict(file) for name, file in files.items()},
        "models": {name: asdict(model) for name, model in models.items() if name in own},
        "datasets": dict(datasets),
    }


def find(tracker: Tracker, key: str, folder: Path) -> Result | GoneError | None:
    """The newest result with this key that can be trusted; or why the newest that was there cannot; None without any.

    Its own files are verified: by digest where they lie on this machine, by name and size where a server keeps them;
    those are verified by digest when they are fetched.

    Args:
        tracker: Where to look.
        key: Digest of a key.
        folder: Gets what has to be downloaded.
    """
    from mlflow.entities import ViewType

    wanted = f"tags.`{KEY}` = '{key}' and attributes.status = 'FINISHED'"
    with translated("look for an earlier result", uri=tracker.shown_uri):
        runs = tracker.client.search_runs(
            [tracker.experiment_id], wanted, ViewType.ALL, max_results=10, order_by=["attributes.start_time DESC"]
        )
    first: GoneError | None = None
    for run in runs:
        try:
            return _trusted(tracker, run, folder)
        except GoneError as gone:
            first = first or gone
    return first


def of_run(tracker: Tracker, run_id: str, folder: Path) -> Result:
    """The result of one run, verified.

    Raises:
        GoneError: It cannot be trusted.
    """
    from mlflow.exceptions import MlflowException

    try:
        run = tracker.client.get_run(run_id)
    except MlflowException as error:
        raise GoneError(f"the run {short(run_id)} is gone") from error
    return _trusted(tracker, run, folder)


def nearest(tracker: Tracker, stage: str) -> Iterator[tuple[str, int, dict[str, str]]]:
    """Run, end (milliseconds) and key parts of the newest finished runs of a stage."""
    wanted = f"tags.`{STAGE}` = '{stage}' and tags.`{PARTS}` != '' and attributes.status = 'FINISHED'"
    with translated("look for earlier runs", uri=tracker.shown_uri):
        runs = tracker.client.search_runs(
            [tracker.experiment_id], wanted, max_results=NEAREST_AMONG, order_by=["attributes.start_time DESC"]
        )
    for run in runs:
        yield run.info.run_id, run.info.end_time, json.loads(run.data.tags[PARTS])


def fetch(tracker: Tracker, result: Result, path: str, folder: Path) -> Path:
    """An artifact of a result as a file on this machine, verified by its digest.

    Raises:
        GoneError: It is gone, or not what was written.
    """
    local = local_folder(result.artifact_uri)
    file = local / path if local else _download(tracker, result.run_id, path, folder / result.run_id)
    if not file.is_file() or StoredFile.of(file) != result.files[path]:
        raise GoneError(f"{path} of the run {short(result.run_id)} is not what was written")
    return file


def fetch_model(tracker: Tracker, name: str, model: StoredModel, saved: Path, folder: Path) -> Path:
    """A model as a folder on this machine, verified by the digests of its files.

    Args:
        tracker: Where it was logged.
        name: What to call it.
        model: Which.
        saved: Where this process keeps the models that it has logged itself.
        folder: Gets what has to be downloaded.

    Raises:
        GoneError: It is gone, or not what was written.
    """
    near = saved / model.model_id
    local = (
        near
        if (near / "MLmodel").is_file()
        else local_folder(model.location) or _download_model(tracker, name, model, folder)
    )
    for path, file in model.files.items():
        if not (local / path).is_file() or StoredFile.of(local / path) != file:
            raise GoneError(f"{path} of the model {name} ({model.model_id}) is not what was written")
    return local


def _download_model(tracker: Tracker, name: str, model: StoredModel, folder: Path) -> Path:
    import mlflow.artifacts
    from mlflow.exceptions import MlflowException

    target = folder / model.model_id
    target.mkdir(parents=True, exist_ok=True)
    try:
        uri = f"models:/{model.model_id}"
        return Path(mlflow.artifacts.download_artifacts(uri, dst_path=str(target), tracking_uri=tracker.uri))
    except (MlflowException, OSError) as error:
        raise GoneError(f"the model {name} ({model.model_id}) is gone") from error


def check_model(tracker: Tracker, name: str, model: StoredModel) -> None:
    """Ask whether a logged model is still there, with the files that it was logged with.

    Raises:
        GoneError: It was deleted, or is not what was written.
    """
    from mlflow.exceptions import MlflowException

    called = f"the model {name} ({model.model_id})"
    try:
        found = tracker.client.get_logged_model(model.model_id)
    except MlflowException as error:
        raise GoneError(f"{called} was deleted") from error
    if str(found.status) != "READY":
        raise GoneError(f"{called} is {found.status}")
    local = local_folder(model.location)
    sizes = {} if local or not model.files else _listed_of_model(tracker, model)
    _check_files(model.files, local, sizes, called)


def find_fit(tracker: Tracker, fit: str, folder: Path) -> tuple[StoredModel, float] | None:
    """A model that was fitted from the very same, and how long that took, s; None without one."""
    with translated("look for a fitted model", uri=tracker.shown_uri):
        found = tracker.client.search_logged_models([tracker.experiment_id], f"tags.`{FIT}` = '{fit}'", max_results=5)
    for model in found:
        try:
            source = of_run(tracker, model.source_run_id, folder)
        except GoneError:
            continue
        for stored in source.models.values():
            if stored.model_id == model.model_id:
                return stored, float(model.tags.get(FIT_SECONDS, "nan"))
    return None


def local_folder(uri: str) -> Path | None:
    """The folder that an artifact location is on this machine; None for one of a server or a bucket."""
    parsed = urllib.parse.urlparse(uri)
    if parsed.scheme == "":
        return Path(uri)
    return Path(urllib.request.url2pathname(parsed.path)) if parsed.scheme == "file" else None


def short(run_id: str) -> str:
    """As much of an id as people read."""
    return run_id[:8]


def _trusted(tracker: Tracker, run: Any, folder: Path) -> Result:
    run_id, tags = run.info.run_id, run.data.tags
    called = f"the run {short(run_id)}"
    if run.info.status != "FINISHED" or RESULT not in tags:
        raise GoneError(f"{called} did not finish")
    local = local_folder(run.info.artifact_uri)
    file = local / RESULT_FILE if local else _download(tracker, run_id, RESULT_FILE, folder / run_id)
    text = file.read_bytes() if file.is_file() else b""
    same = hashlib.sha256(text).hexdigest() == tags[RESULT]
    result = _parsed(run, json.loads(text)) if same else None
    try:
        if run.info.lifecycle_stage != "active":
            raise GoneError(f"{called} was deleted")
        if result is None:
            raise GoneError(f"{RESULT_FILE} of {called} {'is not what was written' if text else 'is gone'}")
        _check_files(result.files, local, {} if local else _listed(tracker, result), called)
    except GoneError as gone:
        gone.facts = result.facts if result else None
        raise
    return result


def _parsed(run: Any, plain: Mapping[str, Any]) -> Result:
    def files(found: Mapping[str, Any]) -> dict[str, StoredFile]:
        return {name: StoredFile(**file) for name, file in found.items()}

    return Result(
        run.info.run_id,
        run.info.end_time,
        run.info.artifact_uri,
        run.data.tags[RESULT],
        run.data.tags.get(KEY, ""),
        plain["facts"],
        plain["headline"],
        plain["seconds"],
        files(plain["files"]),
        {
            name: StoredModel(one["model_id"], one["location"], files(one["files"]))
            for name, one in plain["models"].items()
        },
        plain["datasets"],
    )


def _check_files(
    files: Mapping[str, StoredFile], local: Path | None, sizes: Mapping[str, int | None], called: str
) -> None:
    """By digest where they lie on this machine, otherwise by what the server lists."""
    for path, file in files.items():
        there = (local / path).is_file() if local else path in sizes
        same = there and (StoredFile.of(local / path) == file if local else sizes[path] in {file.size, None})
        if not same:
            raise GoneError(f"{path} of {called} {'has changed' if there else 'is gone'}")


def _listed(tracker: Tracker, result: Result) -> dict[str, int | None]:
    """Size of each artifact that the server lists."""
    with translated(f"list the artifacts of the run {short(result.run_id)}", uri=tracker.shown_uri):
        return _sizes(result.files, functools.partial(tracker.client.list_artifacts, result.run_id))


def _listed_of_model(tracker: Tracker, model: StoredModel) -> dict[str, int | None]:
    with translated(f"list the files of the model {model.model_id}", uri=tracker.shown_uri):
        return _sizes(model.files, functools.partial(tracker.client.list_logged_model_artifacts, model.model_id))


def _sizes(files: Mapping[str, StoredFile], listing: Callable[[str | None], Any]) -> dict[str, int | None]:
    folders = {str(PurePosixPath(path).parent) for path in files}
    return {file.path: file.file_size for folder in folders for file in listing(None if folder == "." else folder)}


def _download(tracker: Tracker, run_id: str, path: str, folder: Path) -> Path:
    from mlflow.exceptions import MlflowException

    folder.mkdir(parents=True, exist_ok=True)
    try:
        return Path(tracker.client.download_artifacts(run_id, path, str(folder)))
    except (MlflowException, OSError) as error:
        raise GoneError(f"{path} of the run {short(run_id)} is gone") from error
