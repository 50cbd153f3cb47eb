"""The honest comparison: scorecards on the same later leads, at the calls a team can make."""
