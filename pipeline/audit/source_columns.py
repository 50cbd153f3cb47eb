"""The leads' file as it stands: every column as text, with what became of each lead."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from leadscore.pipeline.config.project import Project
from leadscore.pipeline.dataset.dataset import find_maturity
from leadscore.pipeline.ingest.columns import read_ids
from leadscore.pipeline.ingest.files import is_parquet, read_header, read_table
from leadscore.pipeline.ingest.tables import Ingested

LEAD_ID, WON, CLOSED = "#lead_id", "#won", "#closed"


def read_source_columns(project: Project, tables: Ingested) -> pd.DataFrame:
    """Read every column of the leads' file as text, blank where nothing stands in it.

    Parameters
    ----------
    project : Project
    tables : Ingested

    Returns
    -------
    DataFrame
        One row per row of the file, repeated lead ids included, in the file's order: its columns as
        text or None, ``#lead_id``, ``#won`` (True, False, or None where that is not known yet: the
        lead is open, and its horizon not over) and ``#closed`` (bool: won or lost).

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    path, config = project.leads_path, project.data.leads
    header = _readable(path, read_header(path, config.delimiter, config.encoding))
    parts = []
    for chunk in read_table(path, header, config.delimiter, config.encoding):
        columns = {name: _to_text(chunk.table[name]) for name in header}
        parts.append(pa.table({**columns, LEAD_ID: read_ids(chunk, config.id, {})}))
    raw: pd.DataFrame = pa.concat_tables(parts).to_pandas()
    blanks = {config_.column or name: config_.missing for name, config_ in config.fields.items()}
    for name in header:
        missing = {word.strip() for word in (*config.missing, *blanks.get(name, ()))}
        raw[name] = raw[name].where(~raw[name].isin(missing), None) if missing else raw[name]
    won, closed = find_outcomes(project, tables)
    raw[WON] = raw[LEAD_ID].map(won)
    raw[CLOSED] = raw[LEAD_ID].isin(closed)
    return raw


def _readable(path: Path, header: list[str]) -> list[str]:
    """Leave out what no field could read either: lists, structures and bytes of a Parquet file."""
    if not is_parquet(path):
        return header
    schema = pq.read_schema(path)
    types = {name.strip(): schema.field(name).type for name in schema.names}
    return [
        name for name in header
        if not pa.types.is_nested(types[name]) and "binary" not in str(types[name])
    ]  # fmt: skip


def _to_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    text = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def find_outcomes(project: Project, tables: Ingested) -> tuple[Mapping[str, bool], set[str]]:
    """Return what became of each lead as far as it is known by the extract.

    Returns
    -------
    won : mapping of lead_id to bool
        Whether it was ever won; leads that are open and whose horizon, from creation on, is not
        over are not there.
    closed : set of str
        The leads won or lost.
    """
    outcomes, leads = tables.outcomes, tables.leads
    won = set(outcomes.filter(pc.equal(outcomes["status"], "won"))["lead_id"].to_pylist())
    lost = set(outcomes.filter(pc.equal(outcomes["status"], "lost"))["lead_id"].to_pylist())
    known = {**dict.fromkeys(lost, False), **dict.fromkeys(won, True)}
    if project.training.horizon_days is not None and tables.extract_us is not None:
        maturity = find_maturity(project, tables)
        until = tables.extract_us - (0 if maturity is None else maturity.wait_us)
        old = leads.filter(pc.less_equal(leads["created_us"], until))["lead_id"].to_pylist()
        known = {**dict.fromkeys(old, False), **known}
    return known, won | lost
