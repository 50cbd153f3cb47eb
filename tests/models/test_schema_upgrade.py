"""Scorecards registered with schema 1 load, score as before, and are refused if broken."""

import json

import pytest
from support.real_data import ROOT

from leadscore.models.errors import ScorecardError
from leadscore.models.golden_leads import check_golden_leads
from leadscore.models.scorecard import Scorecard, read_scorecard
from leadscore.pipeline.signals.catalog import Catalog

FOLDER = ROOT / "tests" / "golden" / "schema_1"
OLD_WORDS = (
    "instead", "at_instead", "mql_released", "sql_released", "worth", "zero", "kinds_left_out",
    "label", "off_form",
)  # fmt: skip


def keys_and_kinds(content: object) -> set[str]:
    if isinstance(content, list):
        return set().union(*map(keys_and_kinds, content))
    if not isinstance(content, dict):
        return set()
    kind = content.get("kind")
    own = {*content, kind} if isinstance(kind, str) else set(content)
    return own.union(*map(keys_and_kinds, content.values()))


def numbers(content: object) -> list[float]:
    """Return every number, in an order that does not depend on the names of keys."""
    if isinstance(content, list):
        return [number for part in content for number in numbers(part)]
    if isinstance(content, dict):
        return [number for part in content.values() for number in numbers(part)]
    return [content] if isinstance(content, int | float) and not isinstance(content, bool) else []


@pytest.fixture(params=["predictive", "rules"])
def text(request) -> str:
    return (FOLDER / f"{request.param}.json").read_text(encoding="utf-8")


def test_a_scorecard_of_schema_1_loads_and_gives_its_golden_answers(text):
    scorecard = read_scorecard(text)
    check_golden_leads(scorecard)
    old = json.loads(text)
    assert scorecard.sha256 == old["sha256"], "registry and logs know the version by this hash"
    assert len(scorecard.terms) == len(old["terms"])
    assert scorecard.base == old["base"]
    assert sorted(scorecard.bands.overrides) == sorted(old["bands"]["instead"]) != []


def test_no_number_moves_and_no_old_name_is_left(text):
    old = json.loads(text)
    assert keys_and_kinds(old) & set(OLD_WORDS)
    new = json.loads(read_scorecard(text).sealed().to_json())
    assert not keys_and_kinds(new) & set(OLD_WORDS)
    before, after = numbers(old), numbers(new)
    before.remove(1)  # the schema's version
    after.remove(2)
    for number in before:
        after.remove(number)
    assert set(after) <= {0.0}, "schema 2 also writes the defaults that schema 1 left out"


def test_its_definitions_are_a_catalogue_of_today(text):
    catalog = Catalog.model_validate(read_scorecard(text).definitions)
    kinds = {signal.declaration.kind for signal in catalog.signals}
    assert ("pattern_mismatch" in kinds) == ('"off_form"' in text)
    assert {signal.named("es") for signal in catalog.signals} > {"el sector de la empresa"}


def test_sealed_again_it_is_a_scorecard_of_schema_2(text):
    sealed = read_scorecard(text).sealed()
    again = read_scorecard(sealed.to_json())
    assert again == sealed
    assert again.schema_version == 2
    assert again.sha256 != json.loads(text)["sha256"]


def test_a_changed_scorecard_of_schema_1_is_refused(text):
    document = json.loads(text)
    for change in ({"base": 0.5}, {"schema_version": 2}, {"bands": {}}, {"sha256": None}):
        with pytest.raises(ScorecardError):
            read_scorecard(json.dumps({**document, **change}))
    mixed = Scorecard.model_validate_json(read_scorecard(text).sealed().to_json())
    both = {**json.loads(mixed.to_json()), "schema_version": 1}
    with pytest.raises(ScorecardError, match="does not match its sha256"):
        read_scorecard(json.dumps(both))


@pytest.mark.parametrize(
    "part", [None, 3, "x", [], {"signals": 3}, {"signals": [3, {"declaration": 3}]}]
)
@pytest.mark.parametrize("key", ["points", "bands", "definitions"])
def test_what_has_not_the_form_of_a_scorecard_is_refused_not_a_crash(text, key, part):
    """The hash fits: whoever made it hashed nonsense."""
    from leadscore.models.scorecard import _hash

    document = {**json.loads(text), key: part}
    document["sha256"] = _hash(document)
    try:
        scorecard = read_scorecard(json.dumps(document))
    except ScorecardError:
        return
    assert key == "definitions", "definitions are the live reader's to refuse"
    assert isinstance(scorecard.definitions, dict)
