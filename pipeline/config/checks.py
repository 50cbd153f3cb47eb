"""The checks of a project's configuration that need more than one part of it."""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

from leadscore.models.bands import Bands
from leadscore.pipeline.config.data import SENSITIVE_NAMES, DataConfig, FieldConfig
from leadscore.pipeline.config.training import TrainingConfig
from leadscore.pipeline.errors import suggest_name
from leadscore.pipeline.signals.catalog import (
    Catalog,
    Signal,
    UnknownSignalError,
    find_signal,
)
from leadscore.pipeline.signals.filters import read_filter
from leadscore.pipeline.signals.kinds import ActivitySignal, PropertySignal, TouchSignal
from leadscore.pipeline.values.times import TimeSpec, make_time_reader, read_moment

OUR_COLUMNS = frozenset("lead_id created_us arrival line status closed_us recorded_us".split())
"""The columns of the normalised table of leads that are no fields."""
OUR_ACTIVITY_COLUMNS = frozenset(
    "activity_id lead_id kind occurred_us recorded_us place age_us day cell snapshot_id".split()
)
"""The columns that ingestion and the history reader give to activities."""


def check_bands(path: Path, signals: list[Signal], bands: Bands) -> Iterator[str]:
    """Yield the mistakes in the signal that chooses the cutoffs."""
    if bands.by is None:
        return
    try:
        signal = find_signal(bands.by, signals)
    except UnknownSignalError as error:
        yield f"{path}: by: no signal {bands.by!r}; {error.hint}"
        return
    if not signal.is_category:
        yield f"{path}: by: {bands.by!r} holds numbers; a signal with levels is needed"


def check_times(path: Path, data: DataConfig) -> Iterator[str]:
    """Yield the mistakes in the times of data.yaml: zones, moments, missing columns of times."""
    times: dict[str, TimeSpec | None] = {
        "leads.created": data.leads.created,
        "leads.first_called": data.leads.first_called,
        "outcomes.closed": data.outcomes.closed,
        "outcomes.recorded": data.outcomes.recorded,
    }
    for number, source in enumerate(data.activities):
        times[f"activities.{number}.occurred"] = source.occurred
        times[f"activities.{number}.recorded"] = source.recorded
    if data.changes is not None:
        times["changes.recorded"] = data.changes.recorded
    for key, spec in times.items():
        if spec is not None and spec.zone is not None:
            try:
                make_time_reader(spec)
            except (KeyError, ValueError, OSError):
                yield (
                    f"{path}: {key}.zone: {spec.zone!r} is no time zone; "
                    "a name such as Europe/Madrid is expected"
                )
    yield from _check_moment(f"{path}: extracted_at", data.extracted_at)
    yield from _check_moment(f"{path}: outcomes.since", data.outcomes.since)
    if data.leads.created is not None:
        return
    if data.outcomes.closed is not None:
        yield (
            f"{path}: outcomes.closed: closing times need creation times; "
            "add leads.created, or remove closed"
        )
    for key, given in (("activities", data.activities), ("changes", data.changes)):
        if given:
            yield f"{path}: {key}: need leads.created, because they are read as of a moment"


def _check_moment(where: str, text: str | None) -> Iterator[str]:
    if text is not None:
        try:
            read_moment(text)
        except ValueError as error:
            yield f"{where}: {error}"


def check_fields(
    files: Mapping[str, Path], signals: list[Signal], data: DataConfig
) -> Iterator[str]:
    """Yield the signals whose fields data.yaml lacks, and names and columns used twice."""
    path, fields = files["signals"], data.leads.fields
    for signal in signals:
        where = f"{path}: {signal.name}"
        if signal.declaration.kind == "lead_age" and data.leads.created is None:
            yield f"{where}: the age of a lead needs leads.created in data.yaml"
        for name in signal.inputs:
            yield from _check_input(where, signal, name, fields)
        if signal.stored == signal.column and signal.column in fields:
            yield (
                f"{files['data']}: leads.fields.{signal.column}: a signal made from texts "
                "has this name; choose another name"
            )
    columns = [signal.column for signal in signals]
    for column in sorted({column for column in columns if columns.count(column) > 1}):
        yield f"{path}: two signals make the column {column}; rename one of them"
    yield from _check_field_columns(files["data"], data)


