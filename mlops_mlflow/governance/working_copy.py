"""What git knows of a use case's folder. It is only read; where git knows nothing, that is no error."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

COMMIT, DIRTY = "mlops.git.commit", "mlops.git.dirty"
"""Tags of a lifecycle's run. MLflow's own `mlflow.source.git.commit` is that of the program."""
_HEAD = "# branch.oid "
_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SECONDS = 5
# A repository's settings may name programs that reading would start: a file watcher, a way to fetch what is missing.
_QUIET = ("-c", "core.fsmonitor=false", "-c", "protocol.allow=never")
# Inside a hook or an alias these say which repository is meant, which need not be the folder's.
_MISLEADING = {
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_COMMON_DIR",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_GRAFT_FILE",
}


@dataclass(frozen=True)
class WorkingCopy:
    """A use case's folder in a git repository, as it was when it was looked at.

    Attributes:
        folder: Where it is.
        commit: Checked out there.
        dirty: Whether files of the folder differ from the commit; such as are neither in it nor ignored count.
    """

    folder: Path
    commit: str
    dirty: bool

    @property
    def tags(self) -> dict[str, str]:
        """For the lifecycle's run."""
        return {COMMIT: self.commit, DIRTY: str(self.dirty).lower()}

    def committers(self, since: str) -> tuple[tuple[str, int], ...] | None:
        """Authors and committers of what changed the folder between an earlier commit and this one.

        Args:
            since: The earlier commit.

        Returns:
            Name, by the repository's mailmap, and number of commits of each, most first; None where that history is
            not all here: a shallow clone, a rewritten history.
        """
        # What comes from a ledger is no option of git's.
        if not _ID.fullmatch(since):
            return None
        between = (
            "--no-show-signature",
            "--encoding=UTF-8",
            "-z",
            "--format=%P%x00%aN%x00%cN",
            f"{since}..{self.commit}",
        )
        told = _git(self.folder, "-c", "log.follow=false", "log", *between, "--", ".")
        if told is None:
            return None
        fields = told.split("\0")[:-1]
        parents, authors, committers = fields[::3], fields[1::3], fields[2::3]
        if not all(parents):
            return None  # a commit without a parent: the history was cut off before it came to the champion's
        counts = Counter(name for pair in zip(authors, committers, strict=True) for name in set(pair))
        return tuple(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def working_copy(folder: Path, file: str) -> WorkingCopy | None:
    """Ask git about a folder.

    Args:
        folder: Of a use case.
        file: In it, by which to tell whether the repository has the folder at all, or ignores it.

    Returns:
        None where there is no git, no repository that git trusts, or no commit.
    """
    looked = ("--porcelain=v2", "--branch", "--no-ahead-behind", "--untracked-files=normal", "--ignore-submodules=none")
    told = _git(folder, "status", *looked, "--no-renames", "-z", "--", ".")
    lines = told.split("\0")[:-1] if told is not None else []
    commit = next((line.removeprefix(_HEAD) for line in lines if line.startswith(_HEAD)), "")
    if not _ID.fullmatch(commit):
        return None
    differs = any(not line.startswith("#") for line in lines)
    return WorkingCopy(folder, commit, differs or not _git(folder, "ls-files", "-z", "--", file))


def _git(folder: Path, *words: str) -> str | None:
    """What a command says; None where it fails, or takes too long."""
    kept = {name: value for name, value in os.environ.items() if name not in _MISLEADING}
    own = {"GIT_OPTIONAL_LOCKS": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        ended = subprocess.run(  # noqa: S603  # a list of words, none of which another person wrote
            ["git", "--no-pager", "-C", str(folder), *_QUIET, *words],  # noqa: S607  # whichever git people have
            capture_output=True,
            stdin=subprocess.DEVNULL,
            env=kept | own,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.decode(errors="replace")
