from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from builders import every_kind, package

from mlops_mlflow.core.errors import CandidateError
from mlops_mlflow.learning.features import FeaturePlan, build_features, fit_features, guess_kind, plan_features

KINDS = {
    "strong": "numeric",
    "weak": "numeric",
    "flag": "boolean",
    "narrow": "categorical",
    "wide": "categorical",
    "story": "text",
    "built": "datetime",
    "met": "datetime",
}
PREPROCESSOR = """
from sklearn.compose import ColumnTransformer
from sklearn.preprocessing import StandardScaler

def preprocessor(kinds):
    numbers = [name for name, kind in kinds.items() if kind == "numeric"]
    return ColumnTransformer([("numbers", StandardScaler(), numbers)])
"""
ENCODINGS = ("one_hot", "trees", "trees_with_gaps")
DERIVE = "def derive(table):\n    return table.assign(twice=2 * table['strong'])\n"


def table(rows=120, seed=0):
    return every_kind(rows, seed).drop(columns="late")


def late(rows=120):
    return every_kind(rows)["late"].to_numpy()


def fitted(
    tmp_path, frame, actual, *, hooks=None, task="binary", kinds=None, event_time="met", encoding="one_hot", seed=0
):
    code = package(tmp_path, hooks)
    plan = plan_features(frame, kinds or {}, code, event_time=event_time)
    features = build_features(plan, code, task, encoding, seed=seed)
    return features, fit_features(features, frame, actual), code


def usable(made, encoding):
    """Whether an estimator of this encoding could take it."""
    return made.dtype == float and not (np.isinf(made) if encoding == "trees_with_gaps" else ~np.isfinite(made)).any()


def test_kinds_are_recognised(tmp_path):
    plan = plan_features(table(), {}, package(tmp_path), event_time="met")
    assert plan.kinds == KINDS
    assert plan.wide == ("wide",)
    assert plan.coded == ("narrow",)
    assert plan.event_time == "met"
    assert plan.columns == tuple(KINDS)


@pytest.mark.parametrize(
    ("values", "dtype", "kind"),
    [
        ([1, 2], "int64", "numeric"),
        ([None, None], "float64", "numeric"),
        ([True, False], "bool", "boolean"),
        ([True, None], "object", "boolean"),
        ([True, None], "boolean", "boolean"),
        ([None, None], "object", "categorical"),
        ([], "object", "categorical"),
        (["a", "b"], "object", "categorical"),
        (["a", "b"], "category", "categorical"),
        (["the cat sat down", "a dog ran away fast"], "object", "text"),
        (["on the other side"] * 9, "object", "categorical"),
        (["2020-01-01"], "datetime64[ns]", "datetime"),
        (["2020-01-01"], "datetime64[ns, UTC]", "datetime"),
    ],
)
def test_kind_of_a_column(values, dtype, kind):
    assert guess_kind(pd.Series(values, dtype=dtype)) == kind


@pytest.mark.parametrize(
    ("rows", "values", "coded"), [(100, 3, True), (100, 4, False), (9_000, 9, True), (8_999, 9, False)]
)
def test_codes_are_for_few_values_and_for_many_rows_of_each(tmp_path, rows, values, coded):
    frame = pd.DataFrame({"town": [f"t{number % values}" for number in range(rows)]})
    assert plan_features(frame, {}, package(tmp_path), event_time=None).coded == (("town",) if coded else ())


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_every_kind_becomes_numbers(tmp_path, task, encoding):
    actual = {"binary": late(), "multiclass": np.arange(120) % 3, "regression": np.linspace(0, 1, 120)}[task]
    features, made, _ = fitted(tmp_path, table(), actual, task=task, encoding=encoding)
    assert usable(made, encoding)
    assert len(made) == 120
    assert usable(features.transform(table(20, seed=5)), encoding)


@pytest.mark.parametrize("labels", [("no", "yes"), (False, True), (0.0, 1.0)])
def test_outcomes_may_be_words_booleans_or_floats(tmp_path, labels):
    actual = np.array(labels)[late()]
    assert np.isfinite(fitted(tmp_path, table(), actual)[1]).all()
    assert np.isfinite(fitted(tmp_path, table(), actual.astype(object))[1]).all()


