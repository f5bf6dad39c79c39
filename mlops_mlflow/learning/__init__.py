"""scikit-learn and hyperopt: candidates, feature pipelines, search, baselines, thresholds; no MLflow, no logging."""