def _check_input(
    where: str, signal: Signal, name: str, fields: Mapping[str, FieldConfig]
) -> Iterator[str]:
    kind = signal.declaration.kind
    if name not in fields:
        hint = suggest_name(name, fields, "declare it under leads.fields")
        yield f"{where}: data.yaml has no field {name!r}; {hint}"
        return
    found, expected = fields[name].type, signal.input_type
    if expected is not None and found != expected:
        yield (
            f"{where}: a {kind} reads a field of type {expected}, found {found} "
            f"({name} in data.yaml)"
        )


def _check_field_columns(path: Path, data: DataConfig) -> Iterator[str]:
    leads, outcomes = data.leads, data.outcomes
    later_known = {leads.id: "the id"}
    if leads.first_called is not None:
        later_known[leads.first_called.column] = "the first call"
    if outcomes.file in (None, leads.file):
        later_known[outcomes.column] = "the outcome"
        if outcomes.closed is not None:
            later_known[outcomes.closed.column] = "the closing time"
    for name, config in leads.fields.items():
        where, column = f"{path}: leads.fields.{name}", config.column or name
        if name in OUR_COLUMNS:
            yield f"{where}: this name is reserved; choose another name, with column: {column}"
        if column in later_known:
            yield (
                f"{where}: reads the column of {later_known[column]}; "
                "no signal may learn from that; remove the field"
            )
    if leads.first_called is not None and leads.first_called.column in data.excluded:
        yield (
            f"{path}: excluded: {leads.first_called.column!r} is also leads.first_called; "
            "remove one of them"
        )
    used = {config.column or name for name, config in leads.fields.items()}
    for column in sorted(used & set(data.excluded)):
        yield f"{path}: excluded: {column!r} is also a field; remove one of them"


def check_activities(
    files: Mapping[str, Path], signals: list[Signal], data: DataConfig
) -> Iterator[str]:
    """Yield the signals whose activities data.yaml lacks, and properties that conflict."""
    properties: dict[str, FieldConfig] = {}
    for number, source in enumerate(data.activities):
        for name, config in source.properties.items():
            where = f"{files['data']}: activities.{number}.properties.{name}"
            if name in OUR_ACTIVITY_COLUMNS or re.fullmatch(r"m\d+", name):
                yield (
                    f"{where}: this name is reserved; choose another name, with "
                    f"column: {config.column or name}"
                )
            if properties.setdefault(name, config).spec != config.spec:
                yield (
                    f"{where}: another file declares it in another way; "
                    "give one of them another name"
                )
    excluded = {kind for source in data.activities for kind in source.excluded}
    both = sorted(excluded & Catalog(signals=tuple(signals)).activity_kinds)
    if both:
        yield (
            f"{files['signals']}: reads activities that data.yaml excludes: {', '.join(both)}; "
            "remove them here or there"
        )
    for signal in signals:
        declared = signal.declaration
        if not isinstance(declared, ActivitySignal):
            continue
        where = f"{files['signals']}: {signal.name}"
        if data.activities:
            yield from _check_activity_signal(where, declared, properties)
        else:
            yield f"{where}: a {declared.kind} reads activities, and data.yaml has none"


def _check_activity_signal(
    where: str, declared: ActivitySignal, properties: Mapping[str, FieldConfig]
) -> Iterator[str]:
    specs = {name: config.spec for name, config in properties.items()}
    for filter_ in declared.filters:
        try:
            read_filter(filter_, specs)
        except ValueError as error:
            yield f"{where}: {error}"
    if not isinstance(declared, PropertySignal | TouchSignal) or declared.property is None:
        return
    name, where = declared.property, f"{where}.property"
    expected = "number" if isinstance(declared, PropertySignal) else "text"
    if name not in properties:
        hint = suggest_name(name, properties, "declare it under activities, properties")
        yield f"{where}: activities have no property {name!r}; {hint}"
    elif properties[name].type != expected:
        yield (
            f"{where}: a {declared.kind} needs a property of type {expected}, found "
            f"{properties[name].type}"
        )


