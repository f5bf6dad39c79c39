"""Git repositories of tests, on which nobody's own settings have a say."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
"""Environment without the settings of this machine and its user."""


@dataclass(frozen=True)
class Repository:
    """A repository and its working copy."""

    folder: Path

    @classmethod
    def begin(cls, folder: Path) -> Repository:
        folder.mkdir(parents=True, exist_ok=True)
        made = cls(folder)
        made.git("init", "--quiet", "--initial-branch=main")
        return made

    def git(self, *words: str, author: str = "Anna Berg", committer: str = "") -> str:
        """What a command of git says."""
        who = {"GIT_AUTHOR_NAME": author, "GIT_COMMITTER_NAME": committer or author}
        mail = {"GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_EMAIL": "c@example.com"}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        ended = subprocess.run(
            ["git", *words],
            cwd=self.folder,
            env=environment | ALONE | who | mail,
            capture_output=True,
            check=True,
            encoding="utf-8",
        )
        return ended.stdout.strip()

    def commit(self, author: str = "Anna Berg", committer: str = "", **files: str) -> str:
        """Write files, named with ``__`` for a slash, and commit all that there is.

        Returns:
            Id of the commit.
        """
        for name, text in files.items():
            file = self.folder / name.replace("__", "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "m", author=author, committer=committer)
        return self.git("rev-parse", "HEAD")
