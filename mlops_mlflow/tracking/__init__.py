"""MLflow's tracking server: runs, artifacts, models, datasets; the only place that creates runs."""
