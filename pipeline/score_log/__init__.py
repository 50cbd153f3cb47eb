"""The log of scores: one SQLite file that also holds the scorecards."""
