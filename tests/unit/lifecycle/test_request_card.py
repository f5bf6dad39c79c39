"""The page of a request: what is asked, what the policy says, what supports it, who is missing, how to answer."""

from __future__ import annotations

import json
import re
import types
from dataclasses import replace
from typing import Any

import builders
import numpy as np
import policy_cases
import pytest
from policy_cases import DAY, Ledger, evidence, policy

from mlops_mlflow.cards.blocks import Card, Code, Findings, Fold, Remark, Table
from mlops_mlflow.cards.document import to_document
from mlops_mlflow.cards.notes import words
from mlops_mlflow.cards.page import to_html
from mlops_mlflow.cards.terminal import to_terminal
from mlops_mlflow.core.bootstrap import Interval
from mlops_mlflow.core.judgement import Finding
from mlops_mlflow.core.ledger.origin import Origin, Since
from mlops_mlflow.core.policy.decide import decide
from mlops_mlflow.core.records import Dataset
from mlops_mlflow.core.splits import SplitPlan
from mlops_mlflow.core.usecase.success import ApprovalRequirement
from mlops_mlflow.governance.pages.people import given
from mlops_mlflow.lifecycle.compare.changes import Changed, Changes
from mlops_mlflow.lifecycle.compare.figures import Compared, ComparedSlice, Figure
from mlops_mlflow.lifecycle.compare.find import Side
from mlops_mlflow.lifecycle.compare.result import Comparison
from mlops_mlflow.lifecycle.governance.changes import since
from mlops_mlflow.lifecycle.governance.facts import Facts, Known, Page
from mlops_mlflow.lifecycle.governance.plain import request_json
from mlops_mlflow.lifecycle.governance.request_card import request_card
from mlops_mlflow.stages.validate.run import SliceFigure

SPEC = builders.spec(data={"since": "2024-01-01", "until": "2024-03-01"})
AROUND = Interval(0.70, 0.80, 30)
TWO_ROLES = policy(
    people={"ann": [], "bob": [], "cem": [], "zoe": []},
    roles={"business": {"members": ["bob"]}, "compliance": {"members": ["cem", "zoe"]}},
    unlisted_roles="nobody",
    Production={"approvals": {"business": 1, "compliance": 1}},
)
FINDINGS = (
    Finding("roc_auc", "criterion", "passed", 0.75, 0.6, True, AROUND, "0.75 is at least 0.6", 500),
    Finding("roc_auc against the champion", "criterion", "passed", 0.02, -0.005, True, Interval(0.01, 0.03, 30)),
    Finding("roc_auc in each origin", "criterion", "passed", 0.71, 0.58, True, reason="ok; the weakest of 3 is EWR"),
    Finding("latency_p95_ms", "non-functional", "passed", 7.0, 100.0, False),
    Finding("wording", "regulatory", "pending", role="legal", before="Production"),
)
DIGEST = evidence().digest


def facts(version: str = "2", **more: Any) -> Facts:
    """What the runs of a version say."""
    told: dict[str, Any] = {
        "candidate": "logistic",
        "spec": SPEC,
        "verdict": "passed",
        "findings": FINDINGS,
        "metrics": {"roc_auc": 0.75, "latency_p95_ms": 7.0},
        "intervals": {"roc_auc": AROUND},
        "baseline": {"roc_auc": 0.5},
        "champion": {"roc_auc": 0.73},
        "slices": (
            SliceFigure("origin", "JFK", 300, "roc_auc", 0.79, None),
            SliceFigure("origin", "EWR", 200, "roc_auc", 0.71, AROUND),
        ),
        "test": Dataset("flights.test", "abc", "", "test", rows=500),
        "rows": 5000,
        "data": "8152e92fba7811e2",
        "plan": SplitPlan("time", 1, (), {"*": (1.7080e18, 1.7085e18)}),
        "features": {"hour": "numeric", "carrier": "categorical"},
        "dependencies": ("numpy==2.4.6", "scikit-learn==1.9.1"),
        "pages": {"validate": Page("run9", "/#/experiments/1/runs/run9")},
    }
    return Facts(version, **{**told, **more})


