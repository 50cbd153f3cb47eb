"""The reader of signals.yaml, and the catalogue of the declared signals."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from leadscore.pipeline.config.data import DataConfig
from leadscore.pipeline.config.yaml_io import describe_mistakes, read_yaml, show_value
from leadscore.pipeline.errors import ConfigError, suggest_name
from leadscore.pipeline.signals.catalog import Catalog, Signal
from leadscore.pipeline.signals.kinds import DECLARATIONS, NAME_PATTERN, Declaration, TextSignal
from leadscore.pipeline.signals.text.readers import digest_word_lists
from leadscore.pipeline.values.fields import FieldSpec


def make_catalog(signals: Sequence[Signal], data: DataConfig) -> Catalog:
    """Return the catalogue of some signals, with the fields and properties that they read."""
    names = sorted({name for signal in signals for name in signal.inputs})
    kinds = [s.declaration.kind for s in signals if isinstance(s.declaration, TextSignal)]
    changing = set() if data.changes is None else set(data.changes.fields.values())
    catalog = Catalog(
        signals=tuple(signals),
        fields={name: _field_spec(data, name) for name in names},
        changing=tuple(name for name in names if name in changing),
        day_offset_hours=data.day_offset_hours,
        word_lists=digest_word_lists(kinds),
        excluded_kinds=tuple(sorted({kind for s in data.activities for kind in s.excluded})),
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


def read_signals(path: Path, mistakes: list[str]) -> list[Signal]:
    """Read signals.yaml, and append its mistakes to `mistakes`."""
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

    `path` is the file, and the key in it if there is one; every mistake begins with it. `mistakes`
    gets a line for each wrong declaration; the result does not have that signal.
    """
    signals = []
    for name, declaration in content.items():
        record = _find_record(declaration)
        if record is None:
            mistakes.append(_describe_wrong_kind(f"{path}: {name}", declaration))
            continue
        try:
            declared = record.model_validate(declaration)
        except ValidationError as error:
            mistakes += [f"{path}: {name}.{line}" for line in describe_mistakes(error, record)]
            continue
        if not isinstance(name, str) or not _is_name(name):
            mistakes.append(
                f"{path}: {name!r} cannot be the name of a signal; use small letters, digits and "
                "single underscores, and begin with a letter"
            )
            continue
        signals.append(Signal(name=name, declaration=declared))
    return signals


def _find_record(declaration: object) -> type[Declaration] | None:
    kind = declaration.get("kind") if isinstance(declaration, dict) else None
    return DECLARATIONS.get(kind) if isinstance(kind, str) else None


def _describe_wrong_kind(where: str, declaration: object) -> str:
    if not isinstance(declaration, dict):
        found = show_value(declaration)
        return f"{where}: a mapping with family and kind is expected, found {found}"
    if "kind" not in declaration:
        return f"{where}.kind: this key is needed and absent"
    found = declaration["kind"]
    hint = suggest_name(str(found), DECLARATIONS, f"known are {', '.join(DECLARATIONS)}")
    return f"{where}.kind: no such kind of signal, found {show_value(found)}; {hint}"


def _is_name(name: str) -> bool:
    return re.fullmatch(NAME_PATTERN, name) is not None and "__" not in name
