"""The record: canonical JSON there and back, and a refusal for everything that is not right."""

import json
import math

import pytest
from hypothesis import given
from pydantic import ValidationError
from support.scorecards import LAW, make_scorecard, make_term, scored_leads

from leadscore.models.axes import Axes
from leadscore.models.bands import Bands
from leadscore.models.errors import ScorecardError
from leadscore.models.score_lead import Scorer
from leadscore.models.scorecard import Cap, Points, Scorecard, read_scorecard
from leadscore.models.shapes import Curve, Steps, Table

VISITS = Curve(knots=(0.0, 4.0), values=(-1.0, 1.0), missing=-0.75)
CHANNEL = Table(levels={"ads": -0.5, "España": 1.25}, missing=-0.25, other=0.125)
ADS = Steps(edges=(), values=(0.5,), missing=0.0)


def hand_made() -> Scorecard:
    return make_scorecard(
        make_term(CHANNEL, "web__channel"),
        make_term(VISITS, by="web__channel", variants={"ads": ADS}, group="visits"),
        base=-1.5,
        caps={"visits": Cap(low=-0.5, high=0.5)},
        definitions={"words": ["año"], "half_life_days": 30.0},
    ).sealed()


@LAW
@given(scored_leads())
def test_a_scorecard_comes_back_from_json_the_same_and_scores_the_same(drawn):
    scorecard, leads = drawn
    sealed = scorecard.sealed()
    text = sealed.to_json()
    again = read_scorecard(text)
    assert again == sealed
    assert again.to_json() == text
    assert again.sealed() == again
    for lead in leads:
        assert Scorer(again).score(lead) == Scorer(scorecard).score(lead)


def test_caps_are_added_in_the_same_order_before_and_after_json():
    def worth(x: float) -> Table:
        return Table(levels={}, missing=x, other=x)

    scorecard = make_scorecard(
        make_term(worth(1.1), "web__a", group="z"),
        make_term(worth(2.3), "web__b", group="a"),
        base=0.3,
        caps={"z": Cap(low=-1.0, high=0.1), "a": Cap(low=-1.0, high=0.7)},
    )
    before = Scorer(scorecard).score({})
    after = Scorer(read_scorecard(scorecard.sealed().to_json())).score({})
    assert after.contributions == before.contributions
    assert after.log_odds == before.log_odds


def test_the_text_is_canonical():
    text = hand_made().to_json()
    document = json.loads(text)
    assert text == json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False) + "\n"
    assert "España" in text
    assert document["sha256"] == hand_made().sha256
    assert hand_made().fingerprint == hand_made().sha256[:12]
    assert len(hand_made().fingerprint) == 12


def test_the_order_in_which_levels_were_met_does_not_matter():
    def sealed(levels: dict[str, float]) -> Scorecard:
        table = Table(levels=levels, missing=0.0, other=0.0)
        return make_scorecard(make_term(table, "web__channel")).sealed()

    one, two = sealed({"a": 1.0, "b": 2.0}), sealed({"b": 2.0, "a": 1.0})
    assert one.to_json() == two.to_json()


def test_the_hash_covers_everything_but_itself():
    scorecard = hand_made()
    changes = {
        "project": "other",
        "kind": "close_rate",
        "horizon_days": None,
        "base": -1.25,
        "terms": scorecard.terms[::-1],
        "caps": {"visits": Cap(low=-0.5, high=0.75)},
        "points": Points(per_log_odds=2.0),
        "bands": Bands(mql=0.2, sql=0.6),
        "quantiles": (0.0,),
        "axes": Axes(fit=(0.0, 1.0, 2.0)),
        "definitions": {},
        "training": {"seed": 1},
    }
    assert set(changes) == set(Scorecard.model_fields) - {"schema_version", "golden", "sha256"}
    hashes = {scorecard.model_copy(update={k: v}).sealed().sha256 for k, v in changes.items()}
    assert len(hashes) == len(changes)
    assert scorecard.sha256 not in hashes
    assert scorecard.sealed() == scorecard


# ---------------------------------------------------------------- what is not written


def test_an_unsealed_or_edited_scorecard_is_not_written():
    sealed = hand_made()
    with pytest.raises(ScorecardError, match="not sealed"):
        make_scorecard().to_json()
    with pytest.raises(ScorecardError, match="not sealed"):
        sealed.model_copy(update={"base": 0.0}).to_json()
    with pytest.raises(ScorecardError, match="not sealed"):
        sealed.rescaled(1.0, 0.0).to_json()
    sealed.definitions["words"].append("edited in place")
    with pytest.raises(ScorecardError, match="not sealed"):
        sealed.to_json()


