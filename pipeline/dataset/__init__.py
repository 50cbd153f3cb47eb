"""Snapshots, labels, and the split by time."""
