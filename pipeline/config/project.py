"""The configuration of a project as one record, and its reader."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from leadscore.models.bands import Bands
from leadscore.pipeline.config.checks import (
    check_activities,
    check_bands,
    check_changes,
    check_fields,
    check_times,
    check_training,
    check_trusted,
)
from leadscore.pipeline.config.data import ROW_NUMBER, DataConfig
from leadscore.pipeline.config.folder import find_data, find_files, name_project
from leadscore.pipeline.config.signals import make_catalog, read_signals
from leadscore.pipeline.config.training import TrainingConfig
from leadscore.pipeline.config.yaml_io import describe_mistakes, read_yaml
from leadscore.pipeline.engine.duckdb_engine import Limits
from leadscore.pipeline.errors import ConfigError
from leadscore.pipeline.signals.catalog import Catalog, find_signal

Record = TypeVar("Record", bound=BaseModel)


@dataclass(frozen=True)
class Project:
    """The checked configuration of a project.

    `name` is the folder's name; the name of every registered model begins with it.
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
        """The file of leads."""
        return self.data_folder / self.data.leads.file

    def without(self, columns: Collection[str]) -> "Project":
        """Return the project without some of its signals, by their columns ``family__name``."""
        kept = tuple(s for s in self.catalog.signals if s.column not in columns)
        return replace(self, catalog=self.catalog.model_copy(update={"signals": kept}))

    def resolved(self) -> dict[str, Any]:
        """Return the configuration with every default filled in, as plain data.

        Folders are not part of it, so that equal configurations are equal on every machine.
        """
        return {
            "data": self.data.model_dump(mode="json", exclude={"folder"}),
            "signals": self.catalog.to_definitions(),
            "training": self.training.model_dump(mode="json"),
            "bands": self.bands.model_dump(mode="json"),
        }


def read_project(folder: Path, data: Path | None = None, limits: Limits | None = None) -> Project:
    """Read and check the configuration of one project.

    A folder with only some of the four files is a variant of the folder above: the others come from
    there. `data` replaces the folder of the data. A ConfigError has one line per mistake in any
    file: file, key, what was found, what was expected.
    """
    folder = folder.resolve()
    files = find_files(folder)
    mistakes: list[str] = []
    data_config = _read_record(files["data"], DataConfig, mistakes)
    signals = read_signals(files["signals"], mistakes)
    training = _read_record(files["training"], TrainingConfig, mistakes)
    bands = _read_record(files["bands"], Bands, mistakes)
    if data_config is not None:
        mistakes += check_times(files["data"], data_config)
        mistakes += check_fields(files, signals, data_config)
        mistakes += check_activities(files, signals, data_config)
        mistakes += check_changes(files["data"], data_config)
        mistakes += check_trusted(files["data"], signals, data_config)
        if bands is not None:
            mistakes += check_bands(files["bands"], signals, bands)
        if training is not None:
            mistakes += check_training(files, signals, data_config, training)
    if mistakes:
        raise ConfigError("\n".join(mistakes))
    if data_config is None or training is None or bands is None:  # each left a mistake
        raise ConfigError(f"{folder}: cannot be read")
    data_folder = data or find_data(files["data"], data_config.folder)
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


def _read_record(path: Path, record: type[Record], mistakes: list[str]) -> Record | None:
    try:
        return record.model_validate(read_yaml(path))
    except ConfigError as error:
        mistakes.append(str(error))
    except ValidationError as error:
        mistakes += [f"{path}: {line}" for line in describe_mistakes(error, record)]
    return None


def columns_used(data: DataConfig) -> Mapping[str, str]:
    """Return the use of each column of the leads' file, by column name."""
    leads, outcomes = data.leads, data.outcomes
    used = {leads.id: "id"}
    if leads.created is not None:
        used[leads.created.column] = "created"
    if leads.order is not None:
        used[leads.order] = "order"
    if leads.first_called is not None:
        used[leads.first_called.column] = "called"
    if outcomes.file is None:
        used[outcomes.column] = "outcome"
        for use, spec in (("closed", outcomes.closed), ("recorded", outcomes.recorded)):
            if spec is not None:
                used[spec.column] = use
    for name, config in leads.fields.items():
        used[config.column or name] = f"field {name}"
    used.pop(ROW_NUMBER, None)
    return used
