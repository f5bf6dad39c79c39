"""Where the files of a source are, and how they are made readable."""

from __future__ import annotations

import difflib
import glob
import hashlib
import importlib.util
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path

from mlops_mlflow.core.errors import SourceError
from mlops_mlflow.core.usecase.data import Format, Source
from mlops_mlflow.engines.atomic import replacing
from mlops_mlflow.engines.digest import file_digest

_ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}


@dataclass(frozen=True)
class Files:
    """The files of one source.

    Attributes:
        name: Of the source.
        uri: As the use case names them, without the folder of this machine.
        paths: Files to read, in the order of their names, unpacked where they were zipped.
        shown: What to call each of them in a message.
        format: What they hold.
        digest: SHA-256 of the bytes as they were found; of names and digests where there are several.
    """

    name: str
    uri: str
    paths: tuple[Path, ...]
    shown: tuple[str, ...]
    format: Format
    digest: str

    def called(self, path: str) -> str:
        """What a message calls the file at this path."""
        return dict(zip(map(str, self.paths), self.shown, strict=True)).get(path, self.shown[0])


@dataclass(frozen=True)
class Located:
    """The files of a source as they lie there: where, what to call them, and the digest of their bytes."""

    uri: str
    paths: tuple[Path, ...]
    shown: tuple[str, ...]
    digest: str


def locate(name: str, source: Source, *, folder: Path) -> Located:
    """Find the files of a source and digest them; nothing is unpacked.

    Raises:
        SourceError: There is no such file or package.
    """
    base = folder if source.package is None else package_folder(name, source.package)
    pattern = str(source.path)
    found = _matches(base, pattern)
    if not found:
        raise _missing(name, base, pattern, source.package)
    shown = tuple(str(path.relative_to(base)) if path.is_relative_to(base) else str(path) for path in found)
    digests = [file_digest(path) for path in found]
    uri = pattern if source.package is None else f"package://{source.package}/{pattern}"
    return Located(uri, tuple(found), shown, digests[0] if len(digests) == 1 else _of_several(shown, digests))


def find(name: str, source: Source, *, folder: Path, scratch: Path) -> Files:
    """Find the files of a source; a zipped one is unpacked into ``scratch``.

    Raises:
        SourceError: There is no such file or package, or it is not clear what the file holds.
    """
    found = locate(name, source, folder=folder)
    return Files(
        name=name,
        uri=found.uri,
        paths=tuple(_unpacked(name, number, path, scratch) for number, path in enumerate(found.paths)),
        shown=found.shown,
        format=source.format or _format(name, found.paths[0]),
        digest=found.digest,
    )


def package_folder(name: str, package: str) -> Path:
    """The folder of an installed package, which is not imported: its code has no say in what is read."""
    top, *inner = package.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except ValueError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise SourceError(
            f"source `{name}`: the Python package `{package}` is not installed",
            expected="an installed package that carries the file",
            hint=f"`pip install {top}`, or correct `sources.{name}.package`",
        )
    return Path(next(iter(spec.submodule_search_locations))).joinpath(*inner)


def _matches(base: Path, pattern: str) -> list[Path]:
    exact = base / pattern
    if exact.is_file():
        return [exact]
    # Only what the use case wrote is a pattern; the folder may have brackets in its name.
    return sorted(
        path for path in map(Path, glob.glob(glob.escape(str(base)) + "/" + pattern, recursive=True)) if path.is_file()
    )


def _missing(name: str, base: Path, pattern: str, package: str | None) -> SourceError:
    wanted = base / pattern
    inside = sorted(path.name for path in wanted.parent.iterdir()) if wanted.parent.is_dir() else []
    near = difflib.get_close_matches(wanted.name, inside, n=5, cutoff=0.5)
    got = (
        f"near matches there: {', '.join(near)}"
        if near
        else f"that folder holds: {', '.join(inside[:10]) or 'nothing'}"
    )
    where = f"package `{package}`" if package else str(base)
    return SourceError(
        f"source `{name}`: no file `{pattern}` in {where}",
        expected="a file, or a pattern that matches some",
        got=got if wanted.parent.is_dir() else f"there is no folder {Path(pattern).parent}",
        hint=f"correct `sources.{name}.path`",
    )


def _format(name: str, path: Path) -> Format:
    endings = [ending.lower() for ending in path.suffixes]
    while endings and endings[-1] in (".zip", ".gz"):
        endings.pop()
    if endings and endings[-1] in _ENDINGS:
        return _ENDINGS[endings[-1]]
    raise SourceError(
        f"source `{name}`: what `{path.name}` holds does not show in its ending",
        expected=f"one of {', '.join(_ENDINGS)}, perhaps followed by .zip or .gz",
        hint=f"set `sources.{name}.format` to csv, parquet or jsonl",
    )


def _unpacked(name: str, number: int, path: Path, scratch: Path) -> Path:
    """The file that a zip holds; any other file as it is (DuckDB opens .gz itself)."""
    if path.suffix.lower() != ".zip":
        return path
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) != 1:
                raise SourceError(
                    f"source `{name}`: {path.name} holds {len(members)} files",
                    expected="a zip with exactly one file",
                    got=", ".join(member.filename for member in members[:10]) or "an empty zip",
                    hint="unpack it beside the use case and name the file that is meant",
                )
            target = scratch / f"{name}-{number}{Path(members[0].filename).suffix}"
            with (
                replacing(target, f"the unpacked source `{name}`") as part,
                archive.open(members[0]) as packed,
                part.open("wb") as plain,
            ):
                shutil.copyfileobj(packed, plain, 1 << 20)
            return target
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise SourceError(
            f"source `{name}`: {path.name} cannot be unpacked: {error}",
            hint="fetch the file again, or pack it without a password",
        ) from error


def _of_several(names: tuple[str, ...], digests: list[str]) -> str:
    lines = "".join(f"{digest}  {name}\n" for name, digest in zip(names, digests, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()
