"""The errors a user can mend, each with the exit code that scripts see."""


class LeadscoreError(Exception):
    """An error whose one line says what is wrong and what to do."""

    exit_code = 1


class ConfigError(LeadscoreError):
    """The project's configuration is wrong; the message has one line per mistake."""

    exit_code = 2


class DataError(LeadscoreError):
    """The data is not what the configuration says it is."""

    exit_code = 3


class RefusalError(LeadscoreError):
    """The work could be done, but its result could not be trusted."""

    exit_code = 4


class NotFoundError(LeadscoreError):
    """A lead, a version or an alias does not exist."""

    exit_code = 5


class StoreError(LeadscoreError):
    """The MLflow store cannot be reached, or is not where it says it is."""

    exit_code = 6
