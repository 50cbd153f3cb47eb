"""What reading texts costs, per request and at ingestion, in units of parsing the same as JSON."""

import json
import time

import pyarrow.parquet as pq
import pytest
from yardstick import time_once, time_yardstick

from leadscore.pipeline.config.folder import find_project
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.demo.world import write_world
from leadscore.pipeline.ingest.texts import derive_text_columns
from leadscore.pipeline.signals.text import mail, names, readers
from leadscore.pipeline.signals.text.readers import make_text_reader

pytestmark = pytest.mark.bench
LEADS = 20_000


def forget() -> None:
    """Empty what is kept of titles, domains and names that came before."""
    for kept in (readers._TITLES, readers._MARKS, mail._DOMAINS, names._GIBBERISH):
        kept.clear()


def test_texts_per_request_and_at_ingestion(tmp_path):
    """On leads of the demo world, whose titles and names come again as real ones do."""
    write_world(tmp_path, LEADS, 7, "parquet")
    catalog = read_project(find_project("demo"), tmp_path).catalog
    table = pq.read_table(tmp_path / "leads.parquet", columns=list(catalog.fields))
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    people = table.to_pylist()
    declared = [declared for _, declared in catalog.text_signals()]
    read_texts = [make_text_reader(one) for one in declared]

    def read_all(person):
        return [read_text(person) for read_text in read_texts]

    read = sorted({name for one in declared for name in one.inputs})
    documents = [json.dumps({name: person[name] for name in read}) for person in people]
    floors, live, ingestion, known, yardstick = [], [], [], [], []
    before, after = people[: LEADS // 2], people[LEADS // 2 :]
    for _ in range(5):
        begin = time.process_time()
        for document in documents:
            json.loads(document)
        floors.append(time.process_time() - begin)
        forget()
        begin = time.process_time()
        for person in people:
            read_all(person)
        live.append(time.process_time() - begin)
        forget()
        begin = time.process_time()
        derive_text_columns(catalog, columns)
        ingestion.append(time.process_time() - begin)
        forget()
        for person in before:
            read_all(person)
        known.append(time_once(lambda: [read_all(person) for person in after]) / len(after))
        yardstick.append(time_yardstick())
    floor = min(floors)
    live_x, ingested_x = min(live) / floor, min(ingestion) / floor
    print(  # noqa: T201 - what a benchmark is for
        f"\n{len(declared)} signals from {len(read)} texts, in units of json.loads of the "
        f"same: {live_x:.1f} per lead, {ingested_x:.1f} at ingestion; per lead that comes after "
        f"{len(before):,} others {min(known) / min(yardstick):.3f} of the yardstick"
    )
