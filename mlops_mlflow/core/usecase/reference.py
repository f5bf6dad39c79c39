"""References of the files that people write, made of the same schemas that editors use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mlops_mlflow.core.metrics.catalogue import CATALOGUE
from mlops_mlflow.core.usecase.schema import json_schema


def reference() -> str:
    """Markdown: a table per section in the order in which the file names them, then the metrics."""
    return "\n".join(["# Reference of `usecase.yaml`", "", *sections(json_schema()), *_metrics()]) + "\n"


def sections(schema: dict[str, Any], level: int = 2) -> list[str]:
    """Lines of Markdown about a schema: what the file is, its keys, and a table per section.

    Args:
        schema: As ``schema_of`` makes it.
        level: Of the sections' headings.
    """
    titles = _titles(schema)
    parts = [schema["description"], "", *_table(schema, schema["$defs"], titles)]
    for name, title in titles.items():
        section = schema["$defs"][name]
        heading = f"{'#' * level} {title}"
        parts += [heading, "", section.get("description", ""), "", *_table(section, schema["$defs"], titles)]
    return parts


def _titles(schema: dict[str, Any]) -> dict[str, str]:
    """The place of each section in the file, such as ``candidates.*.space.*``, in the order of the file."""
    titles: dict[str, str] = {}

    def visit(section: dict[str, Any], path: str) -> None:
        for key, field in section.get("properties", {}).items():
            many = ".*" if {"additionalProperties", "patternProperties", "items"} & set(field) else ""
            for name in _references(field):
                if name not in titles and "properties" in schema["$defs"][name]:
                    titles[name] = f"{path}{key}{many}"
                    visit(schema["$defs"][name], f"{titles[name]}.")

    visit(schema, "")
    doubled = {title for title in titles.values() if list(titles.values()).count(title) > 1}
    return {name: f"{title} ({name})" if title in doubled else title for name, title in titles.items()}


def _references(field: Any) -> Iterator[str]:
    if isinstance(field, dict):
        if "$ref" in field:
            yield field["$ref"].rpartition("/")[2]
        for value in field.values():
            yield from _references(value)
    elif isinstance(field, list):
        for value in field:
            yield from _references(value)


def _table(section: dict[str, Any], sections: dict[str, Any], titles: dict[str, str]) -> list[str]:
    lines = ["| key | what it takes | what it says |", "| --- | --- | --- |"]
    required = section.get("required", [])
    for key, field in section.get("properties", {}).items():
        told = [field.get("description") or _of_section(field, sections)]
        told += ["**Required.**"] if key in required else []
        told += [f"Default: `{_word(field['default'])}`."] if field.get("default") not in (None, "") else []
        lines.append(f"| `{key}` | {_takes(field, sections, titles)} | {' '.join(word for word in told if word)} |")
    return [*lines, ""]


def _of_section(field: dict[str, Any], sections: dict[str, Any]) -> str:
    found = next(_references(field), None)
    return str(sections[found].get("description", "")).partition(". ")[0] if found else ""


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _takes(field: dict[str, Any], sections: dict[str, Any], titles: dict[str, str]) -> str:
    """The form of a value in a few words."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        if name not in titles:
            return _takes(sections[name], sections, titles)
        return f"[section](#{re.sub(r'[^a-z0-9_ -]', '', titles[name].lower()).replace(' ', '-')})"
    if "enum" in field:
        words = field["enum"]
        return "a metric, see below" if set(words) <= set(CATALOGUE) else " or ".join(f"`{word}`" for word in words)
    if "const" in field:
        return f"`{_word(field['const'])}`"
    options = field.get("anyOf") or field.get("oneOf")
    if options:
        told = [_takes(option, sections, titles) for option in options if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(told))
    return _typed(field, sections, titles)


def _typed(field: dict[str, Any], sections: dict[str, Any], titles: dict[str, str]) -> str:
    kind = field.get("type")
    if kind == "array":
        inner = field.get("items") or {}
        count = len(field.get("prefixItems", []))
        return f"{count} numbers" if count else f"list of {_takes(inner, sections, titles)}"
    if kind == "object":
        inner = field.get("additionalProperties") or next(iter(field.get("patternProperties", {}).values()), {})
        return f"name: {_takes(inner, sections, titles)}" if isinstance(inner, dict) and inner else "names and values"
    if "examples" in field:
        return f"text like `{field['examples'][0]}`"
    bounds = [f"{word} {field[key]:,}" for key, word in _BOUNDS.items() if key in field]
    names = {"string": "text", "integer": "whole number", "number": "number", "boolean": "`true` or `false`"}
    return " ".join([names.get(str(kind), "any value"), *bounds])


_BOUNDS = {
    "minimum": "from",
    "exclusiveMinimum": "above",
    "maximum": "to",
    "exclusiveMaximum": "below",
}


def _metrics() -> list[str]:
    rows = [
        f"| `{info.name}` | {', '.join(sorted(info.tasks))} | {info.kind} | "
        f"{'higher' if info.higher_is_better else 'lower'} | {info.description} |"
        for info in CATALOGUE.values()
    ]
    return [
        "## Metrics",
        "",
        "| metric | task | kind | better | what it says |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]
