"""The one error of this package."""


class ScorecardError(ValueError):
    """A scorecard, or a value given to one, is not what it has to be."""