def compared(**more: Any) -> Comparison:
    """Version 2 beside version 1, surely worse in one slice."""
    run = types.SimpleNamespace(info=types.SimpleNamespace(run_id="r", experiment_id="1"))
    main = Compared("roc_auc", (Figure(0.75), Figure(0.73)), (Figure(0.02, Interval(0.01, 0.03, 9)),))
    better = Compared("roc_auc", (Figure(0.79), Figure(0.75)), (Figure(0.04, Interval(0.01, 0.07, 9)),))
    worse = Compared("roc_auc", (Figure(0.71), Figure(0.74)), (Figure(-0.03, Interval(-0.05, -0.01, 9)),))
    inside = (ComparedSlice("origin", "JFK", 300, better), ComparedSlice("origin", "EWR", 200, worse))
    differs = Changes((Changed("estimator", ("LR", "LR")), Changed("C", ("1.0", "0.1"))), (), (), {}, (), ())
    sides = tuple(Side("logistic", f"version {number}", run, {}, number) for number in "21")
    told: dict[str, Any] = {"told": "on the same rows", "hint": "", "block": "day", "notes": ()}
    found = Comparison(
        SPEC, sides, "roc_auc", "test", (500, 500), True, True, metrics=(main,), slices=inside, changes=differs, **told
    )
    return replace(found, **more)


def known(**more: Any) -> Known:
    return replace(Known(facts(), facts("1"), compared()), **more)


def ledger() -> Ledger:
    """Version 1 is in Production, version 2 in Staging."""
    made = Ledger().staged()
    made.move("Production")
    return made.staged(version="2")


def drawn(made: Ledger, number: int, what: Known | None = None, **more: Any) -> Card:
    held = more.pop("policy", TWO_ROLES)
    case = made.case(held, version="2", **{name: more.pop(name) for name in ("seen", "later") if name in more})
    return request_card(case, decide(case), made.history.requests[number], what or known(), **more)


def remarks(card: Card) -> list[Remark]:
    return [one for block in card.blocks if isinstance(block, Findings) for one in block.items]


def table(card: Card, head: str) -> list[list[str]]:
    """Rows of the table that has such a column; also behind a title."""
    blocks = [inner for block in card.blocks for inner in (block.blocks if isinstance(block, Fold) else (block,))]
    found = next(block for block in blocks if isinstance(block, Table) and head in block.columns)
    return [[words(cell) for cell in row] for row in found.rows]


def test_the_first_lines_say_what_is_asked_who_is_missing_and_what_to_type() -> None:
    made = ledger()
    number = made.request("ann", "2")
    made.approve(number, "bob", "business", "2")
    card = drawn(made, number)
    assert card.headline == "Version 2 may go to Production once compliance (cem or zoe) approves"
    assert (card.status, card.word) == ("warning", "waits for approval")
    assert card.subtitle.startswith("version 2: Staging → Production · asked by ann on 2023-11-")
    assert "lapses 2023-12-" in card.subtitle
    facts_shown = {name: words(value) for name, value in card.facts}
    assert facts_shown["verdict"] == "✓ passed"
    assert facts_shown["vs champion"] == "✓ better"
    assert facts_shown["approvals"] == "1 of 2"
    (waits,) = [one for one in remarks(card) if "waits for" in one.sentence]
    assert waits.sentence == "**compliance** waits for cem or zoe."
    assert waits.detail == f'`mlops approve R{number} --role compliance --evidence {DIGEST[:12]} --comment "..."`'


def test_the_commands_are_those_of_the_roles_that_are_missing() -> None:
    made = ledger()
    number = made.request("ann", "2")
    made.approve(number, "bob", "business", "2")
    (code,) = [block for block in drawn(made, number).blocks if isinstance(block, Code)]
    assert code.text.splitlines() == [
        f'mlops approve R{number} --role compliance --evidence {DIGEST[:12]} --comment "..."',
        f'mlops reject R{number} --role compliance --reason "..."',
    ]


