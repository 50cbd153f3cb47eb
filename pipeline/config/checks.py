"""Checks that look at several parts of a project's configuration together."""

import difflib
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from leadscore.models.bands import Bands
from leadscore.pipeline.config.data import SENSITIVE_NAMES, DataConfig, FieldConfig
from leadscore.pipeline.config.training import TrainingConfig
from leadscore.pipeline.signals.catalog import FIELD_TYPE, Signal, find_signal
from leadscore.pipeline.signals.filters import read_filter
from leadscore.pipeline.signals.kinds import TEXT_TYPE, ActivitySignal, PropertySignal, TouchSignal
from leadscore.pipeline.values.times import TimeSpec, make_time_reader, read_moment

OUR_COLUMNS = frozenset("lead_id created_us arrival line status closed_us recorded_us".split())
"""Of the normalised table of leads."""
OUR_ACTIVITY_COLUMNS = frozenset(
    "activity_id lead_id kind occurred_us recorded_us place age_us day cell snapshot_id".split()
)
"""Of the normalised table of activities, and of what the history reader makes of it."""


def check_bands(path: Path, signals: list[Signal], bands: Bands) -> Iterator[str]:
    """Yield what is wrong with the signal that the bands go by."""
    if bands.by is None:
        return
    try:
        signal = find_signal(bands.by, signals)
    except KeyError as error:
        yield f"{path}: by: no signal {bands.by!r}{error.args[0]}"
        return
    if not signal.is_category:
        yield f"{path}: by: {bands.by!r} holds numbers; a signal with levels is needed"


def check_times(path: Path, data: DataConfig) -> Iterator[str]:
    """Yield what is wrong with the times of data.yaml: zones, moments, what needs what."""
    for key, spec in _times(data):
        if spec is not None and spec.zone is not None:
            try:
                make_time_reader(spec)
            except (KeyError, ValueError, OSError):
                yield f"{path}: {key}.zone: {spec.zone!r} is no time zone, as Europe/Madrid is"
    for key, moment in (
        ("extracted_at", data.extracted_at),
        ("outcomes.since", data.outcomes.since),
    ):
        if moment is not None:
            yield from _check_moment(f"{path}: {key}", moment)
    if data.outcomes.closed is not None and data.leads.created is None:
        yield (f"{path}: outcomes.closed: closing times need creation times too; "
               "give leads.created, or leave closed out")  # fmt: skip
    for key, there in (("activities", data.activities), ("changes", data.changes)):
        if there and data.leads.created is None:
            yield f"{path}: {key}: need leads.created, since they are read as of a moment"


def _times(data: DataConfig) -> Iterator[tuple[str, TimeSpec | None]]:
    yield "leads.created", data.leads.created
    yield "leads.first_called", data.leads.first_called
    yield "outcomes.closed", data.outcomes.closed
    yield "outcomes.recorded", data.outcomes.recorded
    for place, source in enumerate(data.activities):
        yield f"activities.{place}.occurred", source.occurred
        yield f"activities.{place}.recorded", source.recorded
    if data.changes is not None:
        yield "changes.recorded", data.changes.recorded


def _check_moment(where: str, text: str) -> Iterator[str]:
    try:
        read_moment(text)
    except ValueError as error:
        yield f"{where}: {error}"


