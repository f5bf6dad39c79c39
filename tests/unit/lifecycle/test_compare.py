"""Models side by side: which rows are fair, how sure a difference is, what is meant by a word."""

from __future__ import annotations

import contextlib
import types
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import builders
import numpy as np
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from mlops_mlflow.cards.page import to_html
from mlops_mlflow.core.bootstrap import Interval
from mlops_mlflow.core.errors import MlopsError, TrackingError
from mlops_mlflow.core.metrics.measure import Predictions, measure
from mlops_mlflow.core.usecase.document import UseCaseSpec
from mlops_mlflow.core.usecase.success import Value
from mlops_mlflow.engines.tables import write_parquet
from mlops_mlflow.learning.kept import Kept
from mlops_mlflow.lifecycle.compare.answer import advice, answer
from mlops_mlflow.lifecycle.compare.card import card
from mlops_mlflow.lifecycle.compare.changes import ABSENT, Changed, Changes, changes
from mlops_mlflow.lifecycle.compare.figures import Compared, Figure, as_logged, compared, in_slices, judged
from mlops_mlflow.lifecycle.compare.find import Finder, Side
from mlops_mlflow.lifecycle.compare.result import Comparison
from mlops_mlflow.lifecycle.compare.rows import Apart, Ground, common_ground
from mlops_mlflow.lifecycle.compare.text import text
from mlops_mlflow.stages.validate.criteria import Measured
from mlops_mlflow.tracking.tracker import Tracker, open_tracker

PRICES = Value(unit="EUR", true_positive=10, false_positive=-2)
BOTH = {"evaluate": "e", "validate": "v"}


def side(label: str = "forest", *, stages: dict[str, str] | None = None, **more: Any) -> Side:
    run = types.SimpleNamespace(info=types.SimpleNamespace(run_id=f"{label}-run", experiment_id="1"))
    return Side(more.pop("name", label), label, run, BOTH if stages is None else stages, **more)


def made(rows: int = 200, *, noise: float = 1.0, seed: int = 1, prices: Value | None = PRICES) -> Predictions:
    """A binary outcome, the same for every seed, and a model that sees it through noise."""
    actual = (np.random.default_rng(0).random(rows) < 0.4).astype(np.int64)
    seen = actual + noise * np.random.default_rng(seed).standard_normal(rows)
    scores = 1 / (1 + np.exp(-4 * (seen - 0.5)))
    decided = (scores >= 0.5).astype(np.int64)
    return Predictions("binary", actual, decided, np.column_stack([1 - scores, scores]), ("no", "yes"), prices)


# ---- Figures ---------------------------------------------------------------------------------------------------------


def test_intervals_are_those_that_validate_gives() -> None:
    left, right, blocks = made(), made(noise=2), np.arange(200) // 10
    (one,) = compared(["roc_auc"], [left, right], blocks, seed=7)
    measured = Measured(left, right, None, "", pd.DataFrame(), blocks, 7, {})
    assert one.figures[0].interval == measured.interval("roc_auc")
    assert one.figures[0].value == measure("roc_auc", left)
    assert one.apart[0].value == measure("roc_auc", left) - measure("roc_auc", right)


def test_the_interval_of_a_difference_is_that_of_the_pair() -> None:
    left = made(noise=3)
    right = replace(left, scores=np.clip(np.asarray(left.scores) + 1e-9, 0, 1))
    (one,) = compared(["roc_auc"], [left, right], np.arange(200), seed=7)
    around, apart = one.figures[0].interval, one.apart[0].interval
    assert around is not None
    assert around.high - around.low > 0.05
    assert apart is not None
    assert apart.high - apart.low < 0.005, "both models see the same draws"


def test_every_other_side_is_held_against_the_first() -> None:
    sides = [made(noise=noise) for noise in (0.5, 2, 5)]
    (one,) = compared(["accuracy"], sides, np.arange(200), seed=1)
    values = [figure.value for figure in one.figures]
    assert [apart.value for apart in one.apart] == [values[0] - values[1], values[0] - values[2]]


def test_too_few_blocks_give_figures_without_intervals() -> None:
    (one,) = compared(["roc_auc"], [made(), made(seed=2)], np.zeros(200, dtype=np.int64), seed=1)
    assert {figure.interval for figure in (*one.figures, *one.apart)} == {None}


