"""What git knows of a folder: the commit, whether it is the whole truth, and who committed in between."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from repositories import ALONE, Repository

from mlops_mlflow.governance.working_copy import WorkingCopy, working_copy

FILE = "usecase.yaml"
USE_CASE = "cases__churn__usecase.yaml"
NASTY = 'Żofia "O\'Neil" & 航班 \x1b[31m\ttab'


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ALONE.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.begin(tmp_path / "repo: [a] *")
    made.commit(**{USE_CASE: "1", "other__file": "1"})
    return made


def folder(repository: Repository) -> Path:
    return repository.folder / "cases" / "churn"


def look(repository: Repository) -> WorkingCopy:
    found = working_copy(folder(repository), FILE)
    assert found is not None
    return found


def test_the_commit_of_the_repository_is_that_of_the_folder(repository: Repository) -> None:
    last = repository.commit(other__file="2")
    found = look(repository)
    assert (found.commit, found.dirty) == (last, False)
    assert found.tags == {"mlops.git.commit": last, "mlops.git.dirty": "false"}


@pytest.mark.parametrize("name", [FILE, "new.py"])
def test_a_file_of_the_folder_that_is_not_in_the_commit_makes_it_dirty(repository: Repository, name: str) -> None:
    (folder(repository) / name).write_text("2", encoding="utf-8")
    assert look(repository).dirty


@pytest.mark.parametrize("command", ["rm", "add"])
def test_what_is_staged_or_deleted_makes_it_dirty(repository: Repository, command: str) -> None:
    (folder(repository) / "new.py").write_text("", encoding="utf-8")
    repository.git("add", "--all")
    if command == "rm":
        repository.git("commit", "--quiet", "-m", "m")
        (folder(repository) / "new.py").unlink()
    assert look(repository).dirty


def test_what_changed_elsewhere_or_is_ignored_does_not(repository: Repository) -> None:
    repository.commit(**{".gitignore": "*.db\n"})
    (folder(repository) / "mlflow.db").write_text("2", encoding="utf-8")
    (repository.folder / "other" / "file").write_text("2", encoding="utf-8")
    assert not look(repository).dirty


def test_a_use_case_that_the_repository_ignores_is_not_in_its_commit(repository: Repository) -> None:
    repository.git("rm", "-r", "--cached", "--quiet", "cases")
    repository.commit(**{".gitignore": "cases\n"})
    assert look(repository).dirty


def test_where_git_knows_nothing_nothing_is_known(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = Repository.begin(tmp_path / "empty")
    assert working_copy(empty.folder, FILE) is None, "no commit"
    outside = tmp_path / "outside"
    outside.mkdir()
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert working_copy(outside, FILE) is None, "no repository"
    assert working_copy(tmp_path / "gone", FILE) is None
    bare = tmp_path / "bare"
    repository.git("clone", "--quiet", "--bare", ".", str(bare))
    assert working_copy(bare, FILE) is None, "no working copy"
    before = look(repository)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert working_copy(folder(repository), FILE) is None, "no git"
    assert before.committers(before.commit) is None


def test_a_git_that_does_not_answer_is_not_waited_for(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "bin" / "git"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    slow.chmod(0o755)
    monkeypatch.setattr("mlops_mlflow.governance.working_copy._SECONDS", 0.2)
    monkeypatch.setenv("PATH", f"{slow.parent}:/usr/bin:/bin")
    assert working_copy(folder(repository), FILE) is None


def test_another_repository_in_the_environment_is_not_meant(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Repository.begin(tmp_path / "other")
    other.commit(file="1")
    monkeypatch.setenv("GIT_DIR", str(other.folder / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.folder / ".git" / "index"))
    assert look(repository).commit == repository.git("rev-parse", "HEAD")
    assert not look(repository).dirty


def test_programs_that_the_repository_names_are_not_started(repository: Repository, tmp_path: Path) -> None:
    mark, program = tmp_path / "was-started", tmp_path / "program"
    signature = "-----BEGIN PGP SIGNATURE-----\\n\\nx\\n-----END PGP SIGNATURE-----\\n"
    lines = (
        "#!/bin/sh",
        f"touch '{mark}'",
        "printf '\\n[GNUPG:] SIG_CREATED x\\n' >&2",
        f"printf -- '{signature}'",
        "",
    )
    program.write_text("\n".join(lines), encoding="utf-8")
    program.chmod(0o755)
    first = repository.git("rev-parse", "HEAD")
    repository.git("config", "gpg.program", str(program))
    repository.git("config", "commit.gpgSign", "true")
    repository.commit(**{USE_CASE: "2"})
    mark.unlink()
    for hook in ("post-index-change", "fsmonitor-watchman"):
        shutil.copy(program, repository.folder / ".git" / "hooks" / hook)
    for setting in ("core.fsmonitor", "core.pager", "diff.external"):
        repository.git("config", setting, str(program))
    repository.git("config", "log.showSignature", "true")
    (folder(repository) / FILE).touch()
    assert look(repository).committers(first) == (("Anna Berg", 1),)
    assert not mark.exists()


def test_looking_writes_nothing(repository: Repository) -> None:
    (folder(repository) / FILE).touch()
    index = repository.folder / ".git" / "index"
    before = index.stat().st_mtime_ns, index.read_bytes()
    look(repository)
    assert (index.stat().st_mtime_ns, index.read_bytes()) == before


def test_authors_and_committers_are_counted_once_a_commit_most_first(repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.commit("Bo", **{USE_CASE: "2"})
    repository.commit("Cy", committer="Bo", **{USE_CASE: "3"})
    repository.commit("Anna Berg", **{USE_CASE: "4"})
    repository.commit("Dan", other__file="2")
    assert look(repository).committers(first) == (("Bo", 2), ("Anna Berg", 1), ("Cy", 1))


def test_names_of_every_kind_come_back_as_they_are(repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.commit(NASTY, **{USE_CASE: "2"})
    assert look(repository).committers(first) == ((NASTY, 1),)


def test_one_person_under_two_names_is_one_where_the_mailmap_says_so(repository: Repository) -> None:
    repository.commit(**{".mailmap": "Anna Berg <a@example.com> anna <a@example.com>\n"})
    first = repository.git("rev-parse", "HEAD")
    repository.commit("anna", committer="Anna Berg", **{USE_CASE: "2"})
    assert look(repository).committers(first) == (("Anna Berg", 1),)


def test_the_same_commit_has_nobody_in_between(repository: Repository) -> None:
    found = look(repository)
    assert found.committers(found.commit) == ()


@pytest.mark.parametrize("since", ["0" * 40, "", "HEAD", "--output=/tmp/x", "main", "abc123"])
def test_a_commit_that_is_not_here_or_none_at_all_is_not_known(repository: Repository, since: str) -> None:
    assert look(repository).committers(since) is None


def test_a_history_that_was_rewritten_so_that_the_commit_is_gone_is_not_known(repository: Repository) -> None:
    first = repository.commit("Bo", **{USE_CASE: "2"})
    repository.git("commit", "--quiet", "--amend", "--message", "other", author="Cy")
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "--quiet", "--prune=now")
    assert look(repository).committers(first) is None


def test_a_shallow_clone_does_not_tell_a_part_as_the_whole(repository: Repository, tmp_path: Path) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.git("branch", "released")
    repository.commit("Bo", **{USE_CASE: "2"})
    repository.commit("Cy", **{USE_CASE: "3"})
    clone = Repository(tmp_path / "clone")
    address = f"file://{repository.folder}"
    repository.git("clone", "--quiet", "--depth=1", "--no-single-branch", address, str(clone.folder))
    assert clone.git("cat-file", "-t", first) == "commit", "the champion's commit is here, but not what came after it"
    assert look(clone).committers(first) is None
    clone.git("fetch", "--quiet", "--unshallow")
    assert look(clone).committers(first) == (("Bo", 1), ("Cy", 1))