@pytest.mark.parametrize("factor", [0.0, -1.0, math.nan])
def test_a_recalibration_that_turns_the_ranking_round_is_refused(factor):
    with pytest.raises(ScorecardError, match="factor above 0"):
        hand_made().rescaled(factor, 0.0)


@pytest.mark.parametrize(
    ("factor", "shift"), [(1e12, 0.0), (math.inf, 0.0), (1.0, math.nan), (1.0, 2e9)]
)
def test_a_recalibration_beyond_what_can_be_read_again_is_refused(factor, shift):
    for scorecard in (make_scorecard(make_term(VISITS)), hand_made()):
        with pytest.raises(ScorecardError):
            scorecard.rescaled(factor, shift)


def test_a_recalibration_reaches_every_weight_and_nothing_else():
    axes = Axes(fit=(0.0, 1.0, 2.0))
    before = hand_made().model_copy(update={"quantiles": (0.5,), "axes": axes})
    after = before.rescaled(2.0, 0.25)
    channel, visits = after.terms
    assert after.base == -2.75
    assert channel.shape == Table(levels={"ads": -1.0, "España": 2.5}, missing=-0.5, other=0.25)
    assert visits.shape == Curve(knots=(0.0, 4.0), values=(-2.0, 2.0), missing=-1.5)
    assert visits.variants == {"ads": Steps(edges=(), values=(1.0,), missing=0.0)}
    assert after.caps == {"visits": Cap(low=-1.0, high=1.0)}
    assert (after.quantiles, after.axes, after.bands, after.points) == (
        (0.5,), axes, hand_made().bands, hand_made().points,
    )  # fmt: skip
    assert (after.golden, after.sha256) == ((), "")
    mean = make_scorecard(make_term(VISITS, mean=0.5)).rescaled(3.0, 0.0).terms[0].mean
    assert mean == 1.5


# ---------------------------------------------------------------- what is not read


def resealed(change) -> str:
    """The hand-made scorecard's text with a change, under a hash that fits."""
    from leadscore.models.scorecard import _hash

    document = json.loads(hand_made().to_json())
    change(document)
    document["sha256"] = _hash(document)
    return json.dumps(document)


def set_at(*path):
    """A change: put the last of these at the place that the others lead to."""
    *places, last, value = path

    def change(document):
        for place in places:
            document = document[place]
        document[last] = value

    return change


def test_resealing_without_a_change_is_read():
    assert read_scorecard(resealed(lambda document: None)) == hand_made()


def test_any_tampered_digit_is_noticed():
    text = hand_made().to_json()
    body = text.index('"sha256"')
    digits = [i for i, sign in enumerate(text) if sign.isdigit()]
    assert len(digits) > 60
    for i in digits:
        other = str((int(text[i]) + 1) % 10)
        with pytest.raises(ScorecardError):
            read_scorecard(text[:i] + other + text[i + 1 :])
    assert any(i < body for i in digits)


def test_any_truncated_text_is_noticed():
    text = hand_made().to_json().rstrip()
    for length in range(len(text)):
        with pytest.raises(ScorecardError, match=r"scorecard\.json"):
            read_scorecard(text[:length])


