"""``python -m mlops_mlflow.cli``, the same as ``mlops``."""

from mlops_mlflow.cli.main import main

main()
