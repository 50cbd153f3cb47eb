"""The live reader: the signals of one lead, in plain Python, for the service."""

from collections.abc import Mapping

from pipeline.signals.catalog import Catalog
from pipeline.values import Normalised, make_normaliser


class LiveReader:
    """Compute the signals of one lead at a time; build it once per scorecard.

    Parameters
    ----------
    catalog : Catalog
    """

    def __init__(self, catalog: Catalog) -> None:
        self._fields = {field: make_normaliser(catalog.fields[field]) for field in catalog.fields}
        self._signals = [(signal.column, signal.field) for signal in catalog.signals]

    def read_signals(self, profile: Mapping[str, object]) -> dict[str, Normalised]:
        """Read every signal of one lead.

        Parameters
        ----------
        profile : mapping of field name to raw value
            A field that is absent, None or blank is missing; a field that the catalogue does not
            know is ignored.

        Returns
        -------
        dict of str to str, float or None
            By column ``family__name``, one entry per signal.

        Raises
        ------
        ValueError
            If a value does not fit its field's type; the message names the field.
        """
        values: dict[str, Normalised] = {}
        for field, normalise in self._fields.items():
            try:
                values[field] = normalise(profile.get(field))
            except ValueError as error:
                raise ValueError(f"{field}: {error}") from error
        return {column: values[field] for column, field in self._signals}