@pytest.mark.parametrize(
    ("metric", "apart", "outcome"),
    [
        ("roc_auc", Figure(0.1, Interval(0.05, 0.2, 9)), "better"),
        ("roc_auc", Figure(-0.1, Interval(-0.2, -0.05, 9)), "worse"),
        ("rmse", Figure(0.1, Interval(0.05, 0.2, 9)), "worse"),
        ("rmse", Figure(-0.1, Interval(-0.2, -0.05, 9)), "better"),
        ("rmse", Figure(-0.1, Interval(-0.2, 0.05, 9)), "unclear"),
        ("rmse", Figure(-0.1), "unclear"),
        ("rmse", Figure(0.0, Interval(0, 0, 9)), "equal"),
        ("roc_auc", Figure(float("nan")), "unknown"),
    ],
)
def test_a_difference_is_sure_where_its_interval_leaves_zero_out(metric: str, apart: Figure, outcome: str) -> None:
    assert judged(metric, apart) == outcome


def test_slices_are_measured_on_their_own_rows() -> None:
    left, right = made(), made(noise=2)
    column = pd.Series(["a"] * 150 + ["b"] * 45 + ["c"] * 5, name="plan")
    found = in_slices(["accuracy"], [left, right], column, 20, np.arange(200), seed=1)
    assert [(one.column, one.value, one.rows) for one in found] == [("plan", "a", 150), ("plan", "b", 45)]
    assert found[1].compared.figures[1].value == measure("accuracy", right.take(np.arange(150, 195)))


def test_logged_figures_have_differences_only_of_the_same_rows() -> None:
    logged = [{"rmse": 2.0, "rmse_low": 1.0, "rmse_high": 3.0}, {"rmse": 5.0}]
    (one,) = as_logged(["rmse", "mae"], logged, same_rows=False)
    assert one == Compared("rmse", (Figure(2.0, Interval(1.0, 3.0, 0)), Figure(5.0)))
    assert as_logged(["rmse"], logged, same_rows=True)[0].apart == (Figure(-3.0),)


# ---- Rows ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Left:
    """What a side left behind, made up."""

    side: Side
    kept: Kept | None = None
    champion: Kept | None = None
    digest: str = "same"
    dataset: Path | None = None
    why: str = ""
    spec: UseCaseSpec = field(default_factory=lambda: builders.spec(entity_key="key"))

    @property
    def data(self) -> tuple[str, int]:
        return self.digest, 1000

    def own(self, part: str) -> Kept | None:
        return self.kept

    def of_champion(self, version: str | None) -> Kept | None:
        return self.champion if version and self.champion and self.champion.name == version else None

    def silent(self, part: str) -> str:
        return self.why


def left(label: str, rows: Any, predictions: Predictions | None = None, **more: Any) -> Any:
    predictions = made(len(rows)) if predictions is None else predictions
    return Left(side(label), Kept("chosen", label, np.asarray(rows), predictions), **more)


def test_the_same_test_rows_of_the_same_data_are_common_ground() -> None:
    first, other = made(150), made(150, noise=3)
    ground = common_ground([left("a", range(850, 1000), first), left("b", range(850, 1000), other)])
    assert isinstance(ground, Ground)
    assert (ground.part, ground.told, ground.notes) == ("test", "on the same 150 test rows", ())
    assert np.array_equal(ground.numbers, np.arange(850, 1000))
    assert np.array_equal(ground.made[1].decided, other.decided)


def test_only_rows_that_both_were_judged_on_are_compared_and_their_number_is_told() -> None:
    whole = made(300)
    one = left("a", np.arange(0, 250), whole.take(np.arange(250)))
    other = left("b", np.arange(100, 300)[::-1], whole.take(np.arange(100, 300)[::-1]))
    ground = common_ground([one, other])
    assert isinstance(ground, Ground)
    assert np.array_equal(ground.numbers, np.arange(100, 250)), "in the order of the first"
    assert np.array_equal(ground.made[0].actual, whole.actual[100:250])
    assert np.array_equal(ground.made[1].decided, whole.decided[100:250]), "brought into that order"
    assert "150 in common, of 250 of a and 200 of b" in ground.notes[0]


def test_too_few_common_rows_are_no_ground_and_both_counts_are_told() -> None:
    apart = common_ground([left("a", range(200)), left("b", range(150, 350))])
    assert isinstance(apart, Apart)
    assert "of 200 and 200 only 50 are common, and 100 are needed" in apart.reason
    assert "same data and the same split" in apart.hint