def check_changes(path: Path, data: DataConfig) -> Iterator[str]:
    """Yield the fields of changes that data.yaml lacks, and fields with two histories."""
    if data.changes is None:
        return
    fields = list(data.changes.fields.values())
    for text, name in data.changes.fields.items():
        if name not in data.leads.fields:
            hint = suggest_name(name, data.leads.fields, "declare it under leads.fields")
            yield f"{path}: changes.fields.{text}: no such field, found {name!r}; {hint}"
    for name in sorted({name for name in fields if fields.count(name) > 1} & {*data.leads.fields}):
        yield (
            f"{path}: changes.fields: two texts mean the field {name!r}, which would mix their "
            "histories; remove one of them"
        )


def check_training(
    files: Mapping[str, Path], signals: list[Signal], data: DataConfig, training: TrainingConfig
) -> Iterator[str]:
    """Yield the options of training.yaml that the data does not permit, and sensitive signals."""
    path = files["training"]
    created, ages = data.leads.created, training.snapshots.ages
    if data.outcomes.closed is None:
        for key in ("horizon_days", "settle_days"):
            if getattr(training, key):
                yield (
                    f"{path}: {key}: needs closing times; add outcomes.closed to data.yaml, "
                    f"or remove {key}"
                )
    elif training.horizon_days is None:
        yield (
            f"{path}: horizon_days: this key is needed because data.yaml has outcomes.closed: "
            "for how many days after a snapshot does a win count?"
        )
    if training.split.cut is not None and created is None:
        yield f"{path}: split.cut: a moment needs leads.created in data.yaml; use split.later"
    elif training.split.cut is not None:
        yield from _check_moment(f"{path}: split.cut", training.split.cut)
    if training.split.gap and data.leads.order is None:
        yield f"{path}: split.gap: only for leads with arrival numbers (leads.order); remove it"
    has_age = any(signal.declaration.kind == "lead_age" for signal in signals)
    if created is None and ages != (0.0,):
        yield f"{path}: snapshots: ages need leads.created in data.yaml"
    if created is not None and len(ages) > 1 and not has_age:
        yield (
            f"{path}: snapshots: {len(ages)} ages, but signals.yaml has no signal of kind "
            "lead_age; add one, because counts grow with age and would look like interest"
        )
    categories = [signal.column for signal in signals if signal.is_category]
    for column in training.report.group_by or ():
        if column not in categories:
            yield (
                f"{path}: report.group_by: {column!r} is no category signal; "
                f"there are {', '.join(categories) or 'none'}"
            )
    if not training.allow_sensitive:
        yield from check_sensitive(files["signals"], signals, data)


def check_sensitive(path: Path, signals: list[Signal], data: DataConfig) -> Iterator[str]:
    """Yield the signals that read a sensitive field."""
    for signal in signals:
        for name in signal.inputs:
            config = data.leads.fields.get(name)
            if config is not None and is_sensitive(name, config):
                yield (
                    f"{path}: {signal.name}: reads the sensitive field {name!r}; remove the "
                    "signal, or ask who is responsible for privacy and set allow_sensitive: true "
                    "in training.yaml"
                )


def check_trusted(path: Path, signals: list[Signal], data: DataConfig) -> Iterator[str]:
    """Yield the names in trusted that are no signal, and no field or column that a signal reads."""
    known: set[str] = set()
    for signal in signals:
        known |= {signal.column, signal.name, *signal.inputs}
        known |= {data.leads.fields[n].column or n for n in signal.inputs if n in data.leads.fields}
    for name in data.trusted:
        if name not in known:
            hint = suggest_name(name, known, "correct or remove it")
            yield (
                f"{path}: trusted.{name}: no signal has this name, and no field or column that a "
                f"signal reads; {hint}"
            )


def is_sensitive(name: str, config: FieldConfig) -> bool:
    """Return whether a field is sensitive: by declaration, or by its name or its column's."""
    names = {_simplify(name), _simplify(config.column or name)}
    return config.sensitive or bool(SENSITIVE_NAMES & names)


def _simplify(name: str) -> str:
    """Write a name in small letters without accents, with underscores between its words."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    return "_".join("".join(c if c.isalnum() else " " for c in letters).split())
