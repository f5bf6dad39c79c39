"""Rules and values of the lifecycle: pure, no MLflow, no file or network access, no clock."""
