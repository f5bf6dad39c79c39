"""The least that any project of MLflow does."""

import mlflow  # noqa: F401  # importing it is all
