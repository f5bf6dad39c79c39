"""What MLflow loads through entry points: one thin module per group, named after it; nothing heavy at its top."""
