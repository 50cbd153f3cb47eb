"""The error of this package."""


class ScorecardError(ValueError):
    """A scorecard, or a value that it should score, is not valid."""
