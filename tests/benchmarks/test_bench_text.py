"""What reading texts costs, per request and at ingestion, in units of parsing the same as JSON."""

import csv
import json
import random
import time
from pathlib import Path

import pyarrow as pa
import pytest

from pipeline.ingestion.texts import tell_texts
from pipeline.signals.catalog import Catalog
from pipeline.signals.text import titles
from pipeline.signals.text.readers import make_text_reader

pytestmark = pytest.mark.bench
LEADS = 20_000
NAMES = ["first_name", "last_name", "company"]
SIGNALS = {
    "seniority": {"kind": "title_seniority", "field": "title"},
    "function": {"kind": "title_function", "field": "title"},
    "mail_kind": {"kind": "mail_kind", "field": "email"},
    "mail_company": {"kind": "mail_company", "field": "email", "company": "company"},
    "no_capitals": {"kind": "no_capitals", "fields": NAMES},
    "keyboard_walk": {"kind": "keyboard_walk", "fields": NAMES},
    "gibberish": {"kind": "gibberish", "fields": NAMES},
    "digits": {"kind": "digits", "fields": NAMES},
    "filled": {"kind": "completeness", "fields": ["title", "company", "phone", "message"]},
    "off": {"kind": "off_form", "expected": {"phone": "[+(]?[0-9][0-9 ()./-]{6,18}"}},
    "length": {"kind": "message_length", "field": "message"},
    "language": {"kind": "message_language", "field": "message"},
}
FIELDS = [*NAMES, "title", "email", "phone", "message"]
CATALOG = Catalog.model_validate({
    "signals": [
        {"name": name, "declaration": {"family": "form", **declared}}
        for name, declared in SIGNALS.items()
    ],
    "fields": {name: {} for name in FIELDS},
})  # fmt: skip
MESSAGES = [
    None, "Hola, quiero saber más sobre los precios para una empresa de 50 personas",
    "Could you send us more information about your plans?", None,
    "Bonjour, nous souhaitons une démonstration",
]  # fmt: skip


def make_people():
    """Make leads no two of which share a title, an address or a name."""
    dice = random.Random(0)
    golden = Path(__file__).parents[1] / "golden" / "titles.csv"
    known = [row["title"] for row in csv.DictReader(golden.open(encoding="utf-8"))]

    def word():
        return "".join(dice.choice("aeioubcdfglmnprstáéñ") for _ in range(7)).title()

    return [
        {
            "first_name": word(), "last_name": word(), "company": f"{word()} {word()}, S.L.",
            "title": f"{dice.choice(known)} {word()}", "phone": "+34 600 123 456",
            "email": f"{word()}.{word()}@{word()}.es".lower(), "message": dice.choice(MESSAGES),
        }
        for _ in range(LEADS)
    ]  # fmt: skip


def test_texts_per_request_and_at_ingestion():
    people = make_people()
    documents = [json.dumps(person) for person in people]
    columns = {name: pa.array([person[name] for person in people]) for name in FIELDS}
    readers = [(make_text_reader(d), d.inputs) for _, d in CATALOG.text_signals()]
    floors, live, ingestion = [], [], []
    for _ in range(5):
        titles.read_title.cache_clear()
        begin = time.process_time()
        for document in documents:
            json.loads(document)
        floors.append(time.process_time() - begin)
        begin = time.process_time()
        for person in people:
            for read, inputs in readers:
                read([person[name] for name in inputs])
        live.append(time.process_time() - begin)
        titles.read_title.cache_clear()
        begin = time.process_time()
        tell_texts(CATALOG, columns)
        ingestion.append(time.process_time() - begin)
    floor = min(floors)
    print(  # noqa: T201 - what a benchmark is for
        f"\ntwelve signals from seven texts, per lead: {min(live) / floor:.1f} x json.loads of the "
        f"same; at ingestion {min(ingestion) / floor:.1f} x"
    )
