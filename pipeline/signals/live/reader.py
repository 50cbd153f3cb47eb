"""The live reader: the signals of one lead, in plain Python, for the service."""

from collections.abc import Mapping, Sequence

from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.filters import Filter, read_filter
from leadscore.pipeline.signals.kinds import ProfileSignal
from leadscore.pipeline.signals.live.activities import (
    Activity,
    ActivityColumns,
    CellIndex,
    KnownActivities,
    to_columns,
)
from leadscore.pipeline.signals.live.measures import Measure, make_measure
from leadscore.pipeline.signals.live.plan import LivePlan
from leadscore.pipeline.signals.text.readers import find_other_lists, make_text_reader
from leadscore.pipeline.values.fields import Normalised, make_normaliser
from leadscore.pipeline.values.times import DAY_US


class ReadyConflict(ValueError):
    """A signal comes ready together with activities that it is made from.

    Attributes
    ----------
    columns : tuple of str
        Of these signals, in the catalogue's order.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        super().__init__(
            f"ready values of {', '.join(columns)} together with activities that they are made "
            "from: there would be two answers to one question"
        )
        self.columns = columns


class LiveReader:
    """Compute the signals of one lead at a time; build it once per scorecard.

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
        self._fields = {name: make_normaliser(spec) for name, spec in catalog.fields.items()}
        self._unknown: dict[str, Normalised] = dict.fromkeys(catalog.columns)
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
        filters: list[Filter] = []
        self._if_none = self._unknown.copy()
        self._fed_by: dict[str, list[int]] = {}
        measures: list[tuple[str, Measure]] = []
        for signal, declared in catalog.activity_signals():
            measure = make_measure(declared, catalog, filters)
            measures.append((signal.column, measure))
            self._if_none[signal.column] = measure.if_none
            wanted = [read_filter(filter_, catalog.properties) for filter_ in declared.filters]
            self._fed_by[signal.column] = [filters.index(filter_) for filter_ in wanted]
        self._view = CellIndex(
            filters, tuple(catalog.properties), frozenset(catalog.excluded_kinds)
        )
        self._plan = LivePlan(measures, self._view)

    def read_signals(
        self,
        profile: Mapping[str, object],
        activities: Sequence[Activity] | ActivityColumns | None = None,
        *,
        as_of_us: int | None = None,
        created_us: int | None = None,
        ready: Mapping[str, Normalised] | None = None,
    ) -> dict[str, Normalised]:
        """Read every signal of one lead.

        Parameters
        ----------
        profile : mapping of field name to raw value
            As of `as_of_us`. A field that is absent, None or blank is missing; a field that the
            catalogue does not know is ignored.
        activities : sequence of Activity, or ActivityColumns, optional
            In any order; duplicates, activities after `as_of_us` and kinds left out included. None
            if they are not known, and every signal of activities is then missing; empty if there
            were none.
        as_of_us : int, optional
            The moment whose knowledge is used; needed with activities.
        created_us : int, optional
            When the lead was created; the lead's age is missing without it.
        ready : mapping of str to str, float or None, optional
            Values that the caller brings, by column; they stand in place of what would be read.

        Returns
        -------
        dict of str to str, float or None
            By column ``family__name``, one entry per signal, in the catalogue's order.

        Raises
        ------
        ValueError
            If a value does not fit its field's type; the message names the field. If there are
            activities and no `as_of_us`. If `ready` has a column that the catalogue has not.
        ReadyConflict
            If a signal made from activities is `ready`, and one of the activities known at
            `as_of_us` feeds it, be it in its window or not.
        """
        found = self._unknown.copy() if activities is None else self._if_none.copy()
        values: dict[str, Normalised] = {}
        field, raw = "", profile.get
        try:
            for field, normalise in self._fields.items():
                values[field] = normalise(raw(field))
        except ValueError as error:
            raise ValueError(f"{field}: {error}") from error
        for column, field in self._profile:
            found[column] = values[field]
        for column, read_text in self._texts:
            found[column] = read_text(values)
        if as_of_us is not None and created_us is not None:
            for column in self._age:
                found[column] = (as_of_us - created_us) / DAY_US
        if activities is not None and self._fed_by:
            if as_of_us is None:
                raise ValueError("activities need as_of: as of when are they to be read?")
            if not isinstance(activities, ActivityColumns):
                activities = to_columns(activities)
            if activities.kinds:
                self._measure(KnownActivities(activities, as_of_us, self._view), ready, found)
        if ready:
            unknown = sorted(set(ready).difference(found))
            if unknown:
                raise ValueError(f"no such signals: {', '.join(unknown)}")
            found.update(ready)
        return found

    def _measure(
        self,
        seen: KnownActivities,
        ready: Mapping[str, Normalised] | None,
        found: dict[str, Normalised],
    ) -> None:
        """Fill in the signals of activities, of which there are some."""
        if ready:
            self._check_ready(ready, seen)
        self._plan.measure(seen, found)

    def _check_ready(self, ready: Mapping[str, Normalised], seen: KnownActivities) -> None:
        """Refuse ready values of signals that the activities feed."""
        fed = tuple(
            column
            for column, places in self._fed_by.items()
            if column in ready and any(seen.parts(place) for place in places)
        )
        if fed:
            raise ReadyConflict(fed)
