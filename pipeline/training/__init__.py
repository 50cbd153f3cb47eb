"""From a dataset to a finished scorecard."""
