"""Read a project's configuration; report all its mistakes at once."""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from models.bands import Bands
from pipeline.declarations import (
    ROW_NUMBER,
    SENSITIVE_NAMES,
    DataConfig,
    FieldConfig,
    TrainingConfig,
)
from pipeline.errors import ConfigError
from pipeline.signals.catalog import FIELD_TYPE, NAME_PATTERN, Catalog, ProfileSignal, Signal
from pipeline.values import FieldSpec, TimeSpec, make_time_reader
from pipeline.yaml_file import read_yaml

Record = TypeVar("Record", bound=BaseModel)
_SHOWN = 60


@dataclass(frozen=True)
class Project:
    """A project's configuration, read and checked.

    `name` is the folder's name and begins the name of every registered model.
    """

    name: str
    folder: Path
    data: DataConfig
    catalog: Catalog
    training: TrainingConfig
    bands: Bands
    data_folder: Path

    @property
    def leads_path(self) -> Path:
        """Where the table of leads lies."""
        return self.data_folder / self.data.leads.file

    def resolved(self) -> dict[str, Any]:
        """Return the configuration with every default filled in, as plain data.

        Folders are left out, so that the same configuration reads the same wherever it lies.
        """
        return {
            "data": self.data.model_dump(mode="json", exclude={"folder"}),
            "signals": self.catalog.to_definitions(),
            "training": self.training.model_dump(mode="json"),
            "bands": self.bands.model_dump(mode="json"),
        }


def find_project(where: str) -> Path:
    """Return the folder of a project: a path, or the name of one that comes with the product.

    Raises
    ------
    ConfigError
        If neither exists.
    """
    folder = Path(where)
    if folder.is_dir():
        return folder
    for shipped in _shipped_folders():
        if (shipped / where / "data.yaml").is_file():
            return shipped / where
    names = sorted({child.name for place in _shipped_folders() for child in place.iterdir()})
    raise ConfigError(
        f"{where}: no such folder, and no project of that name comes with leadscore "
        f"({', '.join(names)})"
    )


def _shipped_folders() -> list[Path]:
    package = Path(str(files("pipeline")))
    candidates = [package / "_configs", package.parent / "configs"]
    return [place for place in candidates if place.is_dir()]


def read_project(folder: Path, data: Path | None = None) -> Project:
    """Read and check the configuration of one project.

    Parameters
    ----------
    folder : Path
        Holds data.yaml, signals.yaml, training.yaml and bands.yaml.
    data : Path, optional
        In place of the data folder that data.yaml names.

    Returns
    -------
    Project

    Raises
    ------
    ConfigError
        With one line per mistake, over all files: file, key, what was found, what was expected.
    """
    folder = folder.resolve()
    mistakes: list[str] = []
    data_config = _read_record(folder / "data.yaml", DataConfig, mistakes)
    signals = _read_signals(folder / "signals.yaml", mistakes)
    training = _read_record(folder / "training.yaml", TrainingConfig, mistakes)
    bands = _read_record(folder / "bands.yaml", Bands, mistakes)
    if data_config is not None:
        mistakes += _check_times(folder / "data.yaml", data_config)
        mistakes += _check_fields(folder / "signals.yaml", signals, data_config)
        if training is not None:
            mistakes += _check_training(folder, signals, data_config, training)
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    if data_config is None or training is None or bands is None:  # each left a mistake
        raise ConfigError(f"{folder}: cannot be read")
    used = sorted({signal.field for signal in signals})
    specs = {name: _field_spec(data_config, name) for name in used}
    catalog = Catalog(signals=tuple(signals), fields=specs)
    data_folder = data if data is not None else folder / data_config.folder
    return Project(
        folder.name, folder, data_config, catalog, training, bands, data_folder.resolve()
    )


def _field_spec(data: DataConfig, name: str) -> FieldSpec:
    spec = data.leads.fields[name].spec
    blanks = (*data.leads.missing, *spec.missing)
    return spec.model_copy(update={"missing": tuple(dict.fromkeys(blanks))})


