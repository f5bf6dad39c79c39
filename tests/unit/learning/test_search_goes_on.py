"""A search that was interrupted and goes on gives exactly the trials of one that was not."""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import replace
from datetime import timedelta

import pytest

from mlops_mlflow.core.plain import to_plain
from mlops_mlflow.core.usecase.candidates import Candidate, Distribution, Tuning
from mlops_mlflow.learning import search as search_module
from mlops_mlflow.learning.search import Trial, run_search

TRIALS = 30  # more than the 20 that tpe draws at random
SPACE = {
    "x": Distribution(uniform=(0, 1)),
    "c": Distribution(loguniform=(0.001, 10)),
    "depth": Distribution(quniform=(1, 9, 1)),
    "leaf": Distribution(uniformint=(1, 50)),
    "how": Distribution(choice=("gini", 1, None, True, 0.5)),
    "z": Distribution(normal=(0, 1)),
}
ALGORITHMS = ["tpe", "random", "anneal"]


class Interrupted(KeyboardInterrupt):
    """Whoever waits has had enough."""


def figure(params):
    """Some of it fails, as in life."""
    if params["depth"] == 7:
        raise ValueError("7 is not possible")
    if params["how"] is None:
        return (float("nan"), 0.5)
    return (params["x"] - abs(math.log(params["c"])) / 10, params["x"] / params["leaf"] + params["z"] / 3)


def searched(known=None, stop_before=None, attempt=figure, space=SPACE, seed=3, higher=True, **tuning):
    """The search, the numbers of what was tried anew, and trials as they are kept with runs."""
    tried, ended = [], []

    def trying(params):
        if stop_before is not None and len(tried) == stop_before:
            raise Interrupted
        tried.append(params)
        return attempt(params)

    found = None
    with contextlib.suppress(Interrupted):
        found = run_search(
            Candidate(estimator="a.B", space=space),
            Tuning(**{"trials": TRIALS, **tuning}),
            trying,
            seed=seed,
            higher_is_better=higher,
            begin=lambda number, params: None,
            end=ended.append,
            known=known,
        )
    return found, tried, ended


def kept(trials):
    """What a later process finds: finished trials, from the text that their runs carry."""
    found = {}
    for trial in trials:
        if trial.error or not math.isfinite(trial.mean):
            continue
        plain = json.loads(json.dumps(to_plain(trial)))
        found[plain["number"]] = Trial(
            plain["number"], plain["params"], tuple(plain["figures"]), plain["seconds"], kept=True
        )
    return found


def told(trials):
    """What decides; not how long it took, nor who tried it. Texts, since NaN is not equal to itself."""
    return [repr((one.number, one.params, one.figures, one.error)) for one in trials]


@pytest.fixture(scope="module")
def undisturbed():
    return {algorithm: searched(algorithm=algorithm)[0].trials for algorithm in ALGORITHMS}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_search_of_these_tests_has_failures_and_figures(undisturbed, algorithm):
    failed = [trial for trial in undisturbed[algorithm] if trial.error]
    assert 2 <= len(failed) <= TRIALS - 5


@pytest.mark.parametrize("interrupted_after", [0, 1, 2, 5, 19, 20, 21, 25, 29])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_it_goes_on_exactly_where_it_was_interrupted(undisturbed, algorithm, interrupted_after):
    _, tried, ended = searched(stop_before=interrupted_after, algorithm=algorithm)
    assert len(tried) == len(ended) == interrupted_after
    before = kept(ended)
    found, anew, _ = searched(before, algorithm=algorithm)
    assert told(found.trials) == told(undisturbed[algorithm])
    assert len(anew) == TRIALS - len(before), "only what was not known, or had failed, is tried"
    assert [trial.number for trial in found.trials if trial.kept] == sorted(before)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_it_may_be_interrupted_again_and_again(undisturbed, algorithm):
    known, rounds = {}, 0
    while True:
        found, _, ended = searched(known, stop_before=4 + rounds, algorithm=algorithm)
        known |= kept(ended)
        rounds += 1
        if found is not None:
            break
    assert rounds > 2
    assert told(found.trials) == told(undisturbed[algorithm])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("missing", [{0}, {3, 4}, {10}, {28, 29}])