def test_each_criterion_stands_beside_the_champion_with_its_difference() -> None:
    made = ledger()
    rows = {row[0]: row[1:] for row in table(drawn(made, made.request("ann", "2")), "champion")}
    assert rows["roc_auc"] == ["✓ passed", "≥ 0.6", "0.75", "0.73", "0.02 (0.01 to 0.03)"]
    assert rows["roc_auc against the champion"] == ["✓ passed", "≥ −0.005", "0.75", "0.73", "0.02 (0.01 to 0.03)"]
    weakest = rows["roc_auc in each origin, weakest: EWR"]
    assert weakest == ["✓ passed", "≥ 0.58", "0.71", "0.74", "−0.03 (−0.05 to −0.01)"]
    assert rows["latency_p95_ms (non-functional)"] == ["✓ passed", "≤ 100\xa0ms", "7\xa0ms", "7\xa0ms*", "–"]
    assert "wording (regulatory)" not in rows, "approvals are people's"


def test_figures_of_other_rows_are_marked_and_make_no_difference() -> None:
    made = ledger()
    apart = compared(paired=False, told="they share no test rows", slices=())
    apart = replace(apart, metrics=tuple(replace(one, apart=()) for one in apart.metrics))
    card = drawn(made, made.request("ann", "2"), known(comparison=apart))
    rows = {row[0]: row[3:] for row in table(card, "champion")}
    assert rows["roc_auc"] == ["0.75", "0.73*", "–"]
    assert {name: words(value) for name, value in card.facts}["vs champion"] == "? not known"
    assert "No differences can be told, as they share no test rows." in to_terminal(card)


def test_slices_where_it_is_surely_worse_come_first() -> None:
    made = ledger()
    rows = table(drawn(made, made.request("ann", "2")), "than version 1")
    assert [row[:2] for row in rows] == [["origin = EWR", "✗ worse"], ["origin = JFK", "✓ better"]]


def test_what_changed_is_told_and_what_is_the_same_in_one_line() -> None:
    new = facts(
        rows=6000,
        features={"hour": "numeric", "wind": "numeric"},
        dependencies=("numpy==2.5.0", "scikit-learn==1.9.1", "./local.whl"),
        spec=builders.spec(data={"since": "2024-01-01", "until": "2024-04-01"}),
    )
    found = since(known(facts=new))
    told = {one.what: one.values for one in found.changed}
    assert told["rows"] == ("6,000 (8152e92f)", "5,000 (8152e92f)")
    assert told["features"] == ("2; new: wind", "2; gone since: carrier")
    assert told["numpy"] == ("2.5.0", "2.4.6")
    assert told["./local.whl"] == ("any", "–")
    assert told["C"] == ("1.0", "0.1")
    assert told["data window"][0].startswith("2024-01-01 to 2024-04-01; learned until 2024-02-15, tested from ")
    assert found.same == ("estimator",)
    assert found.untold == ("commit",)


def test_who_committed_since_the_champion_is_said_to_those_who_approve() -> None:
    made = ledger()
    new = Origin("c0ffee" * 7, True, Since("1", "ab" * 20, (("Anna Berg", 4), ("ann", 1))))
    what = known(facts=facts(origin=new), champion=facts("1", origin=Origin("ab" * 20, False)))
    number = made.request("ann", "2")
    card = drawn(made, number, what)
    said = [one.sentence for one in remarks(card)]
    assert "2 people committed since the champion (version 1): Anna Berg (4), ann (1)." in said
    assert any("`c0ffeec0ffee` with changes that were not committed" in one for one in said)
    row = ["commit", "c0ffeec0ffee, with changes that were not committed", "abababababab"]
    assert row in table(card, "champion, version 1")
    case = made.case(TWO_ROLES, version="2")
    plain = json.loads(request_json(card, case, decide(case), made.history.requests[number], what))
    assert plain["origin"]["since"] == {"version": "1", "commit": "ab" * 20, "people": [["Anna Berg", 4], ["ann", 1]]}
    assert card.headline == drawn(made, number).headline, "it is shown, and nobody is excluded by it"


def test_a_first_version_says_what_was_not_committed() -> None:
    made = Ledger().staged(version="2")
    card = drawn(made, made.request("ann", "2"), Known(facts(origin=Origin("ab" * 20, True))))
    assert any("with changes that were not committed" in one.sentence for one in remarks(card))


@pytest.mark.parametrize(("dirty", "same"), [(False, True), (True, False)])
def test_a_commit_is_the_same_only_where_it_holds_everything(dirty: bool, same: bool) -> None:
    origin = Origin("ab" * 20, dirty)
    found = since(known(facts=facts(origin=origin), champion=facts("1", origin=origin)))
    assert ("commit" in found.same, "commit" in [one.what for one in found.changed]) == (same, not same)


