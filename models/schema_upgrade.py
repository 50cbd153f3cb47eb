"""The upgrade of scorecards from schema 1 to schema 2.

No other file has the names of schema 1. The schemas differ only in names: every base, term, cutoff
and golden lead keeps its value.
"""

from typing import Any

_BANDS = {"instead": "overrides", "at_instead": "at_overrides"}
_CUTOFFS = {"mql_released": "mql_exit", "sql_released": "sql_exit"}
_POINTS = {"worth": "log_odds_per_point", "zero": "log_odds_at_zero"}
_DEFINITIONS = {"kinds_left_out": "excluded_kinds"}
_DECLARATION = {"label": "display_name"}
_KINDS = {"off_form": "pattern_mismatch"}


def upgrade_schema_1(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document of a scorecard of schema 1 with the names of schema 2.

    The hash stays as it is: it is that of the registered bytes, and it identifies the version. The
    caller checks it first. A part that does not have the form of a scorecard stays as it is, and
    the caller rejects it.

    >>> upgrade_schema_1({"schema_version": 1, "points": {"per_log_odds": 20.0, "zero": 1.0}})
    {'schema_version': 2, 'points': {'per_log_odds': 20.0, 'log_odds_at_zero': 1.0}}
    """
    upgraded = {**document, "schema_version": 2}
    if "points" in document:
        upgraded["points"] = _rename(document["points"], _POINTS)
    if "bands" in document:
        upgraded["bands"] = _upgrade_bands(_rename(document["bands"], _BANDS))
    if "definitions" in document:
        upgraded["definitions"] = _upgrade_definitions(document["definitions"])
    return upgraded


def _upgrade_bands(bands: Any) -> Any:
    if not isinstance(bands, dict):
        return bands
    overrides = bands.get("at_overrides")
    if "at" in bands:
        bands["at"] = _rename(bands["at"], _CUTOFFS)
    if isinstance(overrides, dict):
        bands["at_overrides"] = {k: _rename(v, _CUTOFFS) for k, v in overrides.items()}
    return bands


def _upgrade_definitions(definitions: Any) -> Any:
    definitions = _rename(definitions, _DEFINITIONS)
    if isinstance(definitions, dict) and isinstance(definitions.get("signals"), list):
        definitions["signals"] = [_upgrade_signal(signal) for signal in definitions["signals"]]
    return definitions


def _upgrade_signal(signal: Any) -> Any:
    if not isinstance(signal, dict) or not isinstance(signal.get("declaration"), dict):
        return signal
    declaration = _rename(signal["declaration"], _DECLARATION)
    kind = declaration.get("kind")
    if isinstance(kind, str):
        declaration["kind"] = _KINDS.get(kind, kind)
    return {**signal, "declaration": declaration}


def _rename(content: Any, names: dict[str, str]) -> Any:
    if not isinstance(content, dict):
        return content
    return {names.get(key, key): value for key, value in content.items()}
