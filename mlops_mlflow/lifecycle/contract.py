"""Write a proposed data contract into ``usecase.yaml``: rules are added, nothing that stands there is changed."""

from __future__ import annotations

from typing import Any

import yaml

from mlops_mlflow.core.errors import UseCaseError
from mlops_mlflow.core.usecase.parse import parse_use_case
from mlops_mlflow.engines.atomic import replacing
from mlops_mlflow.lifecycle.folder import FILE, UseCaseFolder


def write_contract(folder: UseCaseFolder, proposal: str) -> str:
    """Add rules for the columns that the contract does not name yet.

    Args:
        folder: The use case.
        proposal: A ``contract`` section, YAML.

    Returns:
        What was done, one sentence.

    Raises:
        UseCaseError: The file's contract has a form that cannot be added to line by line.
        StorageError: The file cannot be written; it is then as before.
    """
    file = folder.path / FILE
    declared = set(folder.spec.contract.columns)
    proposed = yaml.safe_load(proposal)["contract"]
    added = {name: rule for name, rule in proposed["columns"].items() if name not in declared}
    if not added:
        return f"{file}: the contract names every column already"
    text = _with_rules(folder.text, proposed, added, str(file))
    parse_use_case(text, file=str(file))
    with replacing(file, "the contract") as part:
        part.write_text(text, encoding="utf-8")
        part.chmod(file.stat().st_mode)
    return f"{file}: rules for {len(added)} columns added to `contract`"


def _with_rules(text: str, proposed: dict[str, Any], added: dict[str, Any], file: str) -> str:
    lines = text.splitlines()
    contract = _value(yaml.compose(text), "contract")
    if contract is None:
        section = ["contract:", f"  quarantine_at_most: {proposed['quarantine_at_most']}", "  columns:"]
        return "\n".join([*lines, "", *section, *_rules(added, 4)]) + "\n"
    columns = _value(contract, "columns")
    if columns is None or columns.flow_style or not columns.value:
        raise UseCaseError(
            f"{file}: the contract there cannot be added to",
            expected="`contract: columns:` with one column per line, or no `contract` at all",
            hint="copy what you need from proposed_contract.yaml of the run",
        )
    last = _last_line(columns.value[-1][1]) + 1
    return "\n".join([*lines[:last], *_rules(added, columns.value[0][0].start_mark.column), *lines[last:]]) + "\n"


def _rules(added: dict[str, Any], indent: int) -> list[str]:
    written = yaml.safe_dump(added, sort_keys=False, default_flow_style=None, width=1000, allow_unicode=True)
    return [" " * indent + line for line in written.splitlines()]


def _value(node: Any, key: str) -> Any:
    return next((value for name, value in node.value if name.value == key), None)


def _last_line(node: Any) -> int:
    """Line of a node's last word; a block's own end mark lies behind the comments that follow it."""
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        return _last_line(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        return _last_line(node.value[-1])
    return int(node.end_mark.line)
