"""Every rule of the policy by its behaviour, and every sentence that people are shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from policy_cases import DAY, HOUR, SEEN, Ledger, evidence, finding, policy

from mlops_mlflow.core.policy.decide import Decision, decide
from mlops_mlflow.core.policy.document import DEFAULT, Policy
from mlops_mlflow.core.policy.transitions import LEGAL, STAGES, Transition

OPEN = policy()
"""Asks for no approval, so that every other rule can be seen by itself."""


def missing(decision: Decision) -> list[str]:
    return [one.rule for one in decision.missing]


# The table of transitions


@pytest.mark.parametrize(("begin", "to"), [(a, b) for a in STAGES for b in STAGES if (a, b) not in LEGAL])
def test_whatever_is_not_in_the_table_is_refused_with_the_legal_ways_named(begin: str, to: str) -> None:
    transition = Transition("flights", "1", begin, to)

    assert not transition.is_legal
    for way in transition.legal_ways.split("; "):
        assert "->" in way or way.endswith("none")


def test_a_transition_that_is_not_in_the_table_is_final_and_tells_nothing_else() -> None:
    ledger = Ledger()
    ledger.register()

    decision = ledger.decide(OPEN)

    assert not decision.allowed
    (only,) = decision.findings
    assert only.final
    assert only.reason == (
        "None -> Production is not one of the transitions (from here: None -> Staging; "
        "to there: Staging -> Production, Archived -> Production)"
    )
    assert only.todo == "ask for one of the legal ways"


def test_rules_for_another_registry_stage_cannot_decide() -> None:
    case = Ledger().staged().case(OPEN)

    with pytest.raises(ValueError, match="rules for Production cannot decide about flights version 1"):
        replace(case, transition=Transition("flights", "1", "None", "Staging"))


# Model files


def test_a_version_that_no_lifecycle_registered_is_refused_since_nothing_is_known_of_it() -> None:
    ledger = Ledger()
    ledger.move("Staging")

    found = finding(ledger.decide(OPEN), "intact model")

    assert (found.outcome, found.final) == ("missing", False)
    assert "not registered by a lifecycle" in found.reason
    assert "`mlops adopt`" in found.todo


def test_changed_model_files_are_final() -> None:
    found = finding(Ledger().staged().decide(OPEN, seen=evidence(model="forged")), "intact model")

    assert (found.outcome, found.final) == ("missing", True)
    assert found.reason == "the model's files are not those that were registered"


def test_model_files_that_cannot_be_read_are_final_and_say_why() -> None:
    seen = evidence(model="", trouble={"model": "model.skops is gone"})

    found = finding(Ledger().staged().decide(OPEN, seen=seen), "intact model")

    assert (found.outcome, found.reason, found.final) == ("missing", "model.skops is gone", True)


def test_model_files_that_were_not_read_at_registration_either_are_not_intact() -> None:
    ledger = Ledger().staged(parts={"model": ""})

    assert finding(ledger.decide(OPEN, seen=evidence(model="")), "intact model").outcome == "missing"


# The verdict


@pytest.mark.parametrize("verdict", ["failed", "unknown"])
def test_what_did_not_pass_validate_may_not_go_on(verdict: str) -> None:
    ledger = Ledger()
    ledger.register(verdict=verdict)

    found = finding(ledger.decide(OPEN, "Staging"), "verdict")

    assert (found.outcome, found.reason) == ("missing", f"validate said `{verdict}`")


def test_a_policy_may_let_any_verdict_pass() -> None:
    ledger = Ledger()
    ledger.register(verdict="failed")

    assert ledger.decide(policy(Staging={"verdict": "any"}), "Staging").allowed


def test_a_verdict_is_stale_once_it_is_older_than_the_policy_allows() -> None:
    ledger = Ledger().staged()  # judged two hours ago
    rules = policy(Production={"verdict_age": "PT3H"})

    assert ledger.decide(rules, later=HOUR).allowed
    late = ledger.decide(rules, later=HOUR + 1)
    assert missing(late) == ["fresh verdict"]
    assert late.missing[0].reason == "3 hours old, 3 hours are allowed"
    assert "--force validate" in late.missing[0].todo


def test_a_verdict_of_unknown_age_is_not_fresh() -> None:
    ledger = Ledger()
    ledger.add("registration", "ann", verdict="passed", parts=SEEN)

    decision = ledger.decide(policy(Staging={"verdict_age": "P1D"}), "Staging")

    assert decision.missing[0].reason == "of an unknown age"


def test_a_verdict_is_stale_once_there_is_another_champion() -> None:
    decision = Ledger().staged().decide(OPEN, seen=evidence(champion="version 5"))

    assert missing(decision) == ["fresh verdict"]
    assert decision.missing[0].reason == "the champion that it was compared with is another one now"


def test_where_any_verdict_passes_another_champion_does_not_matter() -> None:
    rules = policy(Production={"verdict": "any"})

    assert Ledger().staged().decide(rules, seen=evidence(champion="version 5")).allowed


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("metrics", "the metrics on test rows"),
        ("slices", "the figures by slice"),
        ("data", "the data that it was trained and judged on"),
        ("card", "what the model card says"),
    ],
)
def test_what_validate_judged_has_to_be_as_it_was(part: str, words: str) -> None:
    decision = Ledger().staged().decide(OPEN, seen=evidence(**{part: "other"}))

    assert missing(decision) == ["evidence as registered"]
    assert decision.missing[0].reason == f"{words}: not what it was at registration"


def test_evidence_that_cannot_be_read_says_why() -> None:
    seen = evidence(metrics="", trouble={"metrics": "the run of validate was deleted"})

    assert Ledger().staged().decide(OPEN, seen=seen).missing[0].reason == "the run of validate was deleted"


@pytest.mark.parametrize("part", ["policy", "use_case"])
def test_a_changed_policy_or_use_case_alone_does_not_ask_for_a_new_verdict(part: str) -> None:
    assert Ledger().staged().decide(OPEN, seen=evidence(**{part: "other"})).allowed


# Time in Staging


def test_a_version_waits_in_staging_as_long_as_the_policy_says() -> None:
    ledger = Ledger().staged()  # there since an hour
    rules = policy(Production={"minimum_staging": "P1D"})

    early = ledger.decide(rules, later=23 * HOUR - 1)
    assert missing(early) == ["time in Staging"]
    assert early.missing[0].reason == "23 hours of 1 day"
    assert early.missing[0].todo == "wait until 2023-11-15 23:13 UTC"
    assert ledger.decide(rules, later=23 * HOUR).allowed


def test_the_wait_begins_anew_when_a_version_comes_back_to_staging() -> None:
    ledger = Ledger().staged()
    ledger.now += 9 * DAY
    ledger.move("Archived")
    ledger.move("Staging")

    assert missing(ledger.decide(policy(Production={"minimum_staging": "P1D"}))) == ["time in Staging"]


def test_nobody_has_to_wait_for_staging_itself() -> None:
    ledger = Ledger()
    ledger.register()

    assert ledger.decide(policy(Production={"minimum_staging": "P9D"}), "Staging").allowed


# The archive


def test_the_archive_asks_for_no_verdict_and_no_intact_files() -> None:
    ledger = Ledger()
    ledger.move("Staging")

    assert ledger.decide(OPEN, "Archived", seen=evidence(model="forged")).allowed


def test_the_archive_asks_for_the_approvals_that_its_rules_name() -> None:
    rules = policy(Archived={"approvals": {"business": 1}})
    ledger = Ledger().staged()

    assert missing(ledger.decide(rules, "Archived")) == ["approval as business"]

    ledger.approve(ledger.request(to="Archived"), "bob", "business", parts={})
    assert ledger.decide(rules, "Archived", seen=evidence(model="forged")).allowed


# Rollback


def in_production_before(**details: Any) -> Ledger:
    """Version 1 was in Production, and version 2 is."""
    ledger = Ledger().staged()
    ledger.move("Production", **details)
    ledger.staged(version="2")
    ledger.move("Production", "2")
    return ledger


def test_a_rollback_needs_no_approval_and_no_fresh_verdict() -> None:
    seen = evidence(champion="version 2", metrics="other", data="other")

    decision = in_production_before().decide(DEFAULT, seen=seen, later=400 * DAY)

    assert decision.allowed
    assert finding(decision, "rollback").reason == "it was in Production before, by an allowed transition"


def test_a_rollback_needs_intact_model_files() -> None:
    assert missing(in_production_before().decide(DEFAULT, seen=evidence(model="forged"))) == ["intact model"]


def test_a_rollback_to_what_was_never_in_production_is_final() -> None:
    ledger = Ledger().staged()
    ledger.move("Archived")
    ledger.override("bob")

    decision = ledger.decide(BREAKABLE)

    assert missing(decision) == ["rollback"]
    assert decision.missing[0].final
    assert decision.missing[0].todo == "bring it to Staging and ask for Production"


def test_a_rollback_is_for_the_roles_that_the_policy_names() -> None:
    rules = policy(roles={"oncall": {"members": ["olga"]}}, rollback=["oncall"])
    ledger = in_production_before()

    assert ledger.decide(rules, by="olga").allowed
    refused = ledger.decide(rules, by="zoe")
    assert refused.missing[0].reason == "zoe is not oncall"
    assert refused.missing[0].todo == "ask somebody who is oncall"


def test_a_rollback_to_what_went_past_the_rules_is_refused_until_somebody_else_reviewed_that() -> None:
    ledger = Ledger().staged()
    glass = ledger.override("bob")
    ledger.move("Production", override=glass)
    ledger.staged(version="2")
    ledger.move("Production", "2")

    refused = ledger.decide(BREAKABLE)
    assert missing(refused) == ["rollback"]
    assert "past the rules" in refused.missing[0].reason
    assert not refused.missing[0].final

    ledger.add("review", "bob", override=glass)
    assert not ledger.decide(BREAKABLE).allowed

    ledger.add("review", "eve", override=glass)
    assert ledger.decide(BREAKABLE).allowed


def test_a_rollback_to_what_a_watching_policy_let_through_is_refused_once_it_enforces() -> None:
    ledger = in_production_before(findings=[{"rule": "verdict", "outcome": "missing"}])

    assert missing(ledger.decide(OPEN)) == ["rollback"]
    assert ledger.decide(policy(mode="dry_run")).allowed


def test_an_adopted_version_can_be_rolled_back_to() -> None:
    ledger = Ledger()
    ledger.add("adoption", "ann", parts=SEEN, moves=[["1", "None", "Production"]])
    ledger.staged(version="2")
    ledger.move("Production", "2")

    assert ledger.decide(OPEN).allowed


def test_an_overdue_review_does_not_stop_a_rollback() -> None:
    ledger = in_production_before()
    ledger.move("Staging", "1")
    ledger.move("Production", "1", override=ledger.override("bob"))

    assert ledger.decide(BREAKABLE, version="2", later=30 * DAY).allowed


# Overrides


BREAKABLE = policy(
    roles={"oncall": {"members": ["bob", "olga"]}},
    override={"roles": ["oncall"], "life": "P1D", "review_within": "P7D"},
    Production={"approvals": {"business": 1}},
)


def test_a_broken_glass_goes_past_every_rule_and_says_so_in_each() -> None:
    ledger = Ledger().staged()
    glass = ledger.override("bob")

    decision = ledger.decide(BREAKABLE, seen=evidence(metrics="other"))

    assert decision.allowed
    assert decision.override == glass
    overridden = [one for one in decision.findings if one.outcome == "overridden"]
    assert [one.rule for one in overridden] == ["evidence as registered", "approval as business"]
    assert all(one.reason.endswith("; overridden by bob: because") for one in overridden)


def test_a_glass_that_nothing_needed_is_not_used() -> None:
    ledger = Ledger().staged()
    ledger.override("bob")

    assert ledger.decide(policy(override={"roles": ["oncall"]})).override == 0


def test_no_glass_goes_past_changed_model_files() -> None:
    ledger = Ledger().staged()
    ledger.override("bob")

    decision = ledger.decide(BREAKABLE, seen=evidence(model="forged"))

    assert missing(decision) == ["intact model"]
    assert not decision.allowed


def test_no_glass_goes_past_the_table_of_transitions() -> None:
    ledger = Ledger()
    ledger.register()
    ledger.override("bob")

    assert not ledger.decide(BREAKABLE).allowed


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"version": "2"}, "for another version"),
        ({"to": "Staging"}, "for another registry stage"),
        ({"by": "eve"}, "by somebody without the role"),
        ({"life": HOUR}, "no longer alive"),
    ],
)
def test_a_glass_is_for_one_version_and_registry_stage_by_somebody_in_the_role_and_for_a_short_time(
    broken: dict[str, Any], why: str
) -> None:
    ledger = Ledger().staged()
    ledger.override(**{"by": "bob", **broken})

    assert not ledger.decide(BREAKABLE).allowed, why


def test_a_glass_lives_no_longer_than_the_policy_says_now() -> None:
    ledger = Ledger().staged()
    ledger.override("bob", life=30 * DAY)  # broken an hour ago

    assert ledger.decide(BREAKABLE, later=23 * HOUR - 1).allowed
    assert not ledger.decide(BREAKABLE, later=23 * HOUR).allowed


def test_a_glass_counts_for_nothing_where_the_policy_has_no_override() -> None:
    ledger = Ledger().staged()
    ledger.override("bob")

    assert not ledger.decide(policy(Production={"approvals": {"business": 1}})).allowed


def test_a_registry_stage_may_name_its_own_roles_for_overrides() -> None:
    ledger = Ledger().staged()
    ledger.override("bob")
    plain = BREAKABLE.model_dump()

    for own, allowed in ((["head"], False), ([], False), (["oncall"], True), (None, True)):
        plain["Production"]["override_roles"] = own
        plain["unlisted_roles"] = "nobody"
        assert ledger.decide(Policy.model_validate(plain)).allowed is allowed, own


def test_a_glass_is_used_once() -> None:
    ledger = Ledger().staged()
    ledger.move("Production", override=ledger.override("bob"))
    ledger.move("Archived")
    ledger.move("Staging")

    assert not ledger.decide(BREAKABLE).allowed


def test_a_rollback_uses_up_a_glass_too() -> None:
    ledger = Ledger().staged()
    glass = ledger.override("bob")
    ledger.move("Production", action="rollback", override=glass)

    assert ledger.history.glass_breaks[0].used == 3 + 1


def test_an_overdue_review_blocks_the_next_promotion_and_says_who_can_help() -> None:
    ledger = Ledger().staged()
    glass = ledger.override("bob")
    ledger.move("Production", override=glass)
    ledger.staged(version="2")
    ledger.approve(ledger.request(version="2"), "carl", "business", version="2")

    assert ledger.decide(BREAKABLE, version="2", later=6 * DAY).allowed
    blocked = ledger.decide(BREAKABLE, version="2", later=7 * DAY)
    assert missing(blocked) == ["reviews of overrides"]
    assert blocked.missing[0].reason == "override R3 by bob was due for review on 2023-11-22 00:13 UTC"
    assert blocked.missing[0].todo == "somebody else than bob: `mlops review R3 --comment ...`"

    ledger.add("review", "eve", override=glass)
    assert ledger.decide(BREAKABLE, version="2", later=7 * DAY).allowed


def test_a_review_under_another_name_of_the_same_person_is_none() -> None:
    rules = policy(people={"Bob": ["bob", "bob2"], "Eve": ["eve"]}, override={"roles": ["oncall"]})
    ledger = Ledger().staged()
    glass = ledger.override("bob")
    ledger.move("Production", override=glass)
    ledger.staged(version="2")
    ledger.add("review", "bob2", override=glass)

    assert missing(ledger.decide(rules, version="2", later=8 * DAY)) == ["reviews of overrides"]


def test_a_glass_that_was_never_used_needs_no_review() -> None:
    ledger = Ledger().staged()
    ledger.override("bob")

    assert ledger.decide(OPEN, later=30 * DAY).allowed


def test_an_overdue_review_does_not_keep_versions_from_staging() -> None:
    ledger = Ledger().staged()
    ledger.move("Production", override=ledger.override("bob"))
    ledger.register(version="2")

    assert ledger.decide(OPEN, "Staging", "2", later=30 * DAY).allowed


# A policy that only watches


def test_a_dry_run_lets_through_what_it_would_refuse_and_says_so() -> None:
    decision = Ledger().staged().decide(policy(mode="dry_run", Production={"approvals": {"business": 1}}))

    assert (decision.dry_run, decision.would_allow, decision.allowed) == (True, False, True)
    assert missing(decision) == ["approval as business"]


def test_a_dry_run_still_stops_illegal_transitions_and_changed_models() -> None:
    watching, ledger = policy(mode="dry_run"), Ledger().staged()

    assert not ledger.decide(watching, seen=evidence(model="forged")).allowed
    assert not ledger.decide(watching, "Staging").allowed


# The default policy


def test_by_default_production_needs_one_approval_by_somebody_who_is_not_the_author() -> None:
    ledger = Ledger().staged("ann")
    number = ledger.request("ann")

    refused = ledger.decide(DEFAULT)
    assert missing(refused) == ["approval by somebody else"]
    assert refused.missing[0].todo == f"anybody but ann: `mlops approve R{number}`"

    ledger.approve(number, "ann")
    assert not ledger.decide(DEFAULT).allowed
    ledger.approve(number, "bob")
    assert ledger.decide(DEFAULT).allowed


def test_by_default_staging_needs_a_passed_verdict_only() -> None:
    ledger = Ledger()
    ledger.register()

    assert ledger.decide(DEFAULT, "Staging").allowed


# Which policy decides


@pytest.mark.parametrize("to", ["Production", "Archived", "None"])
def test_the_default_policy_does_not_take_the_place_of_an_organisations(to: str) -> None:
    ledger = Ledger().staged()
    ledger.add("tag", "ann", policy_name="Clinic models")
    ledger.add("override", "zoe", to=to, expires=ledger.now + DAY, review_due=ledger.now + DAY)

    decision = ledger.decide(DEFAULT.model_copy(update={"mode": "dry_run"}), "Production" if to == "None" else to)

    (found,) = decision.findings
    assert (found.rule, found.outcome, found.final) == ("policy", "missing", True)
    assert found.reason == "the last decision was made under `Clinic models`, and MLOPS_POLICY names no file"
    assert not decision.allowed


def test_an_attempt_that_was_refused_does_not_change_which_policy_decided_last() -> None:
    ledger = Ledger().staged()
    ledger.add("tag", "ann", policy_name="Clinic models")
    ledger.add("refusal", "ann", policy_name=DEFAULT.name)
    ledger.add("alias", "ann")

    assert ledger.history.policy == "Clinic models"
    assert not ledger.decide(DEFAULT).allowed


@pytest.mark.parametrize("before", ["", DEFAULT.name])
def test_the_default_policy_decides_where_no_other_one_did(before: str) -> None:
    ledger = Ledger().staged()
    ledger.add("tag", "ann", policy_name=before)

    assert "policy" not in [one.rule for one in ledger.decide(DEFAULT).findings]


def test_another_policy_with_a_name_may_take_the_place_of_one_and_that_is_told() -> None:
    ledger = Ledger().staged()
    ledger.add("tag", "ann", policy_name="Clinic models")

    decision = ledger.decide(OPEN)

    assert decision.allowed
    assert finding(decision, "policy").reason == "policy changed since: Clinic models -> the bank's policy"


def test_a_request_that_was_asked_under_another_policy_says_so_whatever_was_decided_since() -> None:
    ledger = Ledger().staged()
    ledger.add("request", "ann", to="Production", lapses=ledger.now + DAY, policy_name="Clinic models")
    ledger.add("approval", "bob", subject="transition", request=3, policy_name="the bank's policy")

    assert ledger.case(OPEN).policy_changed == "policy changed since: Clinic models -> the bank's policy"


def test_moves_requests_and_approvals_know_under_which_policy_they_were() -> None:
    ledger = Ledger()
    ledger.register(policy_name="A")
    ledger.move("Staging", policy_name="B")
    number = ledger.add("request", "ann", to="Production", lapses=ledger.now + DAY, policy_name="C")
    ledger.approve(number, "bob", policy_name="D")
    history = ledger.history

    assert history.registrations["1"].policy == "A"
    assert history.moves[-1].policy == "B"
    assert history.requests[number].policy == "C"
    assert history.approvals[0].policy == history.policy == "D"


# What is there already, and what leaves Production without a successor


def test_what_is_there_already_is_told_so() -> None:
    ledger = Ledger().staged()
    ledger.move("Production")

    found = finding(ledger.decide(OPEN), "legal transition")

    assert (found.reason, found.final) == ("it is in Production already", True)


def test_retiring_the_champion_needs_a_reason() -> None:
    ledger = Ledger().staged()
    ledger.move("Production")
    case = ledger.case(OPEN, "Archived")

    assert missing(decide(case)) == ["reason to retire the champion"]
    assert missing(decide(replace(case, reason="  "))) == ["reason to retire the champion"]
    assert decide(replace(case, reason="the product ended")).allowed
    assert Ledger().staged().decide(OPEN, "Archived").allowed


def test_the_comment_of_the_request_is_the_reason() -> None:
    ledger = Ledger().staged()
    ledger.move("Production")
    ledger.request(to="Archived")

    assert ledger.decide(OPEN, "Archived").allowed


def test_the_champion_is_retired_by_one_of_the_people_where_they_are_listed() -> None:
    rules = policy(people={"Bob": ["bob"], "Eve": []})
    ledger = Ledger().staged()
    ledger.move("Production")
    stranger, bob = (replace(ledger.case(rules, "Archived", by=who), reason="it ended") for who in ("mallory", "Bob"))

    (found,) = decide(stranger).missing
    assert (found.rule, found.reason) == (
        "who retires the champion",
        "mallory is none of the people of the bank's policy",
    )
    assert found.todo == "Bob or Eve: `mlops request flights --to Archived --version 1 --comment ...`"
    assert decide(bob).allowed
    ledger.request("bob", to="Archived")
    assert ledger.decide(rules, "Archived", by="mallory").allowed  # which bob asked for
