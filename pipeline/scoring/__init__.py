"""Score a file of leads."""
