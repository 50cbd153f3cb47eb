"""Rules add up to terms, and points stay whole: in one lead, a frame, SQL and by hand."""

import math
import sqlite3
from fractions import Fraction

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.scorecards import LAW, make_scorecard, tables, to_frame, weights

from leadscore.models.bands import Minimums
from leadscore.models.calibration import Affine
from leadscore.models.errors import ScorecardError
from leadscore.models.golden_leads import add_golden_leads, check_golden_leads
from leadscore.models.rule_sheet import (
    PointBands,
    PointCutoffs,
    add_shapes,
    make_sheet,
    round_to_binary,
    to_bands,
    to_points,
    to_terms,
)
from leadscore.models.score_frame import score_frame
from leadscore.models.score_lead import Scorer
from leadscore.models.score_sql import score_sql
from leadscore.models.scorecard import Cap, Term, read_scorecard
from leadscore.models.shapes import LARGEST_WEIGHT, Curve, Steps, Table


def make_rule(signal, family, shape, by=None, variants=None, group=None):
    return Term(
        signal=signal, family=family, shape=shape, by=by, variants=variants or {}, group=group
    )


SENIORITY = make_rule(
    "demographic__seniority", "demographic",
    Table(levels={"owner": 30.0, "student": -20.0}, missing=0.0, other=5.0),
)  # fmt: skip
PRICING = make_rule(
    "web__pricing", "web", Steps(edges=(1.0, 3.0), values=(0.0, 10.0, 25.0), missing=0.0),
    "web__via",
    {"ads": Steps(edges=(1.0,), values=(0.0, 5.0), missing=-5.0)},
)  # fmt: skip
CLICKS = make_rule(
    "email__clicks", "email",
    Curve(knots=(0.0, 1.0, 2.0, 3.0), values=(0.0, 15.0, 30.0, 45.0), missing=0.0), group="letters",
)  # fmt: skip
OPENS = make_rule(
    "email__opens", "email",
    Curve(knots=(0.0, 1.0), values=(0.0, 10.0), beyond="linear", missing=0.0), group="letters",
)  # fmt: skip
CAREERS = make_rule("web__careers", "web", Steps(edges=(1.0,), values=(0.0, -10.0), missing=0.0))
RULES = (SENIORITY, PRICING, CLICKS, OPENS, CAREERS)
CAPS = {"letters": Cap(low=-LARGEST_WEIGHT, high=40.0)}
BANDS = PointBands(
    PointCutoffs(40.0, 60.0, 5.0), "web__via", {"fair": PointCutoffs(20.0, 40.0)},
    Minimums(sql={"fit": "C"}),
)  # fmt: skip
AFFINE = round_to_binary(Affine(0.0371, -2.913))


def make(rules=RULES, affine=AFFINE, start=0.0, bands=BANDS, caps=CAPS):
    plain = make_scorecard(base=start)
    sheet = make_sheet(to_terms(rules), caps, affine, plain)
    cuts = tuple(affine.factor * cut for cut in (0.0, 5.0, 30.0))
    finished = {"bands": to_bands(bands, affine), "axes": {"fit": cuts, "engagement": cuts}}
    return type(sheet).model_validate({**sheet.model_dump(), **finished})


def by_hand(lead, start=0):
    """The points of a lead as a person adds them up, in whole numbers."""
    points = start + {"owner": 30, "student": -20, None: 0}.get(lead["demographic__seniority"], 5)
    views = lead["web__pricing"]
    if lead["web__via"] == "ads":
        points += -5 if views is None else 5 if views >= 1 else 0
    elif views is not None:
        points += 25 if views >= 3 else 10 if views >= 1 else 0
    letters = 15 * min(lead["email__clicks"] or 0, 3) + 10 * (lead["email__opens"] or 0)
    points += min(letters, 40)
    return points - (10 if (lead["web__careers"] or 0) >= 1 else 0)


counts = st.none() | st.integers(0, 9).map(float)
leads = st.fixed_dictionaries(
    {
        "demographic__seniority": st.sampled_from([None, "owner", "student", "staff"]),
        "web__pricing": counts,
        "web__via": st.sampled_from([None, "ads", "fair", "search"]),
        "email__clicks": counts,
        "email__opens": counts,
        "web__careers": counts,
    }
)