def test_a_small_test_set_that_is_the_same_is_enough() -> None:
    assert isinstance(common_ground([left("a", range(30)), left("b", range(30))]), Ground)


def test_rows_of_other_data_are_found_by_their_key(tmp_path: Path) -> None:
    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    keys = [f"C{number:03}" for number in range(120)]
    write_parquet(pd.DataFrame({"key": keys, "x": range(120)}), old)
    write_parquet(pd.DataFrame({"key": keys[::-1], "x": range(120), "added": 1.5}), new)
    whole = made(120)
    one = left("a", np.arange(120), whole, digest="new", dataset=new)
    other = left("b", np.arange(120), whole.take(np.arange(120)[::-1]), digest="old", dataset=old)
    ground = common_ground([one, other])
    assert isinstance(ground, Ground)
    assert np.array_equal(ground.made[1].decided, whole.decided)


def test_rows_without_a_key_are_found_by_what_all_data_has_of_them(tmp_path: Path) -> None:
    old, new = tmp_path / "old.parquet", tmp_path / "new.parquet"
    values = np.r_[np.arange(118), 7, 7]  # 7 stands three times, so nobody can tell which of them is which
    write_parquet(pd.DataFrame({"x": values}), old)
    write_parquet(pd.DataFrame({"x": values, "added": 1.5}), new)
    spec = builders.spec()
    whole = made(120)
    sides = [
        left(label, np.arange(120), whole, digest=label, dataset=file, spec=spec)
        for label, file in (("a", new), ("b", old))
    ]
    ground = common_ground(sides)
    assert isinstance(ground, Ground)
    assert sorted(ground.numbers) == [number for number in range(118) if number != 7]


def test_other_outcomes_of_the_same_rows_are_no_ground() -> None:
    flipped = made(150)
    flipped = replace(flipped, actual=1 - flipped.actual)
    apart = common_ground([left("a", range(150)), left("b", range(150), flipped)])
    assert isinstance(apart, Apart)
    assert "the outcome of 150 common rows is not the same" in apart.reason


def test_models_of_other_classes_are_no_ground() -> None:
    other = replace(made(150), classes=("no", "maybe"))
    apart = common_ground([left("a", range(150)), left("b", range(150), other)])
    assert isinstance(apart, Apart)
    assert "do not predict the same" in apart.reason


def test_data_that_is_gone_leaves_unknown_which_rows_are_the_same() -> None:
    apart = common_ground([left("a", range(150), digest="new"), left("b", range(150), digest="old")])
    assert isinstance(apart, Apart)
    assert "cannot be told" in apart.reason


def test_what_validate_asked_the_champion_counts_where_it_never_saw_these_rows_otherwise() -> None:
    own, asked = made(200), made(120, noise=4)
    fresh = np.arange(80, 200)
    champion = Kept("champion", "3", 500 + fresh, replace(asked, actual=own.actual[fresh]))
    one = left("new", np.arange(500, 700), own, champion=champion)
    other = Left(side("version 3", version="3"), None, why="its files are gone")
    for sides, place in (([one, other], 1), ([other, one], 0)):
        ground = common_ground(sides)  # type: ignore[arg-type]  # made up
        assert isinstance(ground, Ground)
        assert ground.told == "on the same 120 test rows"
        assert np.array_equal(ground.made[place].decided, asked.decided)
        assert np.array_equal(ground.made[1 - place].decided, own.decided[fresh])
        assert "80 test rows of new are left out" in ground.notes[0]


def test_missing_predictions_are_told_with_the_reason() -> None:
    apart = common_ground([left("a", range(150)), left("b", range(150), why="the files of validate v are gone")])
    assert isinstance(apart, Apart)
    assert "b: the files of validate v are gone" in apart.reason


def test_a_choice_and_a_candidate_meet_on_validation_rows() -> None:
    candidate = replace(left("b", range(150)), side=side("b", stages={"evaluate": "e"}, is_choice=False))
    ground = common_ground([left("a", range(150)), candidate])
    assert isinstance(ground, Ground)
    assert ground.part == "validation"


