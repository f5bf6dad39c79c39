"""Parts of the keys of stages and of searches, without a store."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from builders import spec

from mlops_mlflow.core.keys import changes
from mlops_mlflow.core.usecase.operation import Monitoring
from mlops_mlflow.engines.sql import Bounds
from mlops_mlflow.lifecycle.cache.keys import READS, UPSTREAM, Known, search_key, stage_key
from mlops_mlflow.lifecycle.plan import STAGES
from mlops_mlflow.tracking.writer import LONGEST_PARTS

FOREST = "sklearn.ensemble.RandomForestClassifier"


def known(**changes: Any) -> Known:
    files = {"usecase.yaml": "version: 1", "features.py": "import pandas as pd"}
    modules = {"features.py": "import pandas as pd"}
    return Known(spec(**changes), files, modules, "select 1 as late", str(Bounds()), evidently=False)


def moved(before: Known, after: Known, **given: Any) -> set[str]:
    """Stages whose own key is another, if what they stand on were the same."""
    return {stage for stage in STAGES if stage_key(before, stage, **given) != stage_key(after, stage, **given)}


@pytest.mark.parametrize(
    ("section", "stages"),
    [
        ({"question": "Which?"}, {"design", "validate"}),
        ({"owners": {"business": "x", "technical": "y"}}, {"design", "validate"}),
        ({"success": [{"metric": "roc_auc", "at_least": 0.7}]}, {"design", "validate"}),
        ({"requirements": [{"metric": "latency_p95_ms", "at_most": 5}]}, {"design", "validate"}),
        ({"value": {"true_positive": 5}}, {"design", "evaluate", "validate"}),
        ({"evaluation": {"minimum_rows": 5}}, {"design", "evaluate", "validate"}),
        ({"tuning": {"trials": 3}}, {"design", "train"}),
        ({"tuning": {"early_stop": 3}}, {"design", "train"}),
        ({"candidates": {"forest": {"estimator": FOREST}}}, {"design", "train"}),
        ({"features": {"trusted_types": ["a.B"]}}, {"design", "prepare", "train"}),
        ({"split": {"by": "random", "train": 0.5, "validation": 0.2, "test": 0.3}}, {"design", "prepare"}),
        ({"entity_key": "flight"}, {"design", "explore", "prepare"}),
        ({"target": {"column": "late", "positive": 1}}, {"design", "explore", "prepare"}),
        ({"target": {"column": "very_late"}}, {"design", "extract", "explore", "prepare"}),
        ({"seed": 9}, {"design", "explore", "prepare"}),
        ({"contract": {"quarantine_at_most": 0.3}}, {"design", "extract", "explore"}),
        ({"sources": {"flights": {"path": "others.csv"}}}, {"design", "extract"}),
        ({"sources": {"flights": {"path": "flights.csv", "null_values": ["-"]}}}, {"design", "extract"}),
        ({"governance": {}}, set()),
        ({"forbidden": ["pay"]}, {"design"}),
    ],
    ids=lambda given: ", ".join(sorted(given)),
)
def test_a_section_decides_the_stages_that_read_it(section, stages):
    assert moved(known(), known(**section)) == stages


def test_a_column_that_evaluate_shows_beside_rows_is_in_its_key():
    bounds = [{"metric": "roc_auc", "at_least": 0.6, "by": "carrier"}]
    assert moved(known(), known(success=bounds)) == {"design", "evaluate", "validate"}


def test_what_is_beside_the_use_case_decides():
    before = known()
    assert moved(before, replace(before, sql="select 2 as late")) == {"extract"}
    assert moved(before, replace(before, sql=None)) == {"extract"}
    assert moved(before, replace(before, bounds="since 2024 until 2025")) == {"extract"}
    assert moved(before, replace(before, modules={"features.py": "import numpy as np"})) == {"prepare"}
    assert moved(before, replace(before, modules={"other.py": "import pandas as pd"})) == {"prepare"}
    assert moved(before, replace(before, files={"usecase.yaml": "version:  1"})) == {"design"}
    assert "explore" in moved(before, replace(before, evidently=True))


@pytest.mark.parametrize("stage", sorted(UPSTREAM))
def test_another_result_of_the_stage_before_gives_another_key(stage):
    keys = {stage_key(known(), stage, upstream=upstream).digest for upstream in ("a", "b", "run a")}
    assert len(keys) == 3


def test_another_content_of_a_source_gives_another_key_of_extract():
    one, other, swapped = ({"a": "x", "b": "y"}, {"a": "x", "b": "z"}, {"a": "y", "b": "x"})
    keys = {stage_key(known(), "extract", sources=found).digest for found in (one, other, swapped)}
    assert len(keys) == 3


def test_another_champion_gives_another_key_of_validate():
    keys = {stage_key(known(), "validate", champion=one).digest for one in ("none", "version 1", "version 2")}
    assert len(keys) == 3


def test_keys_of_different_stages_are_different():
    assert len({stage_key(known(), stage).digest for stage in STAGES}) == len(STAGES)


def test_the_same_is_the_same_every_time():
    assert [stage_key(known(), stage) for stage in STAGES] == [stage_key(known(), stage) for stage in STAGES]


def test_what_is_read_are_sections_that_there_are():
    for paths in READS.values():
        for path in paths:
            watched = {"monitoring": Monitoring(window=timedelta(days=7))}
            value: Any = known().spec.model_copy(update=watched)
            for name in path.split("."):
                value = getattr(value, name)


# --- values that look alike ---


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"max_iter": "500"}, {"max_iter": 500}),
        ({"warm_start": "true"}, {"warm_start": True}),
        ({"class_weight": "null"}, {"class_weight": None}),
        ({"class_weight": {0: 1, 1: 5}}, {"class_weight": {"0": 1, "1": 5}}),
        ({"class_weight": {True: 5, False: 1}}, {"class_weight": {"True": 5, "False": 1}}),
        ({"metric.params": {}}, {"metric": {"params": {}}}),
        ({"metric": "{}"}, {"metric": {}}),
        ({"hidden": [1, 2]}, {"hidden": ["1", "2"]}),
    ],
    ids=str,
)
def test_parameters_that_an_estimator_tells_apart_have_different_keys(one, other):
    """The first fails in every trial and is kept as failed; whoever corrects it must not be given that again."""
    first, second = (known(candidates={"c": {"estimator": FOREST, "fixed": fixed}}) for fixed in (one, other))
    assert stage_key(first, "train").digest != stage_key(second, "train").digest
    assert search_key(first, "c", "p").digest != search_key(second, "c", "p").digest


def test_a_positive_outcome_is_told_apart_from_its_text():
    one, other = (known(target={"column": "late", "positive": positive}) for positive in (1, "1"))
    assert stage_key(one, "prepare").digest != stage_key(other, "prepare").digest


def test_choices_keep_their_order_and_types():
    def key(*choice: Any) -> str:
        candidate = {"estimator": FOREST, "space": {"p": {"choice": list(choice)}}}
        return search_key(known(candidates={"c": candidate}), "c", "p").digest

    assert len({key("a", "b"), key("b", "a"), key(1, 2), key("1", "2"), key(True, 2), key(None, 2)}) == 6


# --- searches ---


TWO = {
    "logistic": {"estimator": "sklearn.linear_model.LogisticRegression", "space": {"C": {"uniform": [0, 1]}}},
    "forest": {"estimator": FOREST},
}


def searches(found: Known, upstream: str = "prepared") -> dict[str, str]:
    return {name: search_key(found, name, upstream).digest for name in found.spec.candidates}


def test_candidates_have_searches_of_their_own():
    assert len(set(searches(known(candidates=TWO)).values())) == 2


def test_another_candidate_changes_no_search():
    before = searches(known(candidates=TWO))
    assert searches(known(candidates=TWO | {"third": {"estimator": FOREST}})).items() > before.items()


@pytest.mark.parametrize("tuning", [{"trials": 99}, {"timeout": "PT5S"}, {"early_stop": 5}], ids=str)
def test_how_many_trials_there_are_does_not_change_them(tuning):
    assert searches(known(candidates=TWO, tuning=tuning)) == searches(known(candidates=TWO))


@pytest.mark.parametrize(
    "section",
    [{"tuning": {"metric": "log_loss"}}, {"tuning": {"folds": 4}}, {"tuning": {"algorithm": "random"}}, "upstream"],
    ids=str,
)
def test_what_decides_each_trial_changes_every_search(section):
    before = searches(known(candidates=TWO))
    after = (
        searches(known(candidates=TWO), "other")
        if section == "upstream"
        else searches(known(candidates=TWO, **section))
    )
    assert not set(before.values()) & set(after.values())


def test_prices_change_a_search_only_where_it_is_judged_by_them():
    for metric, same in (("roc_auc", True), ("value_per_row", False)):
        one, other = (
            known(candidates=TWO, tuning={"metric": metric}, value={"true_positive": price}) for price in (5, 6)
        )
        assert (searches(one) == searches(other)) == same
        assert (stage_key(one, "train", upstream="p") == stage_key(other, "train", upstream="p")) == same


def test_the_default_metric_follows_the_task_so_a_declared_one_is_another():
    assert searches(known(candidates=TWO)) != searches(known(candidates=TWO, tuning={"metric": "accuracy"}))


def test_a_name_of_a_candidate_with_a_hyphen_or_that_of_a_section_is_no_trouble():
    names = {"a-b_1": {"estimator": FOREST}, "tuning": {"estimator": FOREST}, "sql": {"estimator": FOREST}}
    assert len(set(searches(known(candidates=names)).values())) == 3


# --- what may not be shown, and what can ---


URLS = [
    "postgresql+psycopg2://me:hunter2@db.example.com/flights",
    "mysql+pymysql://me:hunter2@db/x?password=hunter2",
    "mssql+pyodbc:///?odbc_connect=PWD%3Dhunter2",
    "sqlite:///hunter2",
]


@pytest.mark.parametrize("name", ["db", "sql", "a-sql"])
@pytest.mark.parametrize("url", URLS)
def test_a_secret_in_the_url_of_a_source_is_in_no_part(url, name):
    found = known(sources={name: {"sql": url, "table": "flights"}})
    for stage in STAGES:
        key = stage_key(found, stage, sources={name: "digest"})
        for length in (LONGEST_PARTS, 300, 60):
            assert "hunter2" not in key.to_json(length)
        told = "".join(str(one) for one in changes(stage_key(known(), stage).parts, key.parts))
        assert "hunter2" not in told
        assert "me:" not in told


def test_another_database_is_another_source_all_the_same():
    one, other = (known(sources={"db": {"sql": url, "table": "flights"}}) for url in URLS[:2])
    assert stage_key(one, "extract") != stage_key(other, "extract")


def test_parts_of_a_large_use_case_fit_into_a_tag():
    many = {
        f"candidate-{number}": {
            "estimator": FOREST,
            "fixed": {f"parameter_{one}": "x" * 50 for one in range(10)},
            "space": {f"searched_{one}": {"uniform": [0, 1]} for one in range(10)},
        }
        for number in range(60)
    }
    columns = {f"column_{number}": {"min": 0} for number in range(300)}
    found = known(candidates=many, contract={"columns": columns})
    for stage in STAGES:
        text = stage_key(found, stage).to_json(LONGEST_PARTS)
        assert len(text) <= LONGEST_PARTS
        assert json.loads(text)


def test_python_and_the_libraries_are_named():
    parts = stage_key(known(), "train").parts
    assert parts["python"].startswith("3.")
    assert {"library scikit-learn", "library numpy", "library scipy", "library hyperopt"} <= set(parts)
    assert {"library duckdb", "library pyarrow"} <= set(stage_key(known(), "extract").parts)


def test_the_library_of_a_candidate_decides_its_own_search_alone():
    both = TWO | {"other": {"estimator": "yaml.Loader"}}  # any distribution that train itself does not take
    found = known(candidates=both)
    assert "library PyYAML" in stage_key(found, "train").parts
    assert "library PyYAML" in search_key(found, "other", "p").parts
    assert "library PyYAML" not in search_key(found, "forest", "p").parts


def test_the_libraries_of_the_feature_module_decide_prepare():
    modules = {"features.py": "import yaml\n\ndef derive(t):\n    from PIL import Image\n    return t\n"}
    parts = stage_key(replace(known(), modules=modules), "prepare").parts
    assert "library PyYAML" in parts
    assert any(name.lower() == "library pillow" for name in parts)


def test_a_feature_module_that_is_no_python_has_a_key_too():
    broken = replace(known(), modules={"features.py": "def derive(:"})
    assert stage_key(broken, "prepare") != stage_key(known(), "prepare")


def test_modules_of_the_use_case_itself_are_no_libraries(tmp_path, monkeypatch):
    """Whether Python would find them depends on where somebody works; their text is a part already."""
    modules = {"features.py": "from .clockwork import hours\nimport clockwork", "clockwork.py": "def hours(): ..."}
    found = replace(known(), modules=modules)
    elsewhere = stage_key(found, "prepare")
    (tmp_path / "clockwork.py").write_text("def hours(): ...")
    monkeypatch.syspath_prepend(str(tmp_path))
    from mlops_mlflow.lifecycle.cache import versions

    versions._versions.cache_clear()
    try:
        assert stage_key(found, "prepare") == elsewhere
    finally:
        versions._versions.cache_clear()