def test_a_key_given_twice_cannot_smuggle_a_weight_in():
    text = hand_made().to_json()
    first = '{"base": 9.0,' + text[1:]
    last = text.rstrip()[:-1] + ', "base": 9.0}'
    assert read_scorecard(first).base == -1.5
    with pytest.raises(ScorecardError, match="does not match its sha256"):
        read_scorecard(last)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("lead_id,score", "not JSON"),
        ("[]", "one object"),
        ("null", "one object"),
        ("{}", "schema version None, this program reads 1 and 2"),
        ('{"schema_version": 3}', "schema version 3, this program reads 1 and 2"),
        ('{"schema_version": "2"}', "schema version '2'"),
        ('{"schema_version": true}', "schema version True"),
        ('{"schema_version": 1.0}', "schema version 1.0"),
        ('{"schema_version": 2}', "Field required"),
        ('{"schema_version": 1}', "does not match its sha256"),
        ('{"schema_version": 2, "base": ' + "9" * 5000 + "}", "not JSON"),
        ('{"a":' * 100_000, "not JSON"),
        ('{"schema_version": 2, "training": ' + '{"a":' * 400 + "1" + "}" * 401, "recursion"),
        ("\ud800", "not JSON"),
        ('{"schema_version": 2, "project": "\ud800"}', "unicode"),
        ('{"schema_version": 2, "project": "\\ud800"}', "Invalid JSON"),
    ],
)
def test_a_text_that_is_no_scorecard_is_refused(text, message):
    with pytest.raises(ScorecardError, match=message):
        read_scorecard(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_at("base", math.nan), "base: Input should be a finite number"),
        (set_at("base", "1.5"), "base: Input should be a valid number"),
        (set_at("base", True), "base: "),
        (set_at("base", -2e9), "base: Input should be greater than or equal to"),
        (set_at("terms", 0, "shape", "levels", "ads", math.nan), "levels.ads.*finite"),
        (set_at("terms", 0, "shape", "levels", "ads", math.inf), "levels.ads.*finite"),
        (set_at("terms", 1, "shape", "values", 0, None), r"terms\.1\.shape.*values\.0"),
        (set_at("terms", 1, "shape", "missing", math.nan), "missing.*finite"),
        (set_at("terms", 1, "shape", "knots", [4.0, 0.0]), "knots must increase"),
        (set_at("terms", 1, "shape", "kind", "spline"), "'spline'"),
        (set_at("terms", 1, "signal", "web__channel"), "more than one term for web__channel"),
        (set_at("terms", 1, "weight", 1.0), "weight: Extra inputs"),
        (set_at("weights", {}), "weights: Extra inputs"),
        (set_at("kind", "neural"), "kind: Input should be"),
        (set_at("caps", "clicks", {"low": 0.0, "high": 1.0}), "caps"),
        (set_at("caps", {}), "groups of terms"),
        (set_at("caps", "visits", "low", 0.75), r"low \(0.75\) must not be above high \(0.5\)"),
        (set_at("bands", {"mql": 0.5, "sql": 0.5}), r"mql \(0.5\) must lie below sql \(0.5\)"),
        (set_at("bands", {"mql": 0.0, "sql": 0.5}), "bands.mql"),
        (set_at("bands", {"mql": 0.2, "sql": 1.0}), "bands.sql"),
        (set_at("points", {"per_log_odds": 0.0}), "points.per_log_odds"),
        (set_at("horizon_days", 0.0), "horizon_days"),
        (set_at("golden", [{"signals": {}, "log_odds": 0.0, "band": "hot"}]), "golden.0.band"),
        (lambda document: document.pop("terms"), "terms: Field required"),
    ],
)
def test_a_scorecard_with_something_wrong_inside_is_refused_even_if_resealed(change, message):
    with pytest.raises(ScorecardError, match=message):
        read_scorecard(resealed(change))


# ---------------------------------------------------------------- what is not even made


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: make_scorecard(make_term(VISITS), make_term(VISITS)),
            "more than one term for web__visits",
        ),
        (
            lambda: make_scorecard(caps={"clicks": Cap(low=0.0, high=1.0)}),
            r"groups of terms \[\] and caps \['clicks'\] differ",
        ),
        (
            lambda: make_scorecard(make_term(VISITS, group="clicks")),
            r"groups of terms \['clicks'\] and caps \[\] differ",
        ),
        (lambda: Cap(low=1.0, high=0.0), "must not be above"),
        (lambda: make_term(VISITS, variants={"ads": VISITS}), "names no signal to choose one"),
        (lambda: Bands(mql=0.6, sql=0.5), "must lie below"),
        (lambda: Bands(mql=math.nan, sql=0.5), "mql"),
        (lambda: make_scorecard(base=math.inf), "finite"),
        (lambda: make_scorecard(horizon_days=-1.0), "greater than 0"),
        (lambda: make_scorecard(schema_version=3), "schema_version"),
        (lambda: make_scorecard(weights={}), "Extra inputs"),
    ],
)
def test_a_scorecard_that_contradicts_itself_is_not_made(make, message):
    with pytest.raises(ValidationError, match=message):
        make()


def test_a_scorecard_cannot_be_changed_by_assignment():
    with pytest.raises(ValidationError, match="frozen"):
        hand_made().base = 0.0


def test_a_read_scorecard_scores_like_the_one_that_was_written():
    lead = {"web__channel": "España", "web__visits": 3.0}
    written, read = hand_made(), read_scorecard(hand_made().to_json())
    assert Scorer(read).score(lead) == Scorer(written).score(lead)
    assert Scorer(read).score(lead).contributions == (1.25, 0.5, 0.0)