def test_rows_are_worth_the_same_whoever_decides() -> None:
    dear = PRICES.model_copy(update={"true_positive": 1000})
    ground = common_ground([left("a", range(150), made(150)), left("b", range(150), made(150, prices=dear))])
    assert isinstance(ground, Ground)
    assert [one.value for one in ground.made] == [PRICES, PRICES]


# ---- Changes ---------------------------------------------------------------------------------------------------------


def wrote(label: str, **more: Any) -> Any:
    known: dict[str, Any] = {
        "side": side(label),
        "settings": {"seed": 1, "candidates": {label: {"estimator": "sklearn.tree.DecisionTreeClassifier"}}},
        "parameters": {"depth": "3"},
        "features": {"kinds": {"x": "numeric"}},
        "sources": {},
        "data": ("d", 10),
        "threshold": 0.5,
        "key_parts": {},
    }
    return types.SimpleNamespace(**(known | more))


def test_only_what_differs_is_listed_and_the_estimator_always() -> None:
    found = changes([wrote("a", parameters={"depth": "3", "leaf": "5"}), wrote("a", parameters={"depth": "3"})])
    assert found.parameters == (
        Changed("estimator", ("DecisionTreeClassifier", "DecisionTreeClassifier")),
        Changed("leaf", ("5", ABSENT)),
    )
    assert (found.features, found.settings, found.texts, found.code, found.unknown) == ((), (), {}, (), ())


def test_settings_data_features_and_files_are_compared() -> None:
    one = wrote("a", features={"kinds": {"x": "text"}}, sources={"extract.sql": "select 1"}, data=("e", 2000))
    two = wrote("a", settings=one.settings | {"tuning": {"trials": 5}}, sources={"extract.sql": "select 2"})
    found = changes([one, two])
    assert Changed("x", ("text", "numeric")) in found.features
    assert Changed("dataset", ("2,000 rows (e)", "10 rows (d)")) in found.settings
    assert Changed("tuning.trials", (ABSENT, "5")) in found.settings
    assert found.texts["extract.sql"].splitlines()[-2:] == ["-select 2", "+select 1"]


def test_libraries_and_code_are_told_once_from_the_keys_of_stages() -> None:
    old = {"prepare": {"library numpy": "2.3", "python": "3.11"}, "train": {"library numpy": "2.3", "seed": "1"}}
    new = {"prepare": {"library numpy": "2.4", "python": "3.11"}, "train": {"library numpy": "2.4", "seed": "2"}}
    assert changes([wrote("a", key_parts=new), wrote("a", key_parts=old)]).code == (
        Changed("library numpy", ("2.4", "2.3")),
    )


def test_a_side_whose_settings_are_gone_is_named_instead_of_compared() -> None:
    found = changes([wrote("a"), wrote("b", settings={}, data=("", None), sources={}, features={})])
    assert found.unknown == ("b",)
    assert found.settings == ()


def test_passwords_are_not_shown() -> None:
    sql = {"sources": {"x": {"sql": "postgresql://me:secret@host/db"}}}
    found = changes([wrote("a", settings=sql), wrote("a")])
    assert "secret" not in str(found)


# ---- Answer, text and card -------------------------------------------------------------------------------------------

NOTHING = Changes((), (), (), {}, (), ())


def comparison(*apart: Figure, metric: str = "value_per_row", sides: Iterable[Side] = (), **more: Any) -> Comparison:
    labels = ["boosting", "logistic", "ridge"][: len(apart) + 1]
    figures = tuple(Figure(10.0 - place) for place in range(len(labels)))
    told: dict[str, Any] = {
        "spec": builders.spec(value=PRICES.model_dump(exclude_none=True)),
        "sides": tuple(sides) or tuple(map(side, labels)),
        "metric": metric,
        "part": "test",
        "rows": (24_097,) * len(labels),
        "paired": True,
        "exact": True,
        "told": "on the same 24,097 test rows",
        "hint": "",
        "block": "day",
        "metrics": (Compared(metric, figures, apart),),
        "slices": (),
        "changes": NOTHING,
        "notes": (),
    }
    return Comparison(**(told | more))


SURE = Figure(0.21, Interval(0.1, 0.33, 30))
SURE_LOSS = Figure(-0.21, Interval(-0.33, -0.1, 30))
UNSURE = Figure(0.21, Interval(-0.1, 0.5, 30))


def plain(words: str) -> str:
    return words.replace("\u00a0", " ").replace("\u2212", "-")


