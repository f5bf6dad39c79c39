"""The card of a registered version, and what MLflow's pages say of it: where it is, who let it there, what waits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import builders
import pytest
from desks import DAY, HOUR, MODEL, Office

from mlops_mlflow.cards.blocks import Card, Findings, KeyValues, Table
from mlops_mlflow.cards.document import to_document
from mlops_mlflow.cards.notes import words
from mlops_mlflow.cards.page import to_html
from mlops_mlflow.cards.terminal import to_terminal
from mlops_mlflow.core.judgement import Finding
from mlops_mlflow.core.ledger.origin import Origin, Since
from mlops_mlflow.core.policy.decide import Case
from mlops_mlflow.governance.desk.approvals import approve
from mlops_mlflow.governance.desk.arrivals import adopt
from mlops_mlflow.governance.desk.overrides import override, review
from mlops_mlflow.governance.desk.requests import reject
from mlops_mlflow.governance.desk.standing import standing
from mlops_mlflow.governance.desk.transitions import rollback
from mlops_mlflow.governance.pages.descriptions import (
    LONGEST_NOTE,
    about_in,
    model_description,
    version_description,
    with_page,
)
from mlops_mlflow.lifecycle.governance.facts import Facts
from mlops_mlflow.lifecycle.governance.model_card import model_card, stays
from mlops_mlflow.lifecycle.governance.plain import model_json

SPEC = builders.spec(card={"intended_use": "Warn passengers.", "not_for": "Crews.", "risk": "high", "limits": ["Old."]})
KEPT = (
    Finding("roc_auc", "criterion", "passed", 0.75, 0.6, True, None, "0.75 is at least 0.6"),
    Finding("wording", "regulatory", "pending", role="legal"),
)


def facts(version: str = "1", **more: Any) -> Facts:
    told: dict[str, Any] = {"candidate": "logistic", "spec": SPEC, "verdict": "passed", "findings": KEPT}
    return Facts(version, **{**told, "metrics": {"roc_auc": 0.75}, **more})


def case(office: Office, version: str = "1") -> Case:
    return office.desk("zoe").case(office.shelf, version, "Production", office.registry.now)


def card(office: Office, version: str = "1", what: Facts | None = None, **more: Any) -> Card:
    return model_card(office.shelf, case(office, version), what or facts(version), **more)


def said(drawn: Card) -> list[str]:
    return [
        f"{one.sentence} {one.detail}" for block in drawn.blocks if isinstance(block, Findings) for one in block.items
    ]


def table(drawn: Card, head: str) -> list[list[str]]:
    found = next(block for block in drawn.blocks if isinstance(block, Table) and head in block.columns)
    return [[words(cell) for cell in row] for row in found.rows]


def test_in_production_it_says_who_let_it_there_on_which_evidence() -> None:
    office = Office().in_production("1")
    drawn = card(office)
    assert drawn.headline == (
        "Version 1 is in Production: logistic keeps 1 of 1 bound; approved by bob as business and cem as compliance"
    )
    assert (drawn.status, drawn.word) == ("ok", "Production")
    rows = table(drawn, "since then")
    assert [row[:3] for row in rows] == [["bob", "business", "the transition"], ["cem", "compliance", "the transition"]]
    assert {row[5] for row in rows} == {f"`{case(office).evidence.digest[:12]}`"}
    assert {row[6] for row in rows} == {"✓ unchanged"}
    assert any("`models:/churn@champion` loads it" in one for one in said(drawn))


@pytest.mark.parametrize(
    ("people", "told"), [((("Anna <i>", 2),), "Anna <i> (2)"), ((), "nobody"), (None, "not known")]
)
def test_it_says_from_which_commit_it_was_made_and_who_committed_since_the_champion_of_then(
    people: tuple[tuple[str, int], ...] | None, told: str
) -> None:
    office = Office().in_production("1")
    drawn = card(office, what=facts(origin=Origin("ab" * 20, True, Since("7", "cd" * 20, people))))
    made = dict(next(one for one in drawn.blocks if isinstance(one, KeyValues) and "Model" in dict(one.items)).items)
    assert made["Commit"] == "abababababab, with changes that were not committed"
    assert made["Committed since version 7"] == told
    assert "<i>" not in to_html(drawn)


def test_it_says_where_it_has_been_since_when_and_how() -> None:
    office = Office()
    office.register("1")
    office.wait(DAY)
    office.promote("1")
    office.wait(DAY)
    office.in_production("2")
    assert [row[0] for row in table(card(office, "1"), "how")] == ["Staging", "Production", "Archived"]
    staged, served, archived = stays(office.shelf, office.shelf.versions["1"])
    assert (staged.until, served.until) == (served.since, archived.since)
    assert served.since - staged.since == DAY
    assert archived.until is None
    rows = table(card(office, "2"), "how")
    assert rows[-1][2:] == [
        "today",
        f"transition, R{max(office.shelf.history.requests)} (record {office.last.sequence})",
        "cem",
    ]


def test_evidence_that_changed_since_is_named_with_the_approvals_that_it_concerns() -> None:
    office = Office().in_production("1")
    office.evidence.change("1", "slices")
    drawn = card(office)
    assert {row[6] for row in table(drawn, "since then")} == {"**changed**: the figures by slice"}
    assert any("Since it was registered changed: the figures by slice." in one for one in said(drawn))


def test_an_override_shows_until_somebody_else_has_reviewed_it() -> None:
    office = Office()
    office.register("1")
    override(office.desk("eve"), MODEL, "1", "Production", reason="the old one fails")
    drawn = card(office)
    assert "it went there past the rules, by eve" in drawn.headline
    assert any("to Production by eve" in one and "A review by somebody else is due" in one for one in said(drawn))
    number = office.shelf.history.glass_breaks[0].sequence
    office.wait(8 * DAY)
    assert any("A review by somebody else was due" in one for one in said(card(office)))
    review(office.desk("fay"), MODEL, number, comment="it did")
    assert any("Reviewed by fay" in one for one in said(card(office)))


def test_an_open_request_is_named_with_what_an_approver_reads() -> None:
    office = Office()
    office.register("1")
    number = office.ask("1")
    told = " ".join(said(card(office)))
    assert f"**R{number}** asks for Production: by ann" in told
    assert f"`mlops card churn --request R{number}`" in told


def test_what_was_adopted_says_that_nothing_is_known() -> None:
    office = Office()
    office.registry.put(MODEL, "1", stage="Production")
    drawn = card(office, what=Facts("1", gone=("version 1 names no run of a lifecycle",)))
    assert any("it knows nothing of the version" in one and "`mlops adopt churn`" in one for one in said(drawn))
    adopt(office.desk("ann"), MODEL, reason="it serves since March")
    drawn = card(office, what=Facts("1", gone=("version 1 names no run of a lifecycle",)))
    assert drawn.headline == "Version 1 is in Production: it was adopted as it was; what it was judged by is not known"
    assert any("Not everything can be read" in one for one in said(drawn))
    to_html(drawn)


def test_a_registry_that_somebody_pushed_past_the_ledger_is_told() -> None:
    office = Office()
    office.register("1")
    office.push("1", "Production")
    assert any("**The ledger does not explain** that it is in Production" in one for one in said(card(office)))


def test_every_form_says_what_it_is_for_and_what_it_keeps() -> None:
    office = Office().in_production("1")
    for text in (to_html(card(office)), to_document(card(office)), to_terminal(card(office))):
        for told in ("Warn passengers.", "Crews.", "Old.", "roc", "bob", "compliance", "high"):
            assert told in text
    assert "| roc\\_auc | ✓ passed | ≥ 0.6 | 0.75 |" in to_document(card(office))


def test_json_holds_approvals_stages_and_whole_digests() -> None:
    office = Office().in_production("1")
    now = case(office)
    plain = json.loads(model_json(card(office), office.shelf, now, facts()))
    assert plain["registry_stage"] == "Production"
    assert [one["stage"] for one in plain["registry_stages"]] == ["Staging", "Production"]
    assert [(one["by"], one["role"], one["evidence"]) for one in plain["approvals"]] == [
        ("bob", "business", now.evidence.digest),
        ("cem", "compliance", now.evidence.digest),
    ]
    assert plain["evidence"]["parts"]["model"] == now.evidence.parts["model"]
    assert plain["criteria"][0]["subject"] == "roc_auc"
    assert plain["overrides"] == []


# ---- MLflow's pages --------------------------------------------------------------------------------------------------


def described(office: Office, version: str = "1", **more: Any) -> str:
    return version_description(office.shelf, version, standing(office.desk("zoe"), MODEL), **more)


def test_a_versions_page_says_what_waits_for_whom_with_the_command() -> None:
    office = Office()
    office.register("1")
    assert "Next, once somebody asks for it: version 1 to Production, `mlops request churn" in described(office)
    number = office.ask("1")
    approve(office.desk("bob"), number)
    text = described(office, about="**✓ passed**", pages={"model card": "/#/experiments/1/runs/9"})
    assert text.startswith("**Staging** since 2023-11-14 22:13 UTC, by ann. ✓ verdict: passed.")
    assert f"- compliance: cem or dora, `mlops approve R{number} --role compliance --comment" in text
    assert "- business:" not in text
    assert "Read: [model card](/#/experiments/1/runs/9)." in text
    assert text.endswith("**✓ passed**")


def test_what_the_lifecycle_said_is_kept_from_one_description_to_the_next() -> None:
    office = Office()
    office.register("1")
    first = described(office, about=about_in("Who leaves?\n\n**✓ passed**"))
    office.ask("1")
    second = described(office, about=about_in(first))
    assert second != first
    assert second.count("Who leaves?") == 1
    assert second.endswith("Who leaves?\n\n**✓ passed**")


def test_a_versions_page_says_who_approved_what_serves() -> None:
    office = Office().in_production("1", "2")
    assert "Approved by bob as business, cem as compliance." in described(office, "2")
    assert described(office, "1").startswith("**Archived** since ")
    rollback(office.desk("ann"), MODEL, reason="recall fell")
    assert described(office, "1").startswith("**Production** since ")


def test_a_models_page_leads_to_what_stands_where() -> None:
    office = Office().in_production("1")
    office.register("2")
    number = office.ask("2")
    text = model_description(office.shelf, standing(office.desk("zoe"), MODEL), question="Who leaves?")
    assert text.startswith("**Who leaves?**")
    assert "**Production**: [version 1](/#/models/churn/versions/1?workflowType=machine_learning) since " in text
    assert "**Staging**: [version 2](" in text
    assert f"**R{number} waits**: version 2 to Production, asked by ann" in text
    assert f"`mlops card churn --request R{number}`" in text


def test_a_models_page_asks_for_the_review_of_an_override() -> None:
    office = Office()
    office.register("1")
    override(office.desk("eve"), MODEL, "1", "Production", reason="the old one fails")
    text = model_description(office.shelf, standing(office.desk("zoe"), MODEL))
    assert "by eve waits for a review by somebody else" in text


def test_an_empty_model_says_so() -> None:
    office = Office()
    assert "Nothing is in Production or Staging." in model_description(
        office.shelf, standing(office.desk("zoe"), MODEL)
    )


@pytest.mark.parametrize("name", ["a/b", "<script>x</script>", 'it\'s "so"', "`rm`", "航班"])
def test_names_of_every_kind_are_text_on_mlflows_pages(name: str) -> None:
    office = Office(model=name)
    office.register("1", by="ann")
    office.ask("1")
    stands = standing(office.desk("zoe"), name)
    for text in (
        version_description(office.shelf, "1", stands, pages={name: "/#/x"}),
        model_description(office.shelf, stands, question=name),
    ):
        outside = "".join(text.split("`")[::2])
        assert "<script" not in outside
        assert text.count("`") % 2 == 0, "no name ends the code that it stands in"


def test_a_plain_server_is_named_and_a_long_note_is_cut() -> None:
    office = Office()
    office.registry.enforced = False
    office.register("1")
    text = described(office, about="x" * 2 * LONGEST_NOTE)
    assert "**not enforced**" in text
    assert len(text) == LONGEST_NOTE


def test_times_without_a_ledger_are_those_of_the_registry() -> None:
    office = Office()
    version = office.registry.put(MODEL, "1", stage="Archived")
    (only,) = stays(office.shelf, replace(version, created=HOUR))
    assert (only.stage, only.since, only.until, only.move) == ("Archived", HOUR, None, None)


def test_an_approval_whose_request_was_rejected_does_not_count_and_says_why() -> None:
    office = Office().in_staging("1")
    asked = office.ask()
    approve(office.desk("bob"), asked)
    reject(office.desk("cem"), asked, reason="too weak")
    drawn = card(office)
    (row,) = table(drawn, "since then")
    assert (row[3], row[6]) == (f"R{asked}", f"**does not count**: R{asked} was rejected")
    assert dict(drawn.facts)["approvals"] == 0


def test_an_adopted_version_that_no_lifecycle_registered_claims_no_changes() -> None:
    office = Office()
    office.registry.put(MODEL, "1")
    office.push("1", "Production")
    adopt(office.desk("ann"), MODEL, reason="was there before")
    office.evidence.change("1", "slices")
    told = said(card(office, what=Facts("1")))
    assert not any("Since it was registered changed" in one for one in told)
    assert any("no lifecycle registered it" in one for one in told)


def test_a_page_is_added_to_a_description_once_and_the_rest_stays() -> None:
    office = Office().in_production("1")
    stands = standing(office.desk("ann"), MODEL)
    made = version_description(office.shelf, "1", stands, about="What it is.", pages={"model card": "/#/card"})
    once = with_page(made, "monitoring", "/#/watch")
    assert "Read: [model card](/#/card), [monitoring](/#/watch)." in once
    assert with_page(once, "monitoring", "/#/watch") == once
    assert about_in(once) == "What it is."
    assert with_page("Mine.", "monitoring", "/#/watch") == "Mine.\n\nRead: [monitoring](/#/watch)."