def test_what_is_not_known_of_the_champion_is_neither_changed_nor_the_same() -> None:
    found = since(Known(facts(), Facts("1"), untold="its runs are gone"))
    assert not found.changed
    assert not found.same
    assert "rows" in found.untold


def test_rules_that_no_approval_meets_are_said_first() -> None:
    made = Ledger().staged()
    made.staged(version="2", verdict="failed")
    number = made.request("ann", "2")
    card = drawn(made, number, Known(facts(verdict="failed")))
    assert (card.status, card.word) == ("failed", "refused")
    assert card.headline.startswith("Version 2 may not go to Production: verdict: ")
    assert card.headline.endswith("; 2 approvals missing besides")
    (verdict,) = [one for one in remarks(card) if one.sentence.startswith("**verdict**")]
    assert verdict.detail


def test_nothing_missing_names_the_command_that_makes_it() -> None:
    made = ledger()
    number = made.request("ann", "2")
    made.approve(number, "bob", "business", "2")
    made.approve(number, "cem", "compliance", "2")
    card = drawn(made, number)
    assert card.headline == "Version 2 may go to Production: nothing is missing"
    assert any("`mlops request flights --to Production --version 2`" in one.sentence for one in remarks(card))


def test_without_a_champion_figures_stand_beside_their_bounds() -> None:
    made = Ledger().staged(version="2")
    card = drawn(made, made.request("ann", "2"), Known(facts()))
    rows = {row[0]: row[1:4] for row in table(card, "figure (95 % interval)")}
    assert rows["roc_auc"] == ["✓ passed", "≥ 0.6", "0.75 (0.7 to 0.8)"]
    assert [row[0] for row in table(card, "roc_auc (95 % interval)")] == ["origin = EWR", "origin = JFK"]
    assert any("Nothing is in Production" in one.sentence for one in remarks(card))


def test_an_adopted_champion_of_which_nothing_is_known_is_said_to_be_one() -> None:
    made = Ledger()
    made.add("adoption", "ann", "1", to="Production", verdict="unknown", moves=[["1", "None", "Production"]])
    made.staged(version="2")
    lost = Facts("1", gone=("version 1 names no run of a lifecycle",))
    unread = Known(facts(findings=FINDINGS[:1]), lost, untold="the runs of version 1 are not known")
    card = drawn(made, made.request("ann", "2"), unread)
    said = [one.sentence for one in remarks(card)]
    assert "Of the champion: version 1 names no run of a lifecycle (it was adopted as it was)." in said
    assert "The champion could not be compared: the runs of version 1 are not known." in said
    (row,) = table(card, "champion")
    assert row[3:] == ["0.75", "0.73", "–"], "validate had measured it"


def test_runs_that_are_gone_are_said_instead_of_shown() -> None:
    made = ledger()
    seen = evidence(trouble={"metrics": "the run 12345678 is gone"}, metrics="")
    card = drawn(made, made.request("ann", "2"), Known(Facts("2", gone=("the run 12345678 is gone",))), seen=seen)
    said = [one.sentence for one in remarks(card)]
    assert sum("the run 12345678 is gone" in one for one in said) == 1
    assert any("What validate judged cannot be shown" in one for one in said)
    assert card.status == "failed"
    to_html(card)


def test_a_server_that_does_not_know_the_policy_is_named_in_every_form() -> None:
    made = ledger()
    card = drawn(made, made.request("ann", "2"), enforced=False)
    for text in (to_html(card), to_document(card), to_terminal(card)):
        assert "not enforced" in text
    assert "not enforced" not in to_html(drawn(made, made.request("ann", "2")))


def test_a_policy_that_only_watches_says_so() -> None:
    watching = TWO_ROLES.model_copy(update={"mode": "dry_run"})
    made = ledger()
    card = drawn(made, made.request("ann", "2"), policy=watching)
    assert card.headline.startswith("The policy only watches, and would say: version 2 may go to Production once ")
    assert any("Dry run" in one.sentence for one in remarks(card))