def test_points_are_the_same_by_hand_for_one_lead_in_a_frame_and_in_sql():
    sheet = make(start=3.0)
    scorer = Scorer(sheet)
    databases = {"duckdb": duckdb.connect(), "sqlite": sqlite3.connect(":memory:")}

    @LAW
    @given(st.lists(leads, min_size=1, max_size=8))
    def law(drawn):
        wanted = [float(by_hand(lead, 3)) for lead in drawn]
        scores = [scorer.score(lead) for lead in drawn]
        assert [sheet.points.total(score.log_odds) for score in scores] == wanted
        frame = score_frame(sheet, to_frame(sheet, drawn))
        assert sheet.points.total(frame.log_odds).tolist() == wanted
        assert frame.band.tolist() == [score.band for score in scores]
        for database in databases.values():
            found = _run(database, sheet, drawn)
            assert [row[0] for row in found] == wanted
            assert [row[1] for row in found] == [score.band for score in scores]

    law()


def _run(database, sheet, drawn):
    columns = ", ".join(
        f'"{name}" {"TEXT" if text else "DOUBLE"}' for name, text in sheet.columns.items()
    )
    database.execute("DROP TABLE IF EXISTS signals")
    database.execute(f"CREATE TABLE signals (lead_id INTEGER, {columns})")
    for number, lead in enumerate(drawn):
        row = [number, *(lead[name] for name in sheet.columns)]
        database.execute(f"INSERT INTO signals VALUES ({', '.join('?' * len(row))})", row)
    sql = f"SELECT points, band FROM ({score_sql(sheet, 'signals')}) AS scored ORDER BY lead_id"
    return database.execute(sql).fetchall()


def test_a_lead_exactly_on_the_cutoff_is_in_the_band_and_a_point_below_is_not():
    scorer = Scorer(make())
    lead = dict.fromkeys(make().columns)
    owner = lead | {"demographic__seniority": "owner", "web__pricing": 3.0}
    assert by_hand(owner) == 55
    assert scorer.score(owner).band == "MQL"
    assert scorer.score(owner | {"email__opens": 1.0}).band == "SQL"  # 65
    assert scorer.score(owner | {"email__opens": 1.0, "web__careers": 1.0}).band == "MQL"  # 55
    at_mql = lead | {"email__opens": 4.0}
    assert by_hand(at_mql) == 40
    assert scorer.score(at_mql).band == "MQL"
    assert scorer.score(at_mql | {"email__opens": 3.0}).band == "cold"


def test_bands_are_left_below_their_cutoff_by_the_hysteresis_in_points():
    sheet = make()
    scorer, lead = Scorer(sheet), dict.fromkeys(sheet.columns)
    at_55 = lead | {"demographic__seniority": "owner", "web__pricing": 3.0}
    assert [scorer.score(at_55, band).band for band in ("cold", "MQL", "SQL")] == [
        "MQL", "MQL", "SQL",
    ]  # fmt: skip
    at_45 = at_55 | {"web__careers": 1.0}
    assert [scorer.score(at_45, band).band for band in ("cold", "SQL")] == ["MQL", "MQL"]


def test_clicks_alone_hand_nobody_to_sales():
    """A student has fit D: whatever it clicks, it is no more than MQL."""
    sheet = make()
    scorer, lead = Scorer(sheet), dict.fromkeys(sheet.columns)
    student = lead | {"demographic__seniority": "student", "web__pricing": 9.0, "email__opens": 9.0}
    busy = student | {"web__via": "fair"}
    assert by_hand(busy) == 45
    assert scorer.score(busy).band == "MQL"  # SQL begins at 40 for leads from a fair
    assert scorer.score(busy | {"demographic__seniority": None}).band == "SQL"
    assert scorer.score(student | {"web__via": None}).band == "MQL"


def test_a_sheet_is_written_read_and_checked_by_its_golden_leads():
    sheet = add_golden_leads(make()).sealed()
    again = read_scorecard(sheet.to_json())
    assert again == sheet
    check_golden_leads(again)
    assert {lead.signals.get("web__via") for lead in sheet.golden} >= {None, "ads"}


@LAW
@given(st.floats(1e-6, 10.0), st.floats(-50.0, 50.0), st.integers(-(10**6), 10**6))
def test_whole_points_survive_the_way_to_log_odds_and_back(factor, shift, quarters):
    points, held = quarters / 4.0, round_to_binary(Affine(factor, shift))
    log_odds = held.factor * points + held.shift
    assert Fraction(log_odds) == Fraction(held.factor) * Fraction(points) + Fraction(held.shift)
    assert to_points(held).total(log_odds) == points
    assert to_points(held).part(held.factor * points) == points
    assert math.isclose(held.factor, factor, rel_tol=1e-6)
    assert abs(held.shift - shift) <= 1e-6 * factor


def test_a_factor_that_turns_points_round_is_refused():
    with pytest.raises(ScorecardError, match=r"above 0, found -0\.1"):
        round_to_binary(Affine(-0.1, 0.0))


