"""The floor: what somebody writes who wants the model and nothing else, with scikit-learn and MLflow directly.

usage: python plain.py FLIGHTS.parquet       (goes to MLFLOW_TRACKING_URI)
"""

from __future__ import annotations

import sys
import warnings

import mlflow
import mlflow.sklearn
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder

NAME = "plain_flights"
CODES = ["carrier", "origin", "dest"]


def main(path: str) -> None:
    """Read, split, fit, evaluate, save, register."""
    table = pd.read_parquet(path)
    table = table.iloc[np.random.default_rng(0).permutation(len(table))]
    first, second = int(0.70 * len(table)), int(0.85 * len(table))
    train, validation, test = table.iloc[:first], table.iloc[first:second], table.iloc[second:]
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    model = make_pipeline(
        ColumnTransformer([("codes", codes, CODES)], remainder="passthrough"),
        HistGradientBoostingClassifier(random_state=0),
    )
    mlflow.set_experiment(NAME)
    with mlflow.start_run():
        model.fit(train.drop(columns="late"), train["late"])
        for part, rows in {"validation": validation, "test": test}.items():
            score = roc_auc_score(rows["late"], model.predict_proba(rows.drop(columns="late"))[:, 1])
            mlflow.log_metric(f"{part}_roc_auc", score)
        if score < 0.6:
            sys.exit(f"refused: roc_auc {score:.3f}")
        example = train.drop(columns="late").head(5)
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            signature=mlflow.models.infer_signature(example, model.predict(example)),
            pip_requirements=["mlflow", "scikit-learn", "pandas"],
            serialization_format="skops",
            skops_trusted_types=["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"],
        )
    client = mlflow.MlflowClient()
    client.create_registered_model(NAME)
    version = client.create_model_version(NAME, logged.model_uri, run_id=logged.run_id, model_id=logged.model_id)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # MLflow's registry stages still work
        client.transition_model_version_stage(NAME, version.version, "Staging")
    sys.stdout.write(f"roc_auc {score:.3f}\n")


if __name__ == "__main__":
    main(sys.argv[1])