def check_fields(
    files: Mapping[str, Path], signals: list[Signal], data: DataConfig
) -> Iterator[str]:
    """Yield the signals of signals.yaml that data.yaml cannot feed, and columns named twice."""
    path, fields = files["signals"], data.leads.fields
    columns = [signal.column for signal in signals]
    for signal in signals:
        if signal.declaration.kind == "lead_age" and data.leads.created is None:
            yield f"{path}: {signal.name}: the age of a lead needs leads.created in data.yaml"
        for name in signal.inputs:
            yield from _check_input(f"{path}: {signal.name}", signal, name, fields)
        if signal.stored == signal.column and signal.column in fields:
            yield (f"{files['data']}: leads.fields.{signal.column}: the name of a signal made "
                   "from texts; choose another")  # fmt: skip
    for column in sorted({c for c in columns if columns.count(c) > 1}):
        yield f"{path}: two signals make the column {column}"
    for name in sorted(OUR_COLUMNS & set(fields)):
        yield (f"{files['data']}: leads.fields.{name}: the name of a column of ours; "
               f"choose another, with column: {fields[name].column or name}")  # fmt: skip
    told = {data.leads.id: "the id"}
    if data.leads.first_called is not None:
        told[data.leads.first_called.column] = "the first call"
    if data.outcomes.file in (None, data.leads.file):
        told[data.outcomes.column] = "the outcome"
        if data.outcomes.closed is not None:
            told[data.outcomes.closed.column] = "the closing time"
    for name, config in fields.items():
        what = told.get(config.column or name)
        if what is not None:
            yield (f"{files['data']}: leads.fields.{name}: reads the column of {what}; "
                   "nothing may be learned from that")  # fmt: skip
    if data.leads.first_called is not None and data.leads.first_called.column in data.excluded:
        yield (f"{files['data']}: excluded: {data.leads.first_called.column!r} is also "
               "leads.first_called; drop one")  # fmt: skip
    used = [config.column or name for name, config in fields.items()]
    for column in sorted(set(used) & set(data.excluded)):
        yield f"{files['data']}: excluded: {column!r} is also a field; drop one"


def _check_input(
    where: str, signal: Signal, name: str, fields: Mapping[str, FieldConfig]
) -> Iterator[str]:
    kind = signal.declaration.kind
    if name not in fields:
        hint = _hint(name, fields, "declare it under leads.fields")
        yield f"{where}: data.yaml has no field {name!r}; {hint}"
        return
    found, wanted = fields[name].type, "text" if kind in TEXT_TYPE else FIELD_TYPE[kind]
    if found != wanted and kind != "completeness":
        yield (f"{where}: a {kind} reads a field of type {wanted}, found {found} "
               f"({name} in data.yaml)")  # fmt: skip