def test_the_answer_says_which_is_better_by_how_much_and_how_sure() -> None:
    assert plain(answer(comparison(SURE))) == (
        "boosting is better than logistic by 0.21 EUR per row (95 % interval 0.1 to 0.33), on the same 24,097 test rows"
    )


@pytest.mark.parametrize(
    ("metric", "apart", "says"),
    [
        ("value_per_row", SURE_LOSS, "is worse than logistic by 0.21 EUR per row (95 % interval 0.1 to 0.33)"),
        ("rmse", Figure(-3.0, Interval(-5.0, -1.0, 30)), "is better than logistic by 3 rmse (95 % interval 1 to 5)"),
        ("rmse", Figure(3.0, Interval(1.0, 5.0, 30)), "is worse than logistic by 3 rmse (95 % interval 1 to 5)"),
        ("value_per_row", UNSURE, "from logistic: it is better by 0.21 EUR per row (95 % interval -0.1 to 0.5)"),
        ("value_per_row", Figure(0.21), "is better than logistic by 0.21 EUR per row (how surely is not known)"),
        ("value_per_row", Figure(0.0, Interval(0, 0, 9)), "does exactly as well as logistic by value_per_row"),
        ("roc_auc", Figure(float("nan")), "cannot be compared by roc_auc, which is not defined"),
    ],
)  # fmt: skip
def test_the_answer_follows_the_direction_of_the_metric(metric: str, apart: Figure, says: str) -> None:
    assert says in plain(answer(comparison(apart, metric=metric)))


def test_of_several_the_first_is_held_against_the_best_of_the_others() -> None:
    several = comparison(SURE, Figure(2.0, Interval(1.0, 3.0, 30)))
    assert plain(answer(several)).startswith("boosting is the best of 3, better than logistic by 0.21 EUR per row")
    assert "comes first of 3, but cannot be told apart" in answer(comparison(UNSURE, SURE))


def test_without_common_rows_figures_are_told_but_no_difference() -> None:
    apart = Compared("value_per_row", (Figure(10.0), Figure(9.0)))
    one = comparison(SURE, paired=False, exact=False, told="they differ", hint="run again", metrics=(apart,))
    assert plain(answer(one)) == (
        "boosting has value_per_row 10 EUR, logistic 9 EUR; no difference can be told, as they differ"
    )
    assert advice(one) == "run again"


@pytest.mark.parametrize(
    ("apart", "version", "says"),
    [
        (SURE, "4", "let version 4 (Staging) take the place of version 3"),
        (SURE, None, "see what keeps version 3x from being registered"),
        (UNSURE, "4", "keep version 3 in Production: there is no proof yet"),
        (Figure(-1.0, Interval(-2, -0.5, 9)), "4", "keep version 3 in Production"),
    ],
)
def test_the_champion_goes_only_where_the_challenger_is_surely_better(
    apart: Figure, version: str | None, says: str
) -> None:
    sides = (
        side("version 3x", version=version, registry_stage="Staging" if version else ""),
        side("version 3", version="3", registry_stage="Production"),
    )
    assert advice(comparison(apart, sides=sides)).startswith(says)


def test_nobody_is_advised_to_take_a_baseline() -> None:
    assert "better features" in advice(comparison(SURE, sides=(side("baseline", is_baseline=True), side("forest"))))


@pytest.mark.parametrize(
    "one",
    [
        comparison(SURE),
        comparison(SURE, UNSURE),
        comparison(Figure(float("nan")), metric="roc_auc", block=""),
        comparison(
            SURE, paired=False, exact=False, rows=(None, 5), metrics=(Compared("rmse", (Figure(1), Figure(2))),)
        ),
        comparison(SURE, metrics=()),
        comparison(SURE, changes=Changes((Changed("<b>", ("1", "2")),), (), (), {"x.sql": "-a\n+b"}, (), ("b",))),
    ],
)
def test_every_kind_of_comparison_can_be_drawn_and_printed(one: Comparison) -> None:
    page, printed = to_html(card(one, "http://localhost:5000")), text(one)
    assert plain(answer(one)) in plain(printed)
    assert "<b>" not in page.partition("</header>")[2].replace("<b>Compare", "")
    assert "http://localhost:5000/#/experiments/1/runs/boosting-run" in page
    assert all(found.label in printed for found in one.sides)