def test_same_seed_same_features_and_another_seed_others(tmp_path):
    first, again, other = (fitted(tmp_path, table(), late(), seed=seed)[1] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_class_with_a_single_row_does_not_stop_the_encoding_of_wide_columns(tmp_path, encoding):
    actual = np.array(["a"] * 118 + ["b", "c"])
    assert usable(fitted(tmp_path, table(), actual, task="multiclass", encoding=encoding)[1], encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_was_never_seen_is_taken_at_prediction_time(tmp_path, encoding):
    features, made, _ = fitted(tmp_path, table(), late(), encoding=encoding)
    odd = table(3).assign(narrow=["new", "", None], wide="never", story=["", "qqq", None], flag=[None, 1.0, False])
    odd.loc[0, "strong"] = np.inf
    odd["built"] = pd.to_datetime(["2150-01-01", None, "1960-01-01"])
    found = features.transform(odd)
    assert found.shape == (3, made.shape[1])
    assert usable(found, encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", list(KINDS))
def test_a_column_may_be_missing_throughout_at_prediction_time(tmp_path, name, encoding):
    features, _, _ = fitted(tmp_path, table(), late(), encoding=encoding)
    empty = table(5)
    empty[name] = pd.Series([np.nan] * 5, dtype=object if KINDS[name] in ("categorical", "text", "boolean") else None)
    assert usable(features.transform(empty), encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("kind", ["numeric", "boolean", "categorical", "text", "datetime"])
def test_a_column_without_any_value_can_be_fitted(tmp_path, kind, encoding):
    frame = pd.DataFrame({"empty": pd.Series([None] * 30, dtype=object)})
    _, made, _ = fitted(tmp_path, frame, np.arange(30) % 2, kinds={"empty": kind}, event_time=None, encoding=encoding)
    assert usable(made, encoding)
    assert made.shape[1] >= 1


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_column_with_values_only_at_prediction_time_is_taken(tmp_path, encoding):
    frame = pd.DataFrame({"empty": [np.nan] * 30, "x": np.arange(30.0)})
    features, made, _ = fitted(tmp_path, frame, np.arange(30) % 2, event_time=None, encoding=encoding)
    found = features.transform(pd.DataFrame({"empty": [5.0], "x": [1.0]}))
    assert found.shape == (1, made.shape[1])
    assert usable(found, encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("value", [1.0, True, "a", pd.Timestamp("2020-01-01"), "the same few words each time"])
def test_a_constant_column_can_be_fitted(tmp_path, value, encoding):
    frame = pd.DataFrame({"same": [value] * 30})
    _, made, _ = fitted(tmp_path, frame, np.arange(30) % 2, event_time=None, encoding=encoding)
    assert usable(made, encoding)


@pytest.mark.parametrize("texts", [["", "  ", "!?", None], ["a", "b", "c", "d"]])
def test_text_without_words_can_be_fitted(tmp_path, texts):
    frame = pd.DataFrame({"story": texts * 8})
    _, made, _ = fitted(tmp_path, frame, np.arange(32) % 2, kinds={"story": "text"}, event_time=None)
    assert np.isfinite(made).all()


def test_a_text_column_may_have_any_name(tmp_path):
    frame = table().rename(columns={"story": "my__story"})
    assert np.isfinite(fitted(tmp_path, frame, late())[1]).all()


def test_whole_numbers_as_categories_survive_a_missing_value(tmp_path):
    frame = pd.DataFrame({"code": [1, 2, 3] * 20})
    features, _, _ = fitted(tmp_path, frame, np.arange(60) % 2, kinds={"code": "categorical"}, event_time=None)
    whole = features.transform(pd.DataFrame({"code": [1, 2]}))
    broken = features.transform(pd.DataFrame({"code": [1.0, 2.0, np.nan]}))
    np.testing.assert_array_equal(whole, broken[:2])


def test_of_the_event_time_only_the_week_counts(tmp_path):
    frame = table()[["met"]]
    features, made, _ = fitted(tmp_path, frame, late(), event_time="met")
    np.testing.assert_allclose(features.transform(frame + pd.Timedelta(weeks=520)), made, atol=1e-9)
    features, made, _ = fitted(tmp_path, frame, late(), event_time=None)
    assert np.abs(features.transform(frame + pd.Timedelta(weeks=520)) - made).max() > 1


def test_an_event_time_of_texts_is_no_category(tmp_path):
    frame = table()[["met", "weak"]].assign(met=lambda found: found["met"].astype(str))
    plan = plan_features(frame, {}, package(tmp_path), event_time="met")
    assert (plan.kinds["met"], plan.wide) == ("datetime", ())


def test_an_event_time_that_the_model_does_not_take_is_none(tmp_path):
    assert plan_features(table()[["weak"]], {}, package(tmp_path), event_time="met").event_time is None


def test_a_declared_kind_wins_and_must_name_a_column(tmp_path):
    assert plan_features(table(), {"story": "categorical"}, package(tmp_path), event_time=None).kinds["story"] == (
        "categorical"
    )
    with pytest.raises(CandidateError, match="names `stroy`"):
        plan_features(table(), {"stroy": "text"}, package(tmp_path), event_time=None)


@pytest.mark.parametrize("kind", ["numeric", "boolean", "datetime"])
def test_a_declared_kind_by_which_everything_is_missing_is_refused(tmp_path, kind):
    with pytest.raises(CandidateError, match=f"`narrow` is taken as {kind}, but none"):
        plan_features(table(), {"narrow": kind}, package(tmp_path), event_time=None)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("hooks", [None, DERIVE])
def test_a_fitted_pipeline_survives_skops_with_trusted_types_only(tmp_path, hooks, encoding):
    features, _, code = fitted(tmp_path, table(), late(), hooks=hooks, encoding=encoding)
    dumped = skops.io.dumps(features)
    found = skops.io.get_untrusted_types(data=dumped)
    assert {name.partition(".")[0] for name in found} <= {"sklearn", "numpy", "scipy", code.name}
    loaded = skops.io.loads(dumped, trusted=found)
    fresh = table(10, seed=3)
    np.testing.assert_array_equal(loaded.transform(fresh), features.transform(fresh))


@pytest.mark.parametrize("encoding", ["one_hot", "trees_with_gaps"])
def test_a_pipeline_loads_in_a_process_that_does_not_have_this_project(tmp_path, encoding):
    features, _, code = fitted(tmp_path, table(), late(), hooks=DERIVE, encoding=encoding)
    skops.io.dump(features, tmp_path / "features.skops")
    table(5, seed=3).to_parquet(tmp_path / "rows.parquet")
    program = """
import sys
sys.modules["mlops_mlflow"] = None
sys.path.insert(0, sys.argv[1])
import pandas, skops.io
found = skops.io.get_untrusted_types(file=sys.argv[1] + "/features.skops")
loaded = skops.io.load(sys.argv[1] + "/features.skops", trusted=found)
made = loaded.transform(pandas.read_parquet(sys.argv[1] + "/rows.parquet"))
print(repr(made[made == made].sum()))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, code.folder.parent], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    made = features.transform(table(5, seed=3))
    assert done.stdout.strip() == repr(made[~np.isnan(made)].sum())


def test_derive_makes_columns_that_the_model_sees_and_the_dataset_does_not_hold(tmp_path):
    features, made, code = fitted(tmp_path, table()[["strong"]], late(), hooks=DERIVE)
    plan = plan_features(table()[["strong"]], {"twice": "numeric"}, code, event_time=None)
    assert (plan.columns, set(plan.kinds)) == (("strong",), {"strong", "twice"})
    assert features.transform(table(4)[["strong"]]).shape == (4, made.shape[1])


def test_derive_cannot_change_the_table_that_it_is_given(tmp_path):
    frame = table()
    plan_features(
        frame, {}, package(tmp_path, "def derive(t):\n    t['strong'] = 0.0\n    return t\n"), event_time=None
    )
    pd.testing.assert_frame_equal(frame, table())


@pytest.mark.parametrize(
    ("body", "what", "line"),
    [
        ("return table['nothing']", "`derive` fails: KeyError", 2),
        ("return table.head(3)", "same rows, in their order", 0),
        ("return table.sort_values('weak')", "same rows, in their order", 0),
        ("return 3", "same rows, in their order", 0),
        ("return table.rename(columns={'weak': 'strong'})", "columns with names of their own", 0),
        ("return table.rename(columns={'weak': 7})", "columns with names of their own", 0),
        ("return table[[]]", "columns with names of their own", 0),
    ],
)
def test_a_derive_that_cannot_be_used_is_refused_with_its_place(tmp_path, body, what, line):
    with pytest.raises(CandidateError, match=what) as caught:
        plan_features(table(), {}, package(tmp_path, f"def derive(table):\n    {body}\n"), event_time=None)
    assert (caught.value.place.file, caught.value.place.line) == ("features.py", line)


def test_preprocessor_replaces_the_usual_features(tmp_path):
    _, made, _ = fitted(tmp_path, table()[["weak", "narrow"]], late(), hooks=PREPROCESSOR)
    assert made.shape == (120, 1)


def test_preprocessor_sees_the_columns_of_derive(tmp_path):
    _, made, _ = fitted(tmp_path, table()[["strong", "weak"]], late(), hooks=PREPROCESSOR + DERIVE)
    assert made.shape == (120, 3)


@pytest.mark.parametrize(
    ("body", "what", "line"),
    [
        ("raise RuntimeError('no')", "`preprocessor` fails: RuntimeError: no", 2),
        ("return None", "unfitted scikit-learn transformer", 0),
        ("from sklearn.preprocessing import StandardScaler; return StandardScaler", "unfitted scikit-learn", 0),
    ],
)
def test_a_preprocessor_that_cannot_be_used_is_refused_with_its_place(tmp_path, body, what, line):
    code = package(tmp_path, f"def preprocessor(kinds):\n    {body}\n")
    with pytest.raises(CandidateError, match=what) as caught:
        build_features(FeaturePlan(("weak",), {"weak": "numeric"}), code, "binary", "own", seed=0)
    assert (caught.value.place.file, caught.value.place.line) == ("features.py", line)


def test_features_that_cannot_be_fitted_are_told_as_such(tmp_path):
    hooks = PREPROCESSOR.replace("numbers)]", "['gone'])]")
    with pytest.raises(CandidateError, match="the feature pipeline cannot be fitted: ValueError"):
        fitted(tmp_path, table()[["weak"]], late(), hooks=hooks)


def test_a_derive_that_looks_at_other_rows_is_refused(tmp_path: Path) -> None:
    features = "def derive(table):\n    return table.assign(centred=table['number'] - table['number'].mean())\n"
    frame = pd.DataFrame({"number": np.arange(10.0)})
    with pytest.raises(CandidateError, match="`centred` when the row comes alone"):
        plan_features(frame, {}, package(tmp_path, features), event_time=None)
