"""What MLflow's own pages say of a model and its versions."""