@LAW
@given(tables(), tables(), st.sampled_from([None, "a", "b", "never seen", "España"]))
def test_tables_add_up_at_every_level(one, other, level):
    one, other = one.rescaled(1e-3), other.rescaled(1e-3)  # points have their limit, too
    both = add_shapes(one, other, "web__x").reader()
    assert both(level) == one.reader()(level) + other.reader()(level)


@LAW
@given(st.data())
def test_steps_and_curves_add_up_at_every_value(data):
    small = st.lists(st.integers(-20, 20), min_size=2, max_size=4, unique=True).map(sorted)
    worth = st.lists(st.integers(-50, 50).map(float), min_size=5, max_size=5)
    kind = data.draw(st.sampled_from(["steps", "curve"]))

    def draw():
        at, values = tuple(map(float, data.draw(small))), data.draw(worth)
        missing = data.draw(st.integers(-9, 9).map(float))
        if kind == "steps":
            return Steps(edges=at, values=tuple(values[: len(at) + 1]), missing=missing)
        beyond = data.draw(st.sampled_from(["flat", "linear"]))
        return Curve(knots=at, values=tuple(values[: len(at)]), beyond=beyond, missing=missing)

    one, other = draw(), draw()
    both = add_shapes(one, other, "web__x").reader()
    for value in [None, *map(float, range(-30, 31)), 0.5, -7.25]:
        wanted = one.reader()(value) + other.reader()(value)
        assert math.isclose(both(value), wanted, rel_tol=1e-9, abs_tol=1e-9)


def test_rules_of_one_signal_become_one_term_and_those_that_cannot_are_refused():
    view = make_rule("web__visits", "web", Steps(edges=(1.0,), values=(0.0, 5.0), missing=0.0))
    more = make_rule("web__visits", "web", Steps(edges=(5.0,), values=(0.0, 10.0), missing=2.0))
    (term,) = to_terms([view, more])
    read = term.shape.reader()
    assert [read(x) for x in (0.0, 1.0, 5.0, None)] == [0.0, 5.0, 15.0, 2.0]
    grouped = make_rule("web__visits", "web", view.shape, group="site")
    with pytest.raises(ScorecardError, match=r"web__visits differ in `group` \(None and site\)"):
        to_terms([view, grouped])


def test_so_many_each_and_more_from_some_on_add_up_to_the_bit():
    """A row of spreadsheets: opened each 10, and 5 more from three on."""
    each = make_rule("email__opens", "email", OPENS.shape)
    more = make_rule("email__opens", "email", Steps(edges=(3.0,), values=(0.0, 5.0), missing=-1.0))
    for rules in ([each, more], [more, each]):
        (term,) = to_terms(rules)
        read = term.shape.reader()
        for opens in range(90):
            assert read(float(opens)) == 10.0 * opens + (5.0 if opens >= 3 else 0.0)
        assert read(math.nextafter(3.0, 0.0)) == pytest.approx(30.0)
        assert read(2.5) == pytest.approx(25.0)
        assert read(None) == -1.0


def test_levels_and_numbers_of_one_signal_are_refused():
    with pytest.raises(ScorecardError, match="web__x read levels here and numbers there"):
        add_shapes(SENIORITY.shape, OPENS.shape, "web__x")


def test_variants_of_rules_of_one_signal_add_up_by_level():
    def steps(points):
        return Steps(edges=(1.0,), values=(0.0, points), missing=0.0)

    one = make_rule("web__visits", "web", steps(5.0), "web__via", {"ads": steps(1.0)})
    other = make_rule("web__visits", "web", steps(10.0), "web__via", {"fair": steps(100.0)})
    (term,) = to_terms([one, other])
    found = {level: shape.reader()(2.0) for level, shape in term.variants.items()}
    assert found == {"ads": 11.0, "fair": 105.0}
    assert term.shape.reader()(2.0) == 15.0


def test_cutoffs_beyond_every_probability_are_still_told_apart():
    far = PointBands(PointCutoffs(5_000.0, 9_000.0))
    bands = to_bands(far, Affine(0.05, -3.0))
    assert bands.mql < bands.sql < 1.0
    assert bands.at.sql == 0.05 * 9_000.0 - 3.0


@LAW
@given(weights, weights)
def test_a_cap_without_a_limit_limits_nothing(low, high):
    low, high = sorted((max(min(low, 1e5), -1e5), max(min(high, 1e5), -1e5)))
    rule = make_rule("web__x", "web", Steps(edges=(), values=(high,), missing=low), group="g")
    sheet = make_sheet(
        to_terms([rule]), {"g": Cap(low=-LARGEST_WEIGHT, high=LARGEST_WEIGHT)},
        Affine(2.0, 0.0), make_scorecard(),
    )  # fmt: skip
    assert Scorer(sheet).score({"web__x": 1.0}).contributions == (2.0 * high, 0.0)
