"""Scorecards in the service: the disk cache, and those in memory."""