def _hint(name: str, known: Collection[str], otherwise: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise


def check_activities(
    files: Mapping[str, Path], signals: list[Signal], data: DataConfig
) -> Iterator[str]:
    """Yield the signals of activities that data.yaml cannot feed, and properties that clash."""
    properties: dict[str, FieldConfig] = {}
    for place, source in enumerate(data.activities):
        where = f"{files['data']}: activities.{place}.properties"
        for name, config in source.properties.items():
            if name in OUR_ACTIVITY_COLUMNS or re.fullmatch(r"m\d+", name):
                yield (f"{where}.{name}: the name of a column of ours; choose another, with "
                       f"column: {config.column or name}")  # fmt: skip
            other = properties.setdefault(name, config)
            if other.spec != config.spec:
                yield (f"{where}.{name}: read otherwise in another file; give one of them "
                       "another name")  # fmt: skip
        both = sorted({kind for s in data.activities for kind in s.excluded} & _kinds(signals))
        if place == 0 and both:
            yield (f"{files['signals']}: reads activities that data.yaml leaves out: "
                   f"{', '.join(both)}")  # fmt: skip
    specs = {name: config.spec for name, config in properties.items()}
    for signal in signals:
        declared = signal.declaration
        if not isinstance(declared, ActivitySignal):
            continue
        where = f"{files['signals']}: {signal.name}"
        if not data.activities:
            yield f"{where}: a {declared.kind} reads activities, and data.yaml has none"
            continue
        for filter_ in declared.filters:
            try:
                read_filter(filter_, specs)
            except ValueError as error:
                yield f"{where}: {error}"
        if isinstance(declared, PropertySignal | TouchSignal) and declared.property is not None:
            yield from _check_property(where, declared, properties)


def _kinds(signals: list[Signal]) -> set[str]:
    return {
        kind
        for signal in signals if isinstance(signal.declaration, ActivitySignal)
        for filter_ in signal.declaration.filters for kind in filter_.activity or ()
    }  # fmt: skip


def _check_property(
    where: str, declared: PropertySignal | TouchSignal, properties: Mapping[str, FieldConfig]
) -> Iterator[str]:
    name = declared.property or ""
    wanted = "number" if isinstance(declared, PropertySignal) else "text"
    if name not in properties:
        hint = _hint(name, properties, "declare it under activities, properties")
        yield f"{where}.property: activities have no property {name!r}; {hint}"
    elif properties[name].type != wanted:
        yield (f"{where}.property: a {declared.kind} needs a property of type {wanted}, found "
               f"{properties[name].type}")  # fmt: skip


def check_changes(files: Mapping[str, Path], data: DataConfig) -> Iterator[str]:
    """Yield the fields of changes that data.yaml does not have."""
    if data.changes is None:
        return
    where = f"{files['data']}: changes.fields"
    fields = list(data.changes.fields.values())
    for word, name in data.changes.fields.items():
        if name not in data.leads.fields:
            hint = _hint(name, data.leads.fields, "declare it under leads.fields")
            yield f"{where}.{word}: no such field, found {name!r}; {hint}"
        elif fields.count(name) > 1 and fields.index(name) == list(data.changes.fields).index(word):
            yield f"{where}: two texts mean the field {name!r}; their histories would be mixed"


def check_training(
    files: Mapping[str, Path], signals: list[Signal], data: DataConfig, training: TrainingConfig
) -> Iterator[str]:
    """Yield what training.yaml asks of the data and cannot have, and sensitive signals."""
    path = files["training"]
    closed, created = data.outcomes.closed, data.leads.created
    if training.horizon_days is not None and closed is None:
        yield (f"{path}: horizon_days: needs closing times; give outcomes.closed in data.yaml, "
               "or leave the horizon out")  # fmt: skip
    if training.horizon_days is None and closed is not None:
        yield (f"{path}: horizon_days: this key is needed where data.yaml gives outcomes.closed: "
               "how many days after a snapshot does a win count?")  # fmt: skip
    if training.settle_days and closed is None:
        yield f"{path}: settle_days: needs closing times; give outcomes.closed in data.yaml"
    if training.split.cut is not None:
        if created is None:
            yield f"{path}: split.cut: a moment needs leads.created in data.yaml; use split.later"
        else:
            yield from _check_moment(f"{path}: split.cut", training.split.cut)
    if training.split.gap and data.leads.order is None:
        yield f"{path}: split.gap: only where leads have arrival numbers (leads.order)"
    ages = training.snapshots.ages
    if created is None and ages != (0.0,):
        yield f"{path}: snapshots: ages need leads.created in data.yaml"
    has_age = any(signal.declaration.kind == "lead_age" for signal in signals)
    if created is not None and len(ages) > 1 and not has_age:
        yield (f"{path}: snapshots: {len(ages)} ages, and no signal of kind lead_age in "
               "signals.yaml; counts would tell the age and pass for interest")  # fmt: skip
    levels = [signal.column for signal in signals if signal.is_category]
    for column in training.report.group_by or ():
        if column not in levels:
            yield (f"{path}: report.group_by: {column!r} is no category signal; "
                   f"there are {', '.join(levels) or 'none'}")  # fmt: skip
    if not training.allow_sensitive:
        yield from check_sensitive(files["signals"], signals, data)


def check_sensitive(path: Path, signals: list[Signal], data: DataConfig) -> Iterator[str]:
    """Yield the signals that read a sensitive field."""
    for signal in signals:
        for name in signal.inputs:
            config = data.leads.fields.get(name)
            if config is not None and is_sensitive(name, config):
                yield (f"{path}: {signal.name}: reads the sensitive field "
                       f"{name!r}; leave the signal out, or set allow_sensitive: true in "
                       "training.yaml after asking whoever answers for privacy")  # fmt: skip


def check_trusted(path: Path, signals: list[Signal], data: DataConfig) -> Iterator[str]:
    """Yield the names in trusted that mean no signal, and no field or column it reads."""
    known: set[str] = set()
    for signal in signals:
        known |= {signal.column, signal.name, *signal.inputs}
        known |= {data.leads.fields[n].column or n for n in signal.inputs if n in data.leads.fields}
    for name in data.trusted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            yield (f"{path}: trusted.{name}: no signal of that name, and no field or column "
                   f"that a signal reads{hint}")  # fmt: skip


def is_sensitive(name: str, config: FieldConfig) -> bool:
    """Say whether a field is sensitive: declared so, or named like age, sex or marital status."""
    return config.sensitive or bool(SENSITIVE_NAMES & {_plain(name), _plain(config.column or name)})


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    return "_".join("".join(c if c.isalnum() else " " for c in letters).split())