def _read_record(path: Path, record: type[Record], mistakes: list[str]) -> Record | None:
    try:
        return record.model_validate(read_yaml(path))
    except ConfigError as error:
        mistakes.append(str(error))
    except ValidationError as error:
        mistakes += [f"{path}: {line}" for line in _describe(error, record)]
    return None


def _read_signals(path: Path, mistakes: list[str]) -> list[Signal]:
    signals = []
    try:
        content = read_yaml(path)
    except ConfigError as error:
        mistakes.append(str(error))
        return []
    if not content:
        mistakes.append(f"{path}: no signal is declared; at least one is needed")
    for name, declaration in content.items():
        try:
            declared = ProfileSignal.model_validate(declaration)
        except ValidationError as error:
            mistakes += [f"{path}: {name}.{line}" for line in _describe(error, ProfileSignal)]
            continue
        if not isinstance(name, str) or not _is_name(name):
            mistakes.append(
                f"{path}: {name!r} is no name for a signal: small letters, digits and "
                "single underscores are"
            )
            continue
        signals.append(Signal(name=name, declaration=declared))
    return signals


def _is_name(name: str) -> bool:
    import re

    return re.match(NAME_PATTERN, name) is not None and "__" not in name


def _describe(error: ValidationError, record: type[BaseModel]) -> Iterator[str]:
    for problem in error.errors(include_url=False):
        where = ".".join(str(part) for part in problem["loc"]) or "the whole file"
        found = "" if problem["type"] == "missing" else f", found {_show(problem['input'])}"
        if problem["type"] == "extra_forbidden":
            yield f"{where}: unknown key{_suggest(problem['loc'], record)}"
        elif problem["type"] == "missing":
            yield f"{where}: this key is needed and absent"
        else:
            yield f"{where}: {problem['msg'].removeprefix('Value error, ')}{found}"


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _suggest(location: tuple[int | str, ...], record: type[BaseModel]) -> str:
    known = sorted(_keys_near(location, record))
    near = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"


def _keys_near(location: tuple[int | str, ...], record: type[BaseModel]) -> set[str]:
    here: type[BaseModel] = record
    for part in location[:-1]:
        inner = here.model_fields.get(str(part))
        if inner is not None:
            here = next(_records_in(inner.annotation), here)
    return set(here.model_fields)


def _records_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _records_in(part)


def _check_times(path: Path, data: DataConfig) -> Iterator[str]:
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


def read_moment(text: str) -> int:
    """Read a moment of the configuration or the command line as integer UTC microseconds.

    Raises
    ------
    ValueError
        If it is no ISO 8601 time, or names no zone.
    """
    if _is_date(text):
        raise ValueError(f"{text!r} names no time and zone; write {text}T00:00:00Z, say")
    moment = make_time_reader(TimeSpec(column="moment"))(text)
    if moment is None:
        raise ValueError("empty where a time is expected")
    return moment


def _is_date(text: str) -> bool:
    try:
        return len(text) == len("2026-01-31") and bool(datetime.strptime(text, "%Y-%m-%d"))  # noqa: DTZ007
    except ValueError:
        return False


def _check_fields(path: Path, signals: list[Signal], data: DataConfig) -> Iterator[str]:
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
    used = [config.column or name for name, config in fields.items()]
    for column in sorted(set(used) & set(data.left_out)):
        yield f"{path.with_name('data.yaml')}: left_out: {column!r} is also a field; drop one"


def _check_training(
    folder: Path, signals: list[Signal], data: DataConfig, training: TrainingConfig
) -> Iterator[str]:
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
    return "_".join("".join(c if c.isalnum() else " " for c in name.casefold()).split())


def columns_used(project: Project) -> Mapping[str, str]:
    """Return what each column of the leads' file is used for, by column name."""
    leads, outcomes = project.data.leads, project.data.outcomes
    used = {leads.id: "id", outcomes.column: "outcome"}
    if leads.created is not None:
        used[leads.created.column] = "created"
    if leads.order is not None:
        used[leads.order] = "order"
    if outcomes.closed is not None:
        used[outcomes.closed.column] = "closed"
    for name, config in leads.fields.items():
        used[config.column or name] = f"field {name}"
    used.pop(ROW_NUMBER, None)
    return used
