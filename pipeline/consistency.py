"""Checks that look at several parts of a project's configuration together."""

import difflib
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from pipeline.declarations import SENSITIVE_NAMES, DataConfig, FieldConfig, TrainingConfig
from pipeline.signals.catalog import FIELD_TYPE, Signal
from pipeline.values import make_time_reader, read_moment

OUR_COLUMNS = frozenset({"lead_id", "created_us", "arrival", "line", "status", "closed_us"})


def check_times(path: Path, data: DataConfig) -> Iterator[str]:
    """Yield what is wrong with the times of data.yaml: zones, moments, what needs what."""
    for key, spec in (("leads.created", data.leads.created),
                      ("outcomes.closed", data.outcomes.closed)):  # fmt: skip
        if spec is not None and spec.zone is not None:
            try:
                make_time_reader(spec)
            except (KeyError, ValueError, OSError):
                yield f"{path}: {key}.zone: {spec.zone!r} is no time zone, as Europe/Madrid is"
    if data.extract is not None:
        yield from _check_moment(f"{path}: extract", data.extract)
    if data.outcomes.closed is not None and data.leads.created is None:
        yield (f"{path}: outcomes.closed: closing times need creation times too; "
               "give leads.created, or leave closed out")  # fmt: skip


def _check_moment(where: str, text: str) -> Iterator[str]:
    try:
        read_moment(text)
    except ValueError as error:
        yield f"{where}: {error}"


def check_fields(path: Path, signals: list[Signal], data: DataConfig) -> Iterator[str]:
    """Yield the signals of signals.yaml that data.yaml cannot feed, and columns named twice."""
    fields = data.leads.fields
    columns = [signal.column for signal in signals]
    for signal in signals:
        found = fields.get(signal.field)
        if found is None:
            near = difflib.get_close_matches(signal.field, fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "declare it under leads.fields"
            yield f"{path}: {signal.name}: data.yaml has no field {signal.field!r}; {hint}"
        elif found.type != FIELD_TYPE[signal.declaration.kind]:
            yield (f"{path}: {signal.name}: a {signal.declaration.kind} reads a field of type "
                   f"{FIELD_TYPE[signal.declaration.kind]}, found {found.type} "
                   f"({signal.field} in data.yaml)")  # fmt: skip
    for column in sorted({c for c in columns if columns.count(c) > 1}):
        yield f"{path}: two signals make the column {column}"
    for name in sorted(OUR_COLUMNS & set(fields)):
        yield (f"{path.with_name('data.yaml')}: leads.fields.{name}: the name of a column of ours; "
               f"choose another, with column: {fields[name].column or name}")  # fmt: skip
    told = {data.leads.id: "the id", data.outcomes.column: "the outcome"}
    if data.outcomes.closed is not None:
        told[data.outcomes.closed.column] = "the closing time"
    for name, config in fields.items():
        what = told.get(config.column or name)
        if what is not None:
            yield (
                f"{path.with_name('data.yaml')}: leads.fields.{name}: reads the column of {what}; "
                "nothing may be learned from that"
            )
    used = [config.column or name for name, config in fields.items()]
    for column in sorted(set(used) & set(data.left_out)):
        yield f"{path.with_name('data.yaml')}: left_out: {column!r} is also a field; drop one"


def check_training(
    folder: Path, signals: list[Signal], data: DataConfig, training: TrainingConfig
) -> Iterator[str]:
    """Yield what training.yaml asks of the data and cannot have, and sensitive signals."""
    path = folder / "training.yaml"
    closed, created = data.outcomes.closed, data.leads.created
    if training.horizon_days is not None and closed is None:
        yield (f"{path}: horizon_days: needs closing times; give outcomes.closed in data.yaml, "
               "or leave the horizon out")  # fmt: skip
    if training.horizon_days is None and closed is not None:
        yield (f"{path}: horizon_days: this key is needed where data.yaml gives outcomes.closed: "
               "how many days after a snapshot does a win count?")  # fmt: skip
    if training.split.cut is not None:
        if created is None:
            yield f"{path}: split.cut: a moment needs leads.created in data.yaml; use split.later"
        else:
            yield from _check_moment(f"{path}: split.cut", training.split.cut)
    if training.split.gap and data.leads.order is None:
        yield f"{path}: split.gap: only where leads have arrival numbers (leads.order)"
    if created is None and training.snapshots.ages_days != (0.0,):
        yield f"{path}: snapshots.ages_days: ages need leads.created in data.yaml"
    if not training.allow_sensitive:
        for signal in signals:
            config = data.leads.fields.get(signal.field)
            if config is not None and is_sensitive(signal.field, config):
                yield (f"{folder / 'signals.yaml'}: {signal.name}: reads the sensitive field "
                       f"{signal.field!r}; leave the signal out, or set allow_sensitive: true in "
                       "training.yaml after asking whoever answers for privacy")  # fmt: skip


def is_sensitive(name: str, config: FieldConfig) -> bool:
    """Say whether a field is sensitive: declared so, or named like age, sex or marital status."""
    return config.sensitive or bool(SENSITIVE_NAMES & {_plain(name), _plain(config.column or name)})


def _plain(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.casefold())
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    return "_".join("".join(c if c.isalnum() else " " for c in letters).split())
