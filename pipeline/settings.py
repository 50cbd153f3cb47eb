"""Read a project's configuration; report all its mistakes at once."""

import difflib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from models.bands import Bands
from pipeline.consistency import (
    check_activities,
    check_bands,
    check_changes,
    check_fields,
    check_times,
    check_training,
    check_vouched,
)
from pipeline.declarations import ROW_NUMBER, DataConfig
from pipeline.engine import Limits
from pipeline.errors import ConfigError
from pipeline.mistakes import describe_mistakes, show_value
from pipeline.project_folder import find_files, name_project
from pipeline.signals.catalog import Catalog, Signal, find_signal
from pipeline.signals.declarations import (
    DECLARATIONS,
    NAME_PATTERN,
    Declaration,
    TextSignal,
)
from pipeline.signals.text.readers import digest_word_lists
from pipeline.training_declarations import TrainingConfig
from pipeline.values import FieldSpec
from pipeline.yaml_file import read_yaml

Record = TypeVar("Record", bound=BaseModel)


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
    limits: Limits = field(default_factory=Limits)

    @property
    def leads_path(self) -> Path:
        """Where the table of leads lies."""
        return self.data_folder / self.data.leads.file

    def without(self, columns: Collection[str]) -> "Project":
        """Return the project without some of its signals, by their columns ``family__name``."""
        kept = tuple(s for s in self.catalog.signals if s.column not in columns)
        return replace(self, catalog=self.catalog.model_copy(update={"signals": kept}))

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


def read_project(folder: Path, data: Path | None = None, limits: Limits | None = None) -> Project:
    """Read and check the configuration of one project.

    Parameters
    ----------
    folder : Path
        Holds data.yaml, signals.yaml, training.yaml and bands.yaml. Each of them that is absent is
        taken from the folder above, whose variant the project then is, named ``above-folder``.
    data : Path, optional
        In place of the data folder that data.yaml names.
    limits : Limits, optional
        Of the SQL engine.

    Returns
    -------
    Project

    Raises
    ------
    ConfigError
        With one line per mistake, over all files: file, key, what was found, what was expected.
    """
    folder = folder.resolve()
    files = find_files(folder)
    mistakes: list[str] = []
    data_config = _read_record(files["data"], DataConfig, mistakes)
    signals = _read_signals(files["signals"], mistakes)
    training = _read_record(files["training"], TrainingConfig, mistakes)
    bands = _read_record(files["bands"], Bands, mistakes)
    if data_config is not None:
        mistakes += check_times(files["data"], data_config)
        mistakes += check_fields(files, signals, data_config)
        mistakes += check_activities(files, signals, data_config)
        mistakes += check_changes(files, data_config)
        mistakes += check_vouched(files["data"], signals, data_config)
        if bands is not None:
            mistakes += check_bands(files["bands"], signals, bands)
        if training is not None:
            mistakes += check_training(files, signals, data_config, training)
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    if data_config is None or training is None or bands is None:  # each left a mistake
        raise ConfigError(f"{folder}: cannot be read")
    data_folder = data if data is not None else files["data"].parent / data_config.folder
    if bands.by is not None:
        bands = bands.model_copy(update={"by": find_signal(bands.by, signals).column})
    return Project(
        name_project(folder),
        folder,
        data_config,
        make_catalog(signals, data_config),
        training,
        bands,
        data_folder.resolve(),
        limits or Limits(),
    )


def make_catalog(signals: Sequence[Signal], data: DataConfig) -> Catalog:
    """Return the catalogue of some signals: them, and how what they read is read."""
    read = sorted({name for signal in signals for name in signal.inputs})
    kinds = [s.declaration.kind for s in signals if isinstance(s.declaration, TextSignal)]
    changing = set() if data.changes is None else set(data.changes.fields.values())
    catalog = Catalog(
        signals=tuple(signals),
        fields={name: _field_spec(data, name) for name in read},
        changing=tuple(name for name in read if name in changing),
        day_offset_hours=data.day_offset_hours,
        word_lists=digest_word_lists(kinds),
        kinds_left_out=tuple(sorted({kind for s in data.activities for kind in s.left_out})),
    )
    specs = {
        name: config.spec
        for source in data.activities for name, config in source.properties.items()
    }  # fmt: skip
    properties = {name: specs[name] for name in sorted(catalog.properties_read)}
    return catalog.model_copy(update={"properties": properties})


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
        mistakes += [f"{path}: {line}" for line in describe_mistakes(error, record)]
    return None


def _read_signals(path: Path, mistakes: list[str]) -> list[Signal]:
    try:
        content = read_yaml(path)
    except ConfigError as error:
        mistakes.append(str(error))
        return []
    if not content:
        mistakes.append(f"{path}: no signal is declared; at least one is needed")
    return declare_signals(str(path), content, mistakes)


def declare_signals(path: str, content: Mapping[Any, object], mistakes: list[str]) -> list[Signal]:
    """Return the signals that a mapping of names to declarations declares.

    Parameters
    ----------
    path : str
        The file, and the key in it if there is one, to begin mistakes with.
    content : mapping
    mistakes : list of str
        Gets a line for each declaration that is wrong, which is then left out.
    """
    signals = []
    for name, declaration in content.items():
        record = _record_of(declaration)
        if record is None:
            mistakes.append(_wrong_kind(f"{path}: {name}", declaration))
            continue
        try:
            declared = record.model_validate(declaration)
        except ValidationError as error:
            mistakes += [f"{path}: {name}.{line}" for line in describe_mistakes(error, record)]
            continue
        if not isinstance(name, str) or not _is_name(name):
            mistakes.append(
                f"{path}: {name!r} is no name for a signal: small letters, digits and "
                "single underscores are"
            )
            continue
        signals.append(Signal(name=name, declaration=declared))
    return signals


def _record_of(declaration: object) -> type[Declaration] | None:
    kind = declaration.get("kind") if isinstance(declaration, dict) else None
    return DECLARATIONS.get(kind) if isinstance(kind, str) else None


def _wrong_kind(where: str, declaration: object) -> str:
    if not isinstance(declaration, dict):
        found = show_value(declaration)
        return f"{where}: a mapping of family, kind and more is needed, found {found}"
    if "kind" not in declaration:
        return f"{where}.kind: this key is needed and absent"
    found = declaration["kind"]
    near = difflib.get_close_matches(str(found), DECLARATIONS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(DECLARATIONS)}"
    return f"{where}.kind: no such kind of signal, found {show_value(found)}; {hint}"


def _is_name(name: str) -> bool:
    return re.fullmatch(NAME_PATTERN, name) is not None and "__" not in name


def columns_used(project: Project) -> Mapping[str, str]:
    """Return what each column of the leads' file is used for, by column name."""
    leads, outcomes = project.data.leads, project.data.outcomes
    used = {leads.id: "id"}
    if leads.created is not None:
        used[leads.created.column] = "created"
    if leads.order is not None:
        used[leads.order] = "order"
    if leads.called is not None:
        used[leads.called.column] = "called"
    if outcomes.file is None:
        used[outcomes.column] = "outcome"
        for what, spec in (("closed", outcomes.closed), ("recorded", outcomes.recorded)):
            if spec is not None:
                used[spec.column] = what
    for name, config in leads.fields.items():
        used[config.column or name] = f"field {name}"
    used.pop(ROW_NUMBER, None)
    return used
