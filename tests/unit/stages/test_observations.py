"""What explore says about odd data, and the contract that it proposes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from stage_chain import Chain
from use_cases import tickets

from mlops_mlflow.engines.tables import write_parquet
from mlops_mlflow.lifecycle.contract import write_contract
from mlops_mlflow.lifecycle.folder import load_folder
from mlops_mlflow.stages import explore


def seen(tmp_path: Path, **columns: Any) -> explore.Output:
    """Explore a table with an ordinary target and these columns beside it."""
    rows = 400
    draw = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "ticket_id": [f"T{number}" for number in range(rows)],
            "opened": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(rows), unit="h"),
            "escalated": draw.integers(0, 2, rows),
            "calm": draw.normal(size=rows),
        }
    ).assign(**columns)
    path = tmp_path / "table.parquet"
    write_parquet(table, path)
    spec = load_folder(tickets(tmp_path)).spec
    chain = Chain()
    output: explore.Output = chain.run(explore, explore.Inputs(spec, path, dict.fromkeys(table, "DOUBLE")))
    return output


def sentences(output: explore.Output) -> str:
    return "\n".join(f"{one.level}: {one.sentence}" for one in output.observations)


def test_ordinary_data_gives_no_warning(tmp_path: Path) -> None:
    assert sentences(seen(tmp_path)) == ""


def test_a_column_that_knows_the_outcome_is_a_suspect_of_leakage(tmp_path: Path) -> None:
    ordinary = seen(tmp_path)
    draw = np.random.default_rng(0)
    outcome = draw.integers(0, 2, 400)
    found = sentences(seen(tmp_path, late_known=outcome + 0.001 * draw.normal(size=400)))
    assert "failed: **late_known** alone tells the target too well" in found
    assert "late_known" not in sentences(ordinary)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (np.r_[np.arange(399) % 20, 9999], "reaches 9,999"),
        (np.ones(400), "has one value only"),
        (np.where(np.arange(400) % 10 < 6, np.nan, 1.0 * np.arange(400)), "is missing in 60.0% of the rows"),
        ([f"id-{number}" for number in range(400)], "an identifier?"),
    ],
)
def test_odd_columns_are_told(tmp_path: Path, values: Any, sentence: str) -> None:
    found = sentences(seen(tmp_path, odd=values))
    assert f"**odd** {sentence}" in found or sentence in found
    assert "warning: " in found


def test_days_without_rows_and_repeated_keys_are_told(tmp_path: Path) -> None:
    times = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.where(np.arange(400) < 200, 0, 10), unit="D")
    found = sentences(seen(tmp_path, opened=times, ticket_id=["same"] * 400))
    assert "9 days have no rows: 2024-01-02" in found
    assert "399 rows repeat an earlier value of the key `ticket_id`" in found


def test_the_proposed_contract_holds_for_the_rows_that_it_was_made_of(tmp_path: Path) -> None:
    proposed = yaml.safe_load(seen(tmp_path, plan=np.resize(["small", "large"], 400)).proposal)["contract"]["columns"]
    assert proposed["plan"] == {"type": "string", "allowed": ["large", "small"]}
    assert proposed["ticket_id"] == {"type": "string", "unique": True}
    assert proposed["calm"]["min"] < -3 < 3 < proposed["calm"]["max"]


def test_a_proposal_is_added_without_touching_what_stands_there(tmp_path: Path) -> None:
    folder = load_folder(tickets(tmp_path))
    file = folder.path / "usecase.yaml"
    file.write_text(f"# kept\n{folder.text}contract:\n  columns:\n    # why\n    age: {{min: 18}}  # grown up\n")
    folder = load_folder(folder.path)
    proposal = yaml.safe_dump(
        {"contract": {"quarantine_at_most": 0.01, "columns": {"age": {}, "plan": {"type": "string"}}}}
    )
    said = write_contract(folder, proposal)
    text = file.read_text()
    assert "rules for 1 columns added" in said
    assert "# kept" in text
    assert "    # why\n    age: {min: 18}  # grown up\n    plan: {type: string}\n" in text
    assert load_folder(folder.path).spec.contract.columns["plan"].type == "string"


def test_a_proposal_makes_the_section_where_there_is_none(tmp_path: Path) -> None:
    folder = load_folder(tickets(tmp_path))
    proposal = yaml.safe_dump({"contract": {"quarantine_at_most": 0.01, "columns": {"plan": {"type": "string"}}}})
    write_contract(folder, proposal)
    assert load_folder(folder.path).spec.contract.columns["plan"].type == "string"
    assert "names every column already" in write_contract(load_folder(folder.path), proposal)


def test_evidently_adds_its_summary_when_asked(tmp_path: Path) -> None:
    output_inputs = explore.Inputs(load_folder(tickets(tmp_path)).spec, tmp_path / "table.parquet", {}, evidently=True)
    seen(tmp_path)
    inputs = replace(output_inputs, columns=dict.fromkeys(["opened", "escalated", "calm"], "DOUBLE"))
    chain = Chain()
    chain.run(explore, inputs)
    page = next(one for one in chain.records["explore"] if getattr(one, "path", "") == "evidently.html")
    assert "<html" in str(page.content)[:2000].lower()
