"""What reading texts costs, per request and at ingestion, in units of parsing the same as JSON."""

import json
import time

import pyarrow.parquet as pq
import pytest

from pipeline.demo.world import write_world
from pipeline.ingestion.texts import tell_texts
from pipeline.settings import find_project, read_project
from pipeline.signals.text import mail, names, titles
from pipeline.signals.text.readers import make_text_reader

pytestmark = pytest.mark.bench
LEADS = 20_000


def forget() -> None:
    """Empty what is kept of titles, domains and names that came before."""
    for kept in (
        titles.read_title, mail._read_domain, names.is_gibberish, names.walks_keyboard,
    ):  # fmt: skip
        kept.cache_clear()


def test_texts_per_request_and_at_ingestion(tmp_path):
    """On leads of the demo world, whose titles and names come again as real ones do."""
    write_world(tmp_path, LEADS, 7, "parquet")
    catalog = read_project(find_project("demo"), tmp_path).catalog
    table = pq.read_table(tmp_path / "leads.parquet", columns=list(catalog.fields))
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    people = table.to_pylist()
    readers = [(make_text_reader(d), d.inputs) for _, d in catalog.text_signals()]
    read = sorted({name for _, inputs in readers for name in inputs})
    documents = [json.dumps({name: person[name] for name in read}) for person in people]
    floors, live, ingestion = [], [], []
    for _ in range(5):
        begin = time.process_time()
        for document in documents:
            json.loads(document)
        floors.append(time.process_time() - begin)
        forget()
        begin = time.process_time()
        for person in people:
            for reader, inputs in readers:
                reader([person[name] for name in inputs])
        live.append(time.process_time() - begin)
        forget()
        begin = time.process_time()
        tell_texts(catalog, columns)
        ingestion.append(time.process_time() - begin)
    floor = min(floors)
    print(  # noqa: T201 - what a benchmark is for
        f"\n{len(readers)} signals from {len(read)} texts, per lead: {min(live) / floor:.1f} x "
        f"json.loads of the same; at ingestion {min(ingestion) / floor:.1f} x"
    )
