"""The only door to MLflow: the store, the runs, the registry, and the model as MLflow loads it."""
