from __future__ import annotations

import time
from datetime import timedelta

import pytest

from mlops_mlflow.core.usecase.candidates import Candidate, Distribution, Tuning
from mlops_mlflow.learning.search import Search, Trial, run_search

SPACE = {"x": Distribution(uniform=(0, 1)), "depth": Distribution(quniform=(1, 9, 1))}


def searched(attempt=lambda params: (params["x"],), space=SPACE, seed=0, higher=True, **tuning):
    begun, ended = [], []
    found = run_search(
        Candidate(estimator="a.B", space=space),
        Tuning(**tuning),
        attempt,
        seed=seed,
        higher_is_better=higher,
        begin=lambda number, params: begun.append((number, params)),
        end=ended.append,
    )
    assert tuple(ended) == found.trials
    assert begun == [(trial.number, trial.params) for trial in found.trials]
    return found


def drawn(trials=40, **distribution):
    found = searched(lambda params: (0.5,), {"p": Distribution(**distribution)}, trials=trials, algorithm="random")
    return [trial.params["p"] for trial in found.trials]


def fails(params):
    raise ValueError("no such thing")


@pytest.mark.parametrize("algorithm", ["tpe", "random", "anneal"])
def test_same_seed_same_trials_and_another_seed_others(algorithm):
    first, again, other = (
        [trial.params for trial in searched(seed=seed, trials=25, algorithm=algorithm).trials] for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert len(first) == 25


@pytest.mark.parametrize("algorithm", ["tpe", "random", "anneal"])
def test_trials_that_fail_do_not_stop_the_others(algorithm):
    def attempt(params):
        return fails(params) if params["x"] > 0.5 else (params["x"],)

    found = searched(attempt, trials=30, algorithm=algorithm)
    failed = [trial for trial in found.trials if trial.error]
    assert len(found.trials) == 30
    assert 0 < len(failed) < 30
    assert {trial.error for trial in failed} == {"ValueError: no such thing"}
    assert found.best(higher_is_better=True).params["x"] <= 0.5


@pytest.mark.parametrize("algorithm", ["tpe", "random", "anneal"])
def test_when_every_trial_fails_all_are_told_and_none_is_best(algorithm):
    found = searched(fails, trials=25, algorithm=algorithm)
    assert [trial.figures for trial in found.trials] == [()] * 25
    assert found.best(higher_is_better=True) is None
    assert not found.truncated


@pytest.mark.parametrize("figures", [(0.9, float("nan")), (float("inf"),)])
def test_a_figure_that_is_not_defined_is_a_failed_trial_with_a_reason(figures):
    found = searched(lambda params: figures, trials=2)
    assert found.best(higher_is_better=True) is None
    assert found.trials[0].error.startswith("the metric is not defined in every fold")
    assert found.trials[0].figures == figures


@pytest.mark.parametrize("higher", [True, False])
def test_the_promising_parameters_are_tried_more(higher):
    found = searched(higher=higher, trials=60)
    late = [trial.params["x"] for trial in found.trials[30:]]
    assert (sum(late) / len(late) > 0.6) == higher
    best = found.best(higher_is_better=higher)
    assert best.mean == (max if higher else min)(trial.mean for trial in found.trials)


def test_the_earliest_of_equals_is_best():
    trials = tuple(Trial(number, {}, (figure,), 0.0) for number, figure in enumerate([0.1, 0.5, 0.5]))
    assert Search(trials, truncated=False).best(higher_is_better=True).number == 1
    assert Search(trials[1:], truncated=False).best(higher_is_better=False).number == 1


def test_mean_is_over_the_folds():
    assert Trial(0, {}, (0.25, 0.75), 0.0).mean == 0.5


def test_without_a_space_there_is_one_trial_without_parameters():
    found = searched(lambda params: (0.7,), space={}, trials=10)
    assert [trial.params for trial in found.trials] == [{}]
    assert not found.truncated
    assert searched(fails, space={}).trials[0].error == "ValueError: no such thing"


def test_it_stops_early_after_so_many_trials_without_a_better_one():
    found = searched(lambda params: (0.5,), trials=20, early_stop=3)
    assert len(found.trials) == 4
    assert not found.truncated


def test_a_better_trial_restarts_the_count():
    figures = iter([0.1, 0.1, 0.2, 0.2, 0.2, 0.2, 0.2])
    found = searched(lambda params: (next(figures),), trials=7, early_stop=2)
    assert len(found.trials) == 5


def test_failures_alone_never_stop_early():
    assert len(searched(fails, trials=6, early_stop=2).trials) == 6


def test_the_time_guard_marks_the_search_as_truncated():
    def slow(params):
        time.sleep(0.03)
        return (0.5,)

    found = searched(slow, trials=500, timeout=timedelta(seconds=0.1))
    assert 1 <= len(found.trials) < 10
    assert found.truncated


def test_even_a_tiny_time_guard_lets_one_trial_run():
    found = searched(trials=5, timeout=timedelta(microseconds=1))
    assert (len(found.trials), found.truncated) == (1, True)


def test_a_time_guard_that_is_not_reached_changes_nothing():
    guarded, free = searched(trials=5, timeout=timedelta(hours=1)), searched(trials=5)
    assert [trial.params for trial in guarded.trials] == [trial.params for trial in free.trials]
    assert not guarded.truncated


def test_what_breaks_outside_a_trial_is_not_swallowed():
    def end(trial):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run_search(
            Candidate(estimator="a.B", space=SPACE),
            Tuning(),
            lambda params: (0.5,),
            seed=0,
            higher_is_better=True,
            begin=lambda number, params: None,
            end=end,
        )


def test_choice_gives_every_option_as_it_stands():
    options = (None, 1, "auto", 2.5, True)
    values = drawn(choice=options)
    assert {repr(value) for value in values} == {repr(option) for option in options}


def test_quniform_gives_whole_numbers_of_the_step_within_its_bounds():
    values = drawn(quniform=(8, 64, 4))
    assert {type(value) for value in values} == {int}
    assert all(value % 4 == 0 and 8 <= value <= 64 for value in values)


@pytest.mark.parametrize("name", ["quniform", "qloguniform"])
def test_steps_that_do_not_meet_the_bounds_never_lead_outside(name):
    values = drawn(trials=80, **{name: (1, 14, 10)})
    assert set(values) <= {1, 10, 14}
    assert 1 in values


def test_a_broken_step_gives_broken_numbers():
    values = drawn(quniform=(0, 1, 0.25))
    assert set(values) <= {0.0, 0.25, 0.5, 0.75, 1.0}
    assert {type(value) for value in values} == {float}


def test_loguniform_keeps_plain_bounds_and_favours_no_order_of_magnitude():
    values = drawn(trials=150, loguniform=(0.001, 10))
    assert all(0.001 <= value <= 10 for value in values)
    assert {type(value) for value in values} == {float}
    assert 45 < sum(value < 0.1 for value in values) < 105


@pytest.mark.parametrize(
    ("distribution", "kind", "low", "high"),
    [
        ({"uniform": (2, 3)}, float, 2, 3),
        ({"qloguniform": (1, 100, 1)}, int, 1, 100),
        ({"randint": (2, 5)}, int, 2, 4),
        ({"uniformint": (2, 4)}, int, 2, 4),
        ({"normal": (100, 1)}, float, 90, 110),
        ({"qnormal": (100, 3, 2)}, int, 80, 120),
        ({"qnormal": (0.5, 0.1, 0.25)}, float, -0.5, 1.5),
        ({"lognormal": (0, 1)}, float, 0, 200),
        ({"qlognormal": (3.5, 0.5, 1)}, int, 1, 400),
    ],
)
def test_every_distribution_draws_its_type_within_its_range(distribution, kind, low, high):
    values = drawn(trials=30, **distribution)
    assert {type(value) for value in values} == {kind}
    assert all(low <= value <= high for value in values)
    assert len(set(values)) > 1


@pytest.mark.parametrize("name", ["randint", "uniformint"])
def test_whether_the_upper_end_is_drawn_is_as_documented(name):
    assert set(drawn(trials=60, **{name: (0, 2)})) == ({0, 1} if name == "randint" else {0, 1, 2})


def test_every_kind_of_distribution_is_tried_here():
    tried = {"choice", "quniform", "qloguniform", "loguniform", "uniform", "randint", "uniformint", "normal"}
    assert tried | {"qnormal", "lognormal", "qlognormal"} == set(Distribution.model_fields)