# ---- What is meant by a word -----------------------------------------------------------------------------------------


@dataclass
class Server:
    """A tracking database with runs that look like those of lifecycles."""

    tracker: Tracker

    @property
    def find(self) -> Finder:
        return Finder(self.tracker, "churn")

    def run(self, kind: str, parent: str | None = None, status: Any = "FINISHED", **tags: str) -> str:
        named = {name.replace("__", "."): value for name, value in tags.items()}
        use_case = named.pop("mlops.use_case", "churn")
        run_id = self.tracker.create_run(kind, {"mlops.kind": kind, "mlops.use_case": use_case, **named}, parent)
        if status != "RUNNING":
            self.tracker.end_run(run_id, status)
        return run_id

    def lifecycle(self, chosen: str = "forest", *, candidates: tuple[str, ...] = ("forest", "logistic")) -> str:
        stages = {
            stage: self.run("stage", mlops__stage=stage, mlops__chosen=chosen) for stage in ("evaluate", "validate")
        }
        self.tracker.client.log_param(stages["evaluate"], "choose_by", "roc_auc")
        for number, name in enumerate([*candidates, "baseline_week", "baseline"]):
            child = self.run("candidate", stages["evaluate"], mlops__candidate=name)
            self.tracker.client.log_metric(child, "roc_auc", 0.9 - number / 10)
        of = {f"mlops.run.{stage}": run for stage, run in stages.items()}
        run_id = self.run("lifecycle", **{name.replace(".", "__"): value for name, value in of.items()})
        self.tracker.client.log_param(run_id, "chosen", chosen)
        return run_id

    def version(self, run_id: str, *, production: bool = False) -> str:
        client = self.tracker.client
        with contextlib.suppress(MlflowException):  # there is one already
            client.create_registered_model("churn")
        made = client.create_model_version("churn", f"runs:/{run_id}/model", run_id=run_id, await_creation_for=0)
        client.set_tag(run_id, "mlops.version", str(made.version))
        if production:
            with pytest.warns(FutureWarning):
                client.transition_model_version_stage("churn", str(made.version), "Production")
        return str(made.version)


@pytest.fixture
def server(tracking_uri: str) -> Server:
    return Server(open_tracker("churn", tracking_uri))


def labels(sides: list[Side]) -> list[str]:
    return [one.label for one in sides]


def test_the_newest_is_held_against_the_champion(server: Server) -> None:
    old = server.lifecycle()
    server.version(old, production=True)
    server.lifecycle()
    new = server.lifecycle("logistic")
    found = server.find.sides([])
    assert labels(found) == [f"logistic (run {new[:8]})", "version 1"]
    assert found[1].registry_stage == "Production"
    assert found[1].run_id == old


def test_without_a_champion_the_newest_is_held_against_the_one_before(server: Server) -> None:
    before, newest = server.lifecycle("logistic"), server.lifecycle()
    assert [one.run_id for one in server.find.sides([])] == [newest, before]


def test_the_champion_itself_is_held_against_the_one_before(server: Server) -> None:
    before, newest = server.lifecycle("logistic"), server.lifecycle()
    server.version(newest, production=True)
    assert [one.run_id for one in server.find.sides([])] == [newest, before]


def test_a_single_lifecycle_shows_its_candidates_with_the_best_baseline(server: Server) -> None:
    server.lifecycle("logistic")
    found = server.find.sides([])
    assert labels(found) == ["logistic", "forest", "baseline_week"]
    assert [one.is_baseline for one in found] == [False, False, True]


def test_a_lifecycle_that_stands_on_the_same_runs_is_no_other_model(server: Server) -> None:
    first = server.lifecycle()
    tags = server.tracker.client.get_run(first).data.tags
    again = server.run("lifecycle", **{n.replace(".", "__"): v for n, v in tags.items() if n.startswith("mlops.run.")})
    server.tracker.client.log_param(again, "chosen", "forest")
    assert labels(server.find.sides([])) == ["forest", "logistic", "baseline_week"]
    with pytest.raises(MlopsError, match="the same model"):
        server.find.sides([first, again])