def test_trials_that_were_lost_in_the_middle_are_tried_again(undisturbed, algorithm, missing):
    whole = kept(undisturbed[algorithm])
    known = {number: trial for number, trial in whole.items() if number not in missing}
    found, anew, _ = searched(known, algorithm=algorithm)
    assert told(found.trials) == told(undisturbed[algorithm])
    assert len(anew) == TRIALS - len(known)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("more", [TRIALS + 1, TRIALS + 15])
def test_more_trials_keep_those_before_as_the_beginning(undisturbed, algorithm, more):
    known = kept(undisturbed[algorithm])
    found, anew, _ = searched(known, algorithm=algorithm, trials=more)
    assert told(found.trials[:TRIALS]) == told(undisturbed[algorithm])
    assert told(found.trials) == told(searched(algorithm=algorithm, trials=more)[0].trials)
    assert len(anew) == more - len(known)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_fewer_trials_are_the_beginning_of_more(undisturbed, algorithm):
    found, anew, _ = searched(kept(undisturbed[algorithm]), algorithm=algorithm, trials=12)
    assert told(found.trials) == told(undisturbed[algorithm][:12])
    assert len(anew) == sum(bool(trial.error) for trial in found.trials)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_it_is_the_same_where_less_is_better(algorithm):
    whole = searched(algorithm=algorithm, higher=False)[0].trials
    _, _, ended = searched(algorithm=algorithm, higher=False, stop_before=23)
    assert told(searched(kept(ended), algorithm=algorithm, higher=False)[0].trials) == told(whole)


def test_a_finished_search_tries_nothing_again(undisturbed):
    steady = {"x": SPACE["x"]}
    whole = searched(attempt=lambda params: (params["x"],), space=steady)[0].trials
    found, anew, ended = searched(kept(whole), attempt=lambda params: (params["x"],), space=steady)
    assert anew == []
    assert told(found.trials) == told(whole)
    assert [trial.kept for trial in ended] == [True] * TRIALS


def test_an_early_stop_comes_at_the_same_trial():
    def attempt(params):
        return (params["x"],)

    whole = searched(attempt=attempt, early_stop=6)[0].trials
    assert 7 < len(whole) < TRIALS
    for interrupted_after in (3, len(whole) - 1):
        _, _, ended = searched(attempt=attempt, early_stop=6, stop_before=interrupted_after)
        assert told(searched(kept(ended), attempt=attempt, early_stop=6)[0].trials) == told(whole)


def test_trials_of_another_seed_are_not_taken_for_its_own():
    def attempt(params):
        return (params["x"],)

    other = kept(searched(attempt=attempt, seed=4)[0].trials)
    found, anew, _ = searched(other, attempt=attempt, seed=3)
    assert len(anew) == TRIALS
    assert told(found.trials) == told(searched(attempt=attempt, seed=3)[0].trials)


@pytest.mark.parametrize("param", ["x", "how", "leaf"])
def test_a_trial_with_other_parameters_is_not_believed(undisturbed, param):
    known = kept(undisturbed["tpe"])
    number = sorted(known)[2]
    known[number] = replace(known[number], params={**known[number].params, param: 0.123}, figures=(99.0,))
    found, anew, _ = searched(known)
    assert told(found.trials) == told(undisturbed["tpe"])
    assert len(anew) == TRIALS - len(known) + 1


def test_a_candidate_without_a_space_is_not_tried_again():
    known = kept(searched(attempt=lambda params: (0.7,), space={})[0].trials)
    found, anew, _ = searched(known, attempt=lambda params: (0.1,), space={})
    assert anew == []
    assert found.trials[0].figures == (0.7,)


def test_a_search_that_the_time_guard_cuts_again_and_again_comes_to_its_end(monkeypatch):
    """Each of a hundred calls has time for three trials; what is known costs nothing."""
    now = [0.0]
    monkeypatch.setattr(search_module.time, "perf_counter", lambda: now[0])

    def slow(params):
        now[0] += 1.0
        return (params["x"],)

    whole = searched(attempt=slow)[0].trials
    known, tried = {}, 0
    for _ in range(100):
        found, anew, _ = searched(known, attempt=slow, timeout=timedelta(seconds=3))
        tried += len(anew)
        known |= kept(found.trials)
        if not found.truncated:
            break
        assert 1 <= len(anew) <= 3
    assert not found.truncated
    assert tried == TRIALS
    assert told(found.trials) == told(whole)
