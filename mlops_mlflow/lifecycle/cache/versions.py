"""Versions of the libraries that decide a result; the source itself of what has none, or is being worked on."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
from collections.abc import Iterable
from pathlib import Path

from mlops_mlflow.engines.distributions import distributions_of

COMPANIONS = {"sklearn": ("scipy",)}
"""Libraries that do the work of another and are seldom imported by name."""


def versions(modules: Iterable[str]) -> dict[str, str]:
    """Name and version of the distribution of each top-level module.

    A module that no distribution brought, or one that is not installed but worked on in its folder
    (``pip install -e``), changes without another version, so the digest of its source is added.
    """
    wanted = {name for module in modules for name in (module, *COMPANIONS.get(module, ()))}
    return {name: version for module in sorted(wanted) for name, version in _versions(module)}


@functools.cache
def _versions(module: str) -> tuple[tuple[str, str], ...]:
    names = distributions_of(module)
    if not names:
        return ((module, _source(module)),)
    return tuple((name, _version(name, module)) for name in names)


def _version(name: str, module: str) -> str:
    version = importlib.metadata.version(name)
    return version if _is_installed(module) else f"{version} {_source(module)}"


def _is_installed(module: str) -> bool:
    """Whether a module lies where installers put it, rather than in a folder that somebody works in."""
    files = _files(module)
    return not files or bool({"site-packages", "dist-packages"} & set(files[0].parts))


def _source(module: str) -> str:
    """Digest of a module's Python files; ``missing`` where there is no such module."""
    files = _files(module)
    if not files:
        return "missing"
    whole = hashlib.sha256()
    for file in files:
        whole.update(f"{file.name}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return f"source {whole.hexdigest()[:16]}"


def _files(module: str) -> list[Path]:
    """The Python files of a module; only its first where it is installed."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        return []
    if spec.origin and {"site-packages", "dist-packages"} & set(Path(spec.origin).parts):
        return [Path(spec.origin)]
    folders = [Path(place) for place in spec.submodule_search_locations or ()]
    inside = [file for folder in folders for file in sorted(folder.rglob("*.py"))]
    return inside or ([Path(spec.origin)] if spec.origin else [])
