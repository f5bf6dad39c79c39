"""One test per kind of bad input, each with the exact line."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from mlops_mlflow.core.errors import UseCaseError
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.parse import parse_use_case
from mlops_mlflow.core.usecase.problems import InvalidUseCase
from mlops_mlflow.core.usecase.success import ApprovalRequirement, MetricRequirement

GOOD = """\
version: 1
use_case: flights
question: Which flights will be late?
owners: {business: a@example.com, technical: b@example.com}
card:
  intended_use: Warn passengers.
target: {column: late, positive: 1}
sources:
  flights: {path: flights.csv}
candidates:
  logistic:
    estimator: sklearn.linear_model.LogisticRegression
    fixed: {tol: 1e-3, penalty: null}
    space: {C: {loguniform: [0.001, 10]}}
success:
  - {metric: roc_auc, at_least: 0.6}
requirements:
  - {metric: latency_p95_ms, at_most: 100}
  - {approval: legal, subject: wording}
event_time: {column: when, zone: Europe/Berlin}
data: {since: 2013-01-01, until: 2013-07-01T06:00}
monitoring:
  window: P7D
retraining: {alarms: 1, of: 2, train_on: PT36H, holdout: P7D, cool_down: P14D}
"""


def changed(*replacements: tuple[str, str]) -> str:
    text = GOOD
    for old, new in replacements:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def problems(*replacements: tuple[str, str]) -> list[tuple[int, str]]:
    with pytest.raises(InvalidUseCase) as caught:
        parse_use_case(changed(*replacements), file="u.yaml")
    return [(place.line, message) for place, message in caught.value.problems]


def the_problem(*replacements: tuple[str, str]) -> tuple[int, str]:
    (found,) = problems(*replacements)
    return found


def test_a_good_file_becomes_a_spec_with_typed_values():
    spec = parse_use_case(GOOD, file="u.yaml")
    assert spec.data.since == datetime(2013, 1, 1)
    assert spec.monitoring.window == timedelta(days=7)
    assert spec.retraining.train_on == timedelta(hours=36)
    assert spec.candidates["logistic"].fixed == {"tol": 0.001, "penalty": None}
    assert spec.candidates["logistic"].space["C"].kind == "loguniform"
    assert [type(each) for each in spec.requirements] == [MetricRequirement, ApprovalRequirement]


def test_a_spec_survives_the_way_through_json():
    spec = parse_use_case(GOOD, file="u.yaml")
    dumped = spec.model_dump(mode="json")
    assert UseCaseSpec.model_validate(dumped) == spec
    assert UseCaseSpec.model_validate(dumped).candidates["logistic"].space["C"].arguments == (0.001, 10.0)
    assert dumped["retraining"]["train_on"] == "P1DT12H"


@pytest.mark.parametrize(
    ("replacements", "line", "said"),
    [
        # keys
        ([("question:", "queston:")], 3, ["`queston` is not a key of the use case", "did you mean `question`?"]),
        ([("business:", "busines:")], 4, ["not a key of `owners`", "`business`", "its keys are business, technical"]),
        ([("card:\n", "choose_by: f1\ncard:\n")], 5, ["it belongs under `evaluation`"]),
        ([("column: late,", "column: late, seed: 3,")], 7, ["it belongs at the top level"]),
        ([("at_most: 100", "at_mots: 100")], 18, ["not a key of `requirements[0]`", "`at_most`", "min_rows"]),
        ([("subject: wording", "subject: w, at_least: 3")], 19, ["not a key of `requirements[1]`", "before"]),
        ([("{C: {loguniform", "{C: {loguniforn")], 14, ["`candidates.logistic.space.C`", "did you mean `loguniform`?"]),
        ([("use_case: flights\n", "")], 1, ["the use case needs `use_case`"]),
        ([(", technical: b@example.com", "")], 4, ["`owners` needs `technical`"]),
        ([("  intended_use: Warn passengers.\n", "  risk: low\n")], 5, ["`card` needs `intended_use`"]),
        ([("subject: wording", "kind: regulatory")], 19, ["`requirements[1]` needs `subject`"]),
        ([("{metric: latency_p95_ms, at_most: 100}", "{at_most: 100}")], 18, ["`requirements[0]` needs `metric`"]),
        # types
        ([("at_least: 0.6", "at_least: high")], 16, ["`success[0].at_least`: expected a number, got `high`"]),
        ([("at_least: 0.6", 'at_least: "0.6"')], 16, ["expected a number", "without quotes"]),
        ([("at_least: 0.6", "at_least: true")], 16, ["expected a number, got true"]),
        ([("at_least: 0.6", "at_least: .nan")], 16, ["expected a number, got `.nan`"]),
        ([("use_case: flights", "use_case: 2013")], 2, ["expected text, got 2013", "in quotes"]),
        ([("use_case: flights", "use_case: true")], 2, ["expected text, got true", "in quotes"]),
        ([("question: Which flights will be late?", "question:")], 3, ["expected text, got nothing", "fill it in"]),
        ([("question: Which flights will be late?", 'question: ""')], 3, ["expected some text"]),
        ([("use_case: flights", "use_case: my flights")], 2, ["letters, digits", "got `my flights`"]),
        ([("  flights: {path", "  my flights: {path")], 9, ["`sources.my flights`", "letters, digits"]),
        ([("version: 1", "version: 2")], 1, ["`version`: expected 1, got 2"]),
        ([("version: 1", "version: 1\nseed: soon")], 2, ["`seed`: expected a whole number, got `soon`"]),
        ([("version: 1", "version: 1\nforbidden: x")], 2, ["`forbidden`: expected a list, got `x`", "brackets"]),
        ([("version: 1", "version: 1\nsplit: {train: 1.5}")], 2, ["`split.train`: expected less than 1, got 1.5"]),
        ([("version: 1", "version: 1\nsplit: {by: tme}")], 2, ["'time'", "'grouped'", "got `tme`"]),
        ([("P14D}", "P14D, refit: yes}")], 24, ["expected true or false, got `yes`", "plain words"]),
        ([("  intended_use: Warn passengers.\n", "")], 5, ["`card`: expected a section with keys (intended_use,"]),
        (
            [("target: {column: late, positive: 1}", "target: late")],
            7,
            ["with keys (column, task, positive), got `late`"],
        ),
        ([("positive: 1", "positive: [1]")], 7, ["`target.positive`: expected true or false or", "got a list of 1"]),
        ([("  - {metric: roc_auc, at_least: 0.6}\n", "  []\n")], 15, ["`success`: expected at least one entry"]),
        ([("sklearn.linear_model.LogisticRegression", "Logistic")], 12, ["an import path such as"]),
        ([("[0.001, 10]", "[0.001]")], 14, ["space.C.loguniform`: expected at least 2 entries, got a list of 1"]),
        ([("[0.001, 10]", "[]")], 14, ["expected at least 2 entries, got a list of 0"]),
        ([("[0.001, 10]", "[1, 2, 3]")], 14, ["expected at most 2 entries, got a list of 3"]),
        ([("{approval: legal, subject: wording}", "legal")], 19, ["`requirements[1]`: expected a section with keys"]),
        ([("version: 1", "version: 1\nfeatures: {module: ../f.py}")], 2, ["`features.module`: expected a Python file"]),
        ([("version: 1", "version: 1\nfeatures: {module: my-f.py}")], 2, ["beside the use case", "got `my-f.py`"]),
        ([("version: 1", "version: 1\nextract: x.txt")], 2, ["`extract`: expected a SQL file", "got `x.txt`"]),
        # durations and times
        ([("window: P7D", "window: 7")], 23, ["ISO 8601 duration", "got 7"]),
        ([("window: P7D", "window: 1 week")], 23, ["ISO 8601 duration", "got `1 week`"]),
        ([("window: P7D", "window: P1M")], 23, ["ISO 8601 duration"]),
        ([("window: P7D", "window: P0D")], 23, ["greater than 0"]),
        ([("window: P7D", "window: P99999999999D")], 23, ["shorter duration"]),
        ([("PT36H", "some")], 24, ["`retraining.train_on`: expected 'all' or an ISO 8601", "got `some`"]),
        ([("since: 2013-01-01", "since: 2013")], 21, ["a date or a time", "got 2013"]),
        ([("since: 2013-01-01", "since: 2013-02-30")], 21, ["a date or a time"]),
        ([("since: 2013-01-01", "since: 2014-01-01")], 21, ["`data`", "`since` must be before `until`"]),
        ([("since: 2013-01-01", "since: 2013-01-01T00:00Z")], 21, ["offset from UTC"]),
        ([("Europe/Berlin", "Berlin")], 20, ["`event_time.zone`: expected an IANA time zone", "got `Berlin`"]),
        # within and between sections
        ([("at_least: 0.6", "at_least: 0.6, at_most: 1")], 16, ["`success[0]`: needs one of"]),
        ([("[0.001, 10]", "[10, 0.001]")], 14, ["`candidates.logistic.space.C`: `loguniform`: low must be below"]),
        ([("{loguniform: [0.001, 10]}", "{}")], 14, ["exactly one distribution, got none"]),
        ([("fixed: {tol:", "fixed: {C:")], 11, ["`candidates.logistic`: `C` stands under both"]),
        ([("{path: flights.csv}", "{path: a, table: b}")], 9, ["`query` and `table` go with `sql`"]),
        ([("alarms: 1", "alarms: 3")], 24, ["`alarms: 3` can never be reached"]),
        ([("version: 1", "version: 1\nsplit: {train: 0.5}")], 2, ["add up to 1"]),
        (
            [("event_time: {column: when, zone: Europe/Berlin}", "split: {by: time}")],
            20,
            ["`split.by`: rows cannot be divided by time without `event_time`"],
        ),
        ([("  flights: {path", "  b: {path: b.csv}\n  flights: {path")], 8, ["`sources`: 2 sources need `extract`"]),
        ([("version: 1", "version: 1\nlabels: {source: x, delay: P1D}")], 2, ["`labels.source`", "flights"]),
        ([("version: 1", "version: 1\nforbidden: [late]")], 2, ["`forbidden`: `late` is the target"]),
        ([("monitoring:\n  window: P7D\n", "")], 22, ["`retraining`: needs `monitoring`"]),
    ],
)
def test_a_mistake_is_told_at_its_line(replacements: list[tuple[str, str]], line: int, said: list[str]):
    found_line, message = the_problem(*replacements)
    assert found_line == line
    for part in said:
        assert part in message


def test_a_section_below_its_key_is_blamed_at_the_key():
    multi = "data:\n  since: 2014-01-01\n  until: 2013-01-01"
    assert the_problem(("data: {since: 2013-01-01, until: 2013-07-01T06:00}", multi))[0] == 21


def test_only_the_meant_kind_of_requirement_speaks():
    found = problems(("{approval: legal, subject: wording}", "{approval: 5, because: wording}"))
    assert len(found) == 3  # `approval` is not text, `because` is unknown, `subject` is missing
    assert all("metric" not in message for _, message in found)


def test_a_misspelt_key_is_not_told_as_missing_too():
    assert problems(("subject: wording", "subjekt: wording"))[0][1].startswith("`subjekt` is not a key")
    assert len(problems(("subject: wording", "subjekt: wording"))) == 1


def test_all_problems_come_at_once_in_the_order_of_the_file():
    found = problems(("version: 1", "version: 3"), ("window: P7D", "window: x"), ("at_least: 0.6", "at_least: x"))
    assert [line for line, _ in found] == [1, 16, 23]


def test_the_text_of_an_error_names_file_line_and_column_of_each_problem():
    with pytest.raises(UseCaseError) as caught:
        parse_use_case(changed(("version: 1", "version: 3"), ("at_least: 0.6", "at_least: x")), file="a/u.yaml")
    lines = str(caught.value).splitlines()
    assert lines[0] == "a/u.yaml: 2 problems"
    assert lines[1].strip().startswith("a/u.yaml:1:10: `version`")
    assert lines[2].strip().startswith("a/u.yaml:16:33: `success[0].at_least`")


def test_one_problem_reads_as_one_line():
    with pytest.raises(UseCaseError) as caught:
        parse_use_case(changed(("version: 1", "version: 3")), file="u.yaml")
    assert str(caught.value) == "u.yaml:1:10: `version`: expected 1, got 3"
    assert caught.value.place.line == 1


def test_the_text_of_an_error_is_bounded_but_its_problems_are_not():
    wrong = "\n".join(f"wrong{number}: 1" for number in range(25))
    with pytest.raises(InvalidUseCase) as caught:
        parse_use_case(GOOD + wrong, file="u.yaml")
    assert len(caught.value.problems) == 25
    assert str(caught.value).splitlines()[-1].strip() == "... and 15 more"
    assert len(str(caught.value).splitlines()) == 12


def test_what_stands_in_a_database_url_is_never_shown():
    line, message = the_problem(("{path: flights.csv}", "{sql: [s3cret], table: t}"))
    assert line == 9
    assert "s3cret" not in message


def test_a_long_value_is_shown_in_part():
    _, message = the_problem(("at_least: 0.6", f"at_least: {'x' * 500}"))
    assert len(message) < 250
