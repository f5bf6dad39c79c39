"""What is printed at the end."""

from __future__ import annotations

from mlops_mlflow.core.judgement import Finding
from mlops_mlflow.lifecycle.main import Result
from mlops_mlflow.lifecycle.session import Session

SIGNS = {"passed": "✓", "failed": "✗", "unknown": "?", "pending": "…"}


def summary(session: Session, result: Result) -> str:
    """The chosen candidate, each criterion with figure and bound, the version, and where to look further."""
    lines = ["", f"{result.verdict.upper()}: {result.chosen}, judged on test rows", ""]
    lines += [_line(finding) for finding in result.findings]
    lines.append("")
    if result.version is not None:
        stage = result.version.registry_stage
        name = result.version.name
        told = f"in {stage}" if stage != "None" else "registered; not in Staging before it is approved"
        lines.append(f"version    {name} {result.version.number}, {told}")
        if result.request is not None:
            lines.append(f"asked      {result.request.name}, for Staging: mlops status {name}")
        if stage == "Staging":
            lines.append(f"next       mlops request {name} --to Production")
    else:
        lines.append("version    none: only what passes is registered")
    if result.version is not None and result.version.registry_stage != "Production" and result.needs:
        lines.append(f"needs      approval by {', '.join(result.needs)}, before Production")
    return "\n".join([*lines, "", where(session, result.run_id)])


def stage_summary(session: Session, stage: str) -> str:
    """The run of a stage and where to look further."""
    return where(session, session.done[stage].run_id)


def _line(finding: Finding) -> str:
    if finding.figure is None or finding.limit is None:
        return f"  {SIGNS[finding.outcome]} {finding.subject:<42} {finding.reason}"
    word = "≥" if finding.at_least else "≤"
    close = "  (close)" if finding.close else ""
    return f"  {SIGNS[finding.outcome]} {finding.subject:<42} {finding.figure:>10.4g}  {word} {finding.limit:g}{close}"


def where(session: Session, run_id: str) -> str:
    """How to see a run in MLflow's UI."""
    uri, page = session.tracker.shown_uri, session.tracker.page(run_id)
    if uri.startswith("http"):
        return f"look       {uri}{page}"
    return f"look       mlflow server --backend-store-uri {uri}\n           http://127.0.0.1:5000{page}"