def test_words_name_lifecycles_stages_candidates_and_versions(server: Server) -> None:
    run_id = server.lifecycle("logistic")
    number = server.version(run_id)
    stages = server.find.side(run_id).stages
    evaluate = stages["evaluate"]
    below = server.tracker.client.search_runs(["1"], f"tags.`mlflow.parentRunId` = '{evaluate}'")
    candidate = next(run.info.run_id for run in below if run.data.tags["mlops.candidate"] == "forest")
    assert server.find.side(run_id[:10].upper()).run_id == run_id
    assert server.find.side(stages["validate"]).stages == stages
    assert set(server.find.side(evaluate).stages) == {"evaluate"}
    assert (server.find.side(candidate).name, server.find.side(candidate).is_choice) == ("forest", False)
    assert server.find.side(number).label == server.find.side(f"version:{number}").label == "version 1"
    assert server.find.side(number).name == "logistic"


@pytest.mark.parametrize("of", ["lifecycle", "validate"])
def test_a_version_that_was_judged_again_stands_on_the_newer_judgement(server: Server, of: str) -> None:
    """Whether a lifecycle registered it, or, as long ago, the run of validate."""
    lifecycle = server.lifecycle()
    before = server.find.side(lifecycle).stages
    number = server.version(lifecycle if of == "lifecycle" else before[of])
    newer = {stage: server.run("stage", mlops__stage=stage) for stage in ("design", "validate")}
    for stage, run_id in newer.items():
        server.tracker.client.set_model_version_tag("churn", number, f"mlops.{stage}_run", run_id)
    assert server.find.side(f"version:{number}").stages == {"evaluate": before["evaluate"], **newer}
    assert server.find.side(lifecycle).stages == before, "the lifecycle itself stays what it was"


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("version:9", "has no version 9"),
        ("version:", "has no version"),
        ("999999999", "no run begins with 999999999"),
        ("nonsense", "names no run"),
        ("", "names no run"),
        ("0" * 32, "could not read the run"),
        ("' or 1=1", "names no run"),
    ],
)
def test_words_that_name_nothing_are_refused(server: Server, word: str, says: str) -> None:
    server.lifecycle()
    with pytest.raises(TrackingError, match=says):
        server.find.sides([word, word])


def test_several_runs_that_begin_alike_are_listed(server: Server) -> None:
    runs = [server.run("trial") for _ in range(17)]  # sixteen first digits
    first = next(digit for digit in "0123456789abcdef" if sum(run.startswith(digit) for run in runs) > 1)
    with pytest.raises(TrackingError, match="several runs begin") as raised:
        server.find.side(first)
    assert "more digits" in str(raised.value)


@pytest.mark.parametrize("status", ["FAILED", "KILLED", "RUNNING"])
def test_a_run_that_did_not_finish_is_refused_with_its_reason(server: Server, status: str) -> None:
    run_id = server.run("lifecycle", status=status, mlops__error="the disk is full\n  do: more")
    with pytest.raises(TrackingError, match="did not finish") as raised:
        server.find.side(run_id)
    assert f"{status}: the disk is full" in str(raised.value)


def test_a_deleted_run_is_refused_with_the_way_back(server: Server) -> None:
    run_id = server.lifecycle()
    server.tracker.client.delete_run(run_id)
    with pytest.raises(TrackingError, match="was deleted") as raised:
        server.find.side(run_id)
    assert "mlflow runs restore" in str(raised.value)


def test_a_run_of_another_use_case_is_refused(server: Server) -> None:
    run_id = server.run("lifecycle", mlops__use_case="flights")
    with pytest.raises(TrackingError, match="not one of churn") as raised:
        server.find.side(run_id)
    assert "flights" in str(raised.value)


@pytest.mark.parametrize(("kind", "stage"), [("stage", "explore"), ("trial", "train")])
def test_a_run_without_a_model_to_judge_is_refused(server: Server, kind: str, stage: str) -> None:
    with pytest.raises(TrackingError, match="cannot be compared") as raised:
        server.find.side(server.run(kind, mlops__stage=stage))
    assert f"a {kind} of {stage}" in str(raised.value)


def test_a_lifecycle_that_chose_nothing_is_refused(server: Server) -> None:
    with pytest.raises(TrackingError, match="chose no model") as raised:
        server.find.side(server.run("lifecycle", mlops__target="train"))
    assert "train" in str(raised.value)


def test_where_nothing_ran_there_is_nothing_to_compare(server: Server) -> None:
    server.run("lifecycle", status="FAILED")
    with pytest.raises(TrackingError, match="nothing to compare"):
        server.find.sides([])
