"""What an estimator is given: the feature pipeline that is made where the use case brings none of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from mlops_mlflow.core.usecase.base import Task
from mlops_mlflow.learning.package import CodePackage

if TYPE_CHECKING:
    from mlops_mlflow.learning.features import FeaturePlan

Encoding = Literal["own", "one_hot", "trees", "trees_with_gaps"]
"""``own``: as ``preprocessor`` of the use case has it. ``one_hot``: a column per category, numbers scaled, gaps filled.
``trees``: one number per value, gaps filled. ``trees_with_gaps``: the same, and missing numbers stay missing."""

ONE_HOT_AT_MOST = 30
CODES_AT_MOST = 3
ROWS_PER_CODE = 1_000
"""Trees get categories as codes where there are so few of them, or so many rows of each, that the order of the codes
costs nothing; otherwise the mean outcome of a category tells more than its code does."""
TEXT_TERMS = 200
TERM = r"(?u)\b\w+\b|^\W*$"
TREES = ("sklearn.tree.", "sklearn.ensemble.", "xgboost.", "lightgbm.", "catboost.")


def encoding_for(estimator: Any, package: CodePackage) -> Encoding:
    """The encoding that suits an estimator: that of trees for trees and ensembles of them, otherwise one-hot.

    Trees are the classes of scikit-learn, XGBoost, LightGBM and CatBoost that grow them, and what derives from those;
    an ensemble of estimators of the user's choice is none. Gaps stay where the tag ``allow_nan`` of scikit-learn
    says that the estimator takes them.
    """
    from sklearn.utils import get_tags

    if getattr(package.features, "preprocessor", None):
        return "own"
    grows = any(f"{base.__module__}.".startswith(TREES) for base in type(estimator).__mro__)
    if not grows or {"estimator", "estimators"} & set(estimator.get_params(deep=False)):
        return "one_hot"
    return "trees_with_gaps" if get_tags(estimator).input_tags.allow_nan else "trees"


def encoder(plan: FeaturePlan, package: CodePackage, task: Task, encoding: Encoding, *, seed: int) -> Any:
    """An unfitted transformer from the columns of the plan to an array of floats, shape (rows, features)."""
    from sklearn.compose import ColumnTransformer

    of = {kind: [name for name, found in plan.kinds.items() if found == kind] for kind in set(plan.kinds.values())}
    dates = [name for name in of.get("datetime", []) if name != plan.event_time]
    make = _Steps(package, task, encoding, seed)
    steps = [
        ("numbers", make.scaled("as_numbers"), of.get("numeric", []) + of.get("boolean", [])),
        *make.categories(of.get("categorical", []), plan),
        ("dates", make.scaled("calendar"), dates),
        ("week", make.scaled("time_of_week"), [plan.event_time] if plan.event_time else []),
        *((f"text_{number}", make.terms(), name) for number, name in enumerate(of.get("text", []))),
    ]
    return ColumnTransformer([step for step in steps if step[2]], sparse_threshold=0.0)


class _Steps:
    """Unfitted steps of a pipeline, each from columns of one kind to numbers."""

    def __init__(self, package: CodePackage, task: Task, encoding: Encoding, seed: int) -> None:
        self._conversions = package.columns
        self._task, self._encoding, self._seed = task, encoding, seed

    def scaled(self, conversion: str) -> Any:
        """Numbers. Trees get them scaled, too: many count in float32, which has few digits for what is far from 0."""
        from sklearn.impute import SimpleImputer
        from sklearn.preprocessing import StandardScaler

        # A column may be empty in one fold and not in the next.
        imputer = SimpleImputer(add_indicator=True, keep_empty_features=True)
        gaps = self._encoding == "trees_with_gaps"
        return self._converted(conversion, *([] if gaps else [imputer]), StandardScaler())

    def categories(self, names: list[str], plan: FeaturePlan) -> list[tuple[str, Any, list[str]]]:
        """Missing is a category of its own, and one that was never seen is taken as such."""
        from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

        if self._encoding == "one_hot":
            narrow = [name for name in names if name not in plan.wide]
            spread = OneHotEncoder(
                handle_unknown="infrequent_if_exist", max_categories=ONE_HOT_AT_MOST, sparse_output=False
            )
            by_target = self._converted("as_categories", self._by_target(), StandardScaler())
            return [("categories", self._converted("as_categories", spread), narrow), ("wide", by_target, [*plan.wide])]
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
        others = [name for name in names if name not in plan.coded]
        return [
            ("codes", self._converted("as_categories", codes), [*plan.coded]),
            ("categories", self._converted("as_categories", self._by_target()), others),
        ]

    def _by_target(self) -> Any:
        """The mean outcome of each category, on train rows as seen from the other folds."""
        from sklearn.model_selection import KFold
        from sklearn.preprocessing import TargetEncoder

        kind = "continuous" if self._task == "regression" else self._task
        return TargetEncoder(target_type=kind, cv=KFold(3, shuffle=True, random_state=self._seed))

    def terms(self) -> Any:
        """Weights of words."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        # Text without a word is a term, too, so that a fold without any text has a vocabulary.
        return self._converted("as_text", TfidfVectorizer(max_features=TEXT_TERMS, token_pattern=TERM))

    def _converted(self, conversion: str, *steps: Any) -> Any:
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import FunctionTransformer

        return make_pipeline(FunctionTransformer(getattr(self._conversions, conversion)), *steps)
