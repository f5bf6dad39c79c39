"""What others start us by: plugins, commands, projects, environments."""

from __future__ import annotations

import configparser
import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

PROJECT = Path(__file__).parents[2]
TEMPLATE = PROJECT / "mlops_mlflow" / "lifecycle" / "template"
FOLDERS = [PROJECT, TEMPLATE, *sorted(path.parent for path in (PROJECT / "projects").glob("*/usecase.yaml"))]
HEAVY = ("mlflow", "sklearn", "evidently", "hyperopt", "pandas", "duckdb")


def configuration() -> configparser.ConfigParser:
    read = configparser.ConfigParser()
    read.read(PROJECT / "setup.cfg", encoding="utf-8")
    return read


def lines(section: str, key: str) -> list[str]:
    return [line.strip() for line in configuration()[section][key].splitlines() if line.strip()]


def entry_points() -> Iterator[tuple[str, str, str]]:
    for group in configuration()["options.entry_points"]:
        for line in lines("options.entry_points", group):
            name, _, target = line.partition("=")
            yield group, name.strip(), target.strip()


def fresh(code: str) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter that has imported nothing, every warning shown."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    clean.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=clean)


@pytest.mark.parametrize(("group", "name", "target"), list(entry_points()))
def test_every_entry_point_is_installed_and_loads_in_a_fresh_interpreter(group: str, name: str, target: str) -> None:
    assert target in {one.value for one in importlib.metadata.entry_points(group=group, name=name)}
    done = fresh(
        "import importlib.metadata as m; "
        f"[one] = [e for e in m.entry_points(group={group!r}, name={name!r}) if e.value == {target!r}]; one.load()"
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr


@pytest.mark.parametrize(
    "module", sorted(path.stem for path in (PROJECT / "mlops_mlflow" / "plugins").glob("[a-z]*.py"))
)
def test_every_plugin_module_is_named_after_an_entry_point_group(module: str) -> None:
    groups = {group.removeprefix("mlflow.") for group, _, target in entry_points() if f".plugins.{module}:" in target}
    assert groups == {module}


def test_importing_mlflow_with_our_plugins_says_nothing() -> None:
    done = fresh("import mlflow; mlflow.get_tracking_uri()")
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""


def test_help_imports_nothing_heavy() -> None:
    done = fresh(
        "import sys; sys.argv = ['mlops', '--help']\n"
        "from mlops_mlflow.cli.main import invoke\n"
        "assert invoke() == 0\n"
        "print('loaded', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    assert done.returncode == 0, done.stderr
    loaded = done.stdout.splitlines()[-1].split()
    assert loaded[0] == "loaded"
    assert not set(HEAVY) & set(loaded)
    assert "click" in loaded, "the check sees what is loaded"


def commands() -> list[tuple[str, click.Command]]:
    from mlops_mlflow.cli.main import mlops

    context = click.Context(mlops)
    found = [(name, mlops.get_command(context, name)) for name in mlops.list_commands(context)]
    return [(name, command) for name, command in found if command is not None]


@pytest.mark.parametrize(("name", "command"), commands(), ids=[name for name, _ in commands()])
def test_every_command_has_help_with_an_example(name: str, command: click.Command) -> None:
    told = command.help or ""
    assert told.splitlines()[0].endswith(".")
    assert re.search(rf"^\s*mlops {name}\b", told, re.MULTILINE)
    assert all(option.help for option in command.params if isinstance(option, click.Option) and not option.hidden)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_projects_have_an_entry_point_per_stage_of_the_command_line(folder: Path) -> None:
    from mlops_mlflow.cli.run import run

    stages = next(one for one in run.params if one.name == "stage").type.choices  # type: ignore[attr-defined]
    project = yaml.safe_load((folder / "MLproject").read_text(encoding="utf-8"))
    assert list(project["entry_points"]) == [*stages, "promote", "score", "monitor"]
    for name, entry in project["entry_points"].items():
        if name in {"promote", "score", "monitor"}:
            continue
        assert entry["command"] == "mlops run {use_case}" + ("" if name == "main" else f" --stage {name}")
        assert list(entry["parameters"]) == ["use_case"]
        default = entry["parameters"]["use_case"]["default"]
        assert (folder / default / "usecase.yaml").is_file()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_promote_is_the_command_request_with_its_options(folder: Path) -> None:
    from mlops_mlflow.cli.request import request

    entry = yaml.safe_load((folder / "MLproject").read_text(encoding="utf-8"))["entry_points"]["promote"]
    assert entry["command"] == "mlops request {use_case} --to {to} --version {version} --comment {comment}"
    defaults = {option.name: option.default for option in request.params}
    given = {name: parameter["default"] for name, parameter in entry["parameters"].items()}
    assert {name: default for name, default in given.items() if name != "use_case"} == {
        "to": defaults["to"],
        "version": "",
        "comment": defaults["comment"],
    }
    assert next(option for option in request.params if option.name == "version").type.convert("", None, None) is None


@pytest.mark.parametrize("name", ["score", "monitor"])
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_score_and_monitor_are_the_commands_of_these_names_with_their_options(folder: Path, name: str) -> None:
    command = getattr(importlib.import_module(f"mlops_mlflow.cli.{name}"), name)

    entry = yaml.safe_load((folder / "MLproject").read_text(encoding="utf-8"))["entry_points"][name]
    options = {option.opts[0]: option for option in command.params if isinstance(option, click.Option)}
    given = re.findall(r"(--[a-z-]+) \{(\w+)\}", entry["command"])
    assert entry["command"].startswith(f"mlops {name} {{use_case}} --")
    assert [parameter for _, parameter in given] == [one for one in entry["parameters"] if one != "use_case"]
    for flag, parameter in given:
        assert flag == f"--{parameter.replace('_', '-')}"
        assert entry["parameters"][parameter].get("default") == (
            options[flag].default if not options[flag].required else None
        )


def test_the_plugin_and_the_root_project_mean_the_same_use_case() -> None:
    from mlops_mlflow.plugins.default_experiment_provider import DEFAULT_USE_CASE

    project = yaml.safe_load((PROJECT / "MLproject").read_text(encoding="utf-8"))
    defaults = {entry["parameters"]["use_case"]["default"] for entry in project["entry_points"].values()}
    assert defaults == {DEFAULT_USE_CASE}


def installed_by_pip(folder: Path) -> tuple[list[str], list[str]]:
    environment: dict[str, Any] = yaml.safe_load((folder / "conda.yaml").read_text(encoding="utf-8"))
    conda = [one for one in environment["dependencies"] if isinstance(one, str)]
    (pip,) = (one["pip"] for one in environment["dependencies"] if isinstance(one, dict))
    return conda, pip


def test_the_root_environment_is_that_of_the_package() -> None:
    conda, pip = installed_by_pip(PROJECT)
    assert next(line for line in lines("options", "install_requires") if line.startswith("mlflow")) in pip
    (own,) = (line for line in pip if line.startswith("."))
    assert set(own.removeprefix(".").strip("[]").split(",")) <= set(configuration()["options.extras_require"])
    assert {line for line in pip if not line.startswith(".")} <= set(lines("options", "install_requires"))
    (python,) = (line for line in conda if line.startswith("python"))
    assert re.fullmatch(r"python=3\.(11|12|13)", python)


def test_a_new_use_cases_environment_holds_this_version() -> None:
    conda, pip = installed_by_pip(TEMPLATE)
    assert pip == ["mlops-mlflow==VERSION"]
    assert f"python{configuration()['options']['python_requires']}" in conda
