"""The live reader: the signals of one lead, in plain Python, for the service."""

from collections.abc import Mapping, Sequence

from pipeline.signals.catalog import Catalog
from pipeline.signals.declarations import ProfileSignal
from pipeline.signals.filters import Filter
from pipeline.signals.measures import Measure, make_measure
from pipeline.signals.seen import Activity, Seen, make_rank
from pipeline.signals.text.readers import find_other_lists, make_text_reader
from pipeline.values import DAY_US, Normalised, make_normaliser


class LiveReader:
    """Compute the signals of one lead at a time; build it once per scorecard.

    Parameters
    ----------
    catalog : Catalog

    Raises
    ------
    ValueError
        If a filter does not fit the properties of the catalogue, or texts were read by other lists
        of words when it was made.
    """

    def __init__(self, catalog: Catalog) -> None:
        other = find_other_lists(catalog)
        if other:
            raise ValueError(f"texts were read by other lists of {', '.join(other)} in training")
        self._fields = {field: make_normaliser(catalog.fields[field]) for field in catalog.fields}
        self._columns = catalog.columns
        self._profile = [
            (signal.column, signal.inputs[0])
            for signal in catalog.signals
            if isinstance(signal.declaration, ProfileSignal)
        ]
        self._texts = [
            (signal.column, make_text_reader(declared))
            for signal, declared in catalog.text_signals()
        ]
        self._age = [s.column for s in catalog.signals if s.declaration.kind == "lead_age"]
        self._rank = make_rank(tuple(catalog.properties))
        self._filters: list[Filter] = []
        self._measures: list[tuple[str, Measure]] = []
        for signal, declared in catalog.activity_signals():
            measure = make_measure(declared, catalog, self._filters)
            self._measures.append((signal.column, measure))

    def read_signals(
        self,
        profile: Mapping[str, object],
        activities: Sequence[Activity] | None = None,
        *,
        as_of_us: int | None = None,
        created_us: int | None = None,
    ) -> dict[str, Normalised]:
        """Read every signal of one lead.

        Parameters
        ----------
        profile : mapping of field name to raw value
            As of `as_of_us`. A field that is absent, None or blank is missing; a field that the
            catalogue does not know is ignored.
        activities : sequence of Activity, optional
            In any order, duplicates and activities after `as_of_us` included. None if they are not
            known, and every signal of activities is then missing; empty if there were none.
        as_of_us : int, optional
            The moment whose knowledge is used; needed with activities.
        created_us : int, optional
            When the lead was created; the lead's age is missing without it.

        Returns
        -------
        dict of str to str, float or None
            By column ``family__name``, one entry per signal, in the catalogue's order.

        Raises
        ------
        ValueError
            If a value does not fit its field's type; the message names the field. If there are
            activities and no `as_of_us`.
        """
        found: dict[str, Normalised] = dict.fromkeys(self._columns)
        values: dict[str, Normalised] = {}
        for field, normalise in self._fields.items():
            try:
                values[field] = normalise(profile.get(field))
            except ValueError as error:
                raise ValueError(f"{field}: {error}") from error
        for column, field in self._profile:
            found[column] = values[field]
        for column, read in self._texts:
            found[column] = read(values)
        if as_of_us is not None and created_us is not None:
            for column in self._age:
                found[column] = (as_of_us - created_us) / DAY_US
        if activities is not None and self._measures:
            if as_of_us is None:
                raise ValueError("activities need as_of: as of when are they to be read?")
            seen = Seen(activities, as_of_us, self._filters, self._rank)
            for column, measure in self._measures:
                found[column] = measure(seen)
        return found
