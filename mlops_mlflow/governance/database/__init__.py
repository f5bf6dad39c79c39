"""The registry in MLflow's own database: registry stage, alias, tag and ledger record change in one transaction."""
