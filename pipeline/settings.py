"""Read a project's configuration; report all its mistakes at once."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from models.bands import Bands
from pipeline.consistency import check_fields, check_times, check_training
from pipeline.declarations import (
    ROW_NUMBER,
    DataConfig,
    TrainingConfig,
)
from pipeline.errors import ConfigError
from pipeline.signals.catalog import NAME_PATTERN, Catalog, ProfileSignal, Signal
from pipeline.values import FieldSpec
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
        mistakes += check_times(folder / "data.yaml", data_config)
        mistakes += check_fields(folder / "signals.yaml", signals, data_config)
        if training is not None:
            mistakes += check_training(folder, signals, data_config, training)
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
    return re.fullmatch(NAME_PATTERN, name) is not None and "__" not in name


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