@pytest.mark.parametrize(
    ("action", "told"), [("rejection", "was rejected"), ("withdrawal", "was withdrawn"), ("transition", "is done")]
)
def test_a_request_that_has_ended_asks_nobody_for_anything(action: Any, told: str) -> None:
    made = ledger()
    number = made.request("ann", "2")
    made.approve(number, "bob", "business", "2")
    made.add(action, "cem", "2", to="Production", request=number, moves=[])
    card = drawn(made, number)
    assert told in card.headline
    assert not [block for block in card.blocks if isinstance(block, Code)]
    assert table(card, "since then")[0][:3] == ["bob", "business", "the transition"]


def test_a_lapsed_request_is_rejected() -> None:
    made = ledger()
    number = made.request("ann", "2")
    card = drawn(made, number, later=31 * DAY)
    assert (card.word, "has lapsed, which rejects it" in card.headline) == ("lapsed", True)


def test_a_stale_approval_says_what_changed_since() -> None:
    made = ledger()
    number = made.request("ann", "2")
    made.approve(number, "bob", "business", "2", parts={**policy_cases.SEEN, "slices": "older"})
    (row,) = table(drawn(made, number), "since then")
    assert row[6] == "**changed**: the figures by slice"


def test_an_earlier_approval_of_a_requirement_is_shown_as_long_as_it_holds() -> None:
    wording = ApprovalRequirement(approval="compliance", subject="wording")
    made = ledger()
    made.approve(0, "cem", "compliance", "1", subject="wording")
    made.approve(0, "zoe", "compliance", "1", subject="wording", parts={**policy_cases.SEEN, "slices": "older"})
    number = made.request("ann", "2")
    case = made.case(TWO_ROLES, version="2", requirements=(wording,))
    assert [one.actor.name for one in given(case, made.history.requests[number])] == ["cem"]


def test_json_holds_whole_digests_and_no_figure_that_is_not_defined() -> None:
    made = ledger()
    number = made.request("ann", "2")
    made.approve(number, "bob", "business", "2")
    case = made.case(TWO_ROLES, version="2")
    what = known(facts=facts(metrics={"roc_auc": 0.75, "f1": np.nan}))
    card = drawn(made, number, what)
    plain = json.loads(request_json(card, case, decide(case), made.history.requests[number], what))
    assert plain["evidence"]["digest"] == DIGEST
    assert plain["metrics"] == {"roc_auc": 0.75, "f1": None}
    assert plain["approvals"][0] | {"time": 0} == {
        "by": "bob",
        "known_by": "operating-system user, identity not verified",
        "role": "business",
        "subject": "transition",
        "version": "2",
        "time": 0,
        "record": number + 1,
        "evidence": DIGEST,
    }
    assert plain["request"]["state"] == "open"
    assert plain["card"]["headline"] == card.headline


NASTY = "a/b\"<script>alert(1)</script>'`|`航班\x1b[31m"


def test_names_of_every_kind_are_text_in_every_form() -> None:
    held = policy(Production={"approvals": {NASTY: 1}})
    made = Ledger(NASTY).staged(NASTY, version="2")
    number = made.request(NASTY, "2")
    nasty = facts(
        candidate=NASTY,
        features={NASTY: "numeric"},
        slices=(SliceFigure(NASTY, NASTY, 3, "roc_auc", 0.7, None),),
        findings=(Finding(NASTY, "criterion", "failed", reason=NASTY),),
        gone=(NASTY,),
        origin=Origin(NASTY, True, Since(NASTY, NASTY, ((NASTY, 2),))),
    )
    card = drawn(made, number, Known(nasty, facts("1")), policy=held)
    html = to_html(card)
    assert "<script" not in html
    assert "航班" in html
    text = to_terminal(card)
    assert "\x1b" not in text
    document = to_document(card)
    assert "<script" not in document.partition("```")[0]
    assert all(len(counts) == 1 for counts in borders(document)), "a bar in a name is no border of a cell"


def borders(document: str) -> list[set[int]]:
    """How many borders the lines of each table have."""
    tables = [[line for line in part.splitlines() if line.startswith("|")] for part in document.split("\n\n")]
    return [{len(re.findall(r"(?<!\\)\|", line)) for line in lines} for lines in tables if lines]
