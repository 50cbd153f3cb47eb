"""What a salesperson reads: one sentence, in English or in Spanish."""

import re

import pytest
from support.requests import read_requests
from support.services_in_process import fill_cache, service_inside

OPENINGS = {
    "en": r"This lead is \d+(\.\d)?% likely to buy within 60 days, .* usual here \(\d+(\.\d)?%\)\.",
    "es": r"Un contacto con una probabilidad de compra del \d+(,\d)? % en 60 días, "
    r".* habitual \(\d+(,\d)? %\)\.",
}
ADVICE = {
    "en": {"cold": "No call yet.", "MQL": "For marketing to warm up.", "SQL": "Call now."},
    "es": {"cold": "Todavía no para llamar.", "MQL": "Para que marketing lo madure.",
           "SQL": "Para llamar ya."},
}  # fmt: skip


@pytest.fixture(scope="module")
def service(registered, tmp_path_factory):
    store_folder = tmp_path_factory.mktemp("wording")
    fill_cache(store_folder, {1: registered.training.scorecard}, champion=1)
    with service_inside(store_folder) as service:
        yield service


@pytest.fixture(scope="module")
def leads(registered, service):
    """Of every band some leads of the demo."""
    found = {"cold": [], "MQL": [], "SQL": []}
    for lead in read_requests(registered.store_folder / "demo")[-600:]:
        lead["as_of"] = "2025-12-31T00:00:00Z"
        found[service.score(lead)["band"]].append(lead)
    return {band: some[:25] for band, some in found.items()}


def explain(service, lead: dict, language: str = "en") -> dict:
    answer = service.post("/v1/explain", lead, Accept_Language=language)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("band", ["cold", "MQL", "SQL"])
def test_a_sentence_says_how_likely_why_and_what_to_do(service, leads, band, language):
    assert leads[band]
    for lead in leads[band]:
        told = explain(service, lead, language)
        sentence = told["sentence"]
        assert told["language"] == language
        assert re.match(OPENINGS[language], sentence), sentence
        assert sentence.endswith(ADVICE[language][band])
        rest = re.sub(OPENINGS[language], "", sentence)
        assert not re.search(r"\d[.,]\d\d?\b|\de[-+]\d|None|\bnan\b|\(\)", rest), sentence


def test_a_decayed_count_is_told_without_its_number(service, leads):
    for lead in leads["SQL"]:
        told = explain(service, lead)
        for reason in told["reasons"]:
            if reason["signal"] == "web__pricing_views" and reason["value"]:
                assert f"{reason['label']} (" not in told["sentence"]


@pytest.mark.parametrize(
    ("asked", "language"),
    [("es", "es"), ("es-MX,es;q=0.9,en;q=0.1", "es"), ("fr, es;q=0.5, en;q=0.4", "es"),
     ("en-GB", "en"), ("de", "en"), ("", "en"), ("*", "en"), ("es;q=0", "en"), ("q=;;,,", "en")],
)  # fmt: skip
def test_labels_follow_the_language_that_is_asked_for(service, leads, asked, language):
    lead = leads["MQL"][0]
    told = explain(service, lead, asked)
    assert told["language"] == language
    named = explain(service, lead, language)
    assert [r["label"] for r in told["reasons"]] == [r["label"] for r in named["reasons"]]
    labels = {r["signal"]: r["label"] for r in told["reasons"]}
    spanish, english = "el sector de la empresa", "the industry"
    assert labels["firmographic__industry"] == (spanish if language == "es" else english)
    others = service.score(lead, Accept_Language=asked)["reasons"][-1]
    assert others["label"] == ("las demás señales" if language == "es" else "all other signals")
