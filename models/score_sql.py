"""A scorecard as ANSI SQL, for a warehouse that has the signals as columns.

The text runs unchanged on DuckDB and SQLite (tested). Numbers have an exponent, so that no engine
reads them as DECIMAL. Additions keep the scorecard's order, so that sums agree. SQLite reads some
literals of seventeen digits with an error of one bit, which can move a lead that lies exactly on an
edge.
"""

from leadscore.models.bands import CutoffLogOdds
from leadscore.models.scorecard import Points, Scorecard, Term
from leadscore.models.shapes import LARGEST_KNOT, LARGEST_WEIGHT, Curve, Shape, Steps, Table
from leadscore.models.sql_text import quote_name, quote_text, write_number


def score_sql(scorecard: Scorecard, table: str, keys: tuple[str, ...] = ("lead_id",)) -> str:
    """Return a SELECT of keys, log_odds, probability, score, band and points of a table of leads.

    The table has one column per term. Missing values must be NULL: an engine takes NaN for a
    number. The text has no closing semicolon.

    Raises ScorecardError if a name is empty or holds a NUL character, which no engine can quote.
    """
    key_names = ", ".join(quote_name(key) for key in keys)
    key_columns = ", ".join(_column(key) for key in keys)
    terms = "".join(
        f",\n  {_write_term(term)} AS {_contribution(index)}"
        for index, term in enumerate(scorecard.terms)
    )
    by = scorecard.bands.by
    level = "" if by is None else f", {_LEVEL}"
    level_column = "" if by is None else f", {_column(by)} AS {_LEVEL}"
    sums = (", " + ", ".join(_SUMS) if scorecard.bands.minimums.axes else "") + level
    # EXP is only called with numbers from -700 to 0: PostgreSQL makes over- and underflow an error.
    return f"""SELECT {key_names}, log_odds, probability, 100e0 * probability AS score,
  {_write_band(scorecard)} AS band, {_write_points(scorecard.points)} AS points
FROM (
SELECT {key_names}{sums}, log_odds,
  CASE WHEN log_odds < -700e0 THEN 0e0 WHEN log_odds > 700e0 THEN 1e0
    WHEN log_odds >= 0e0 THEN 1e0 / (1e0 + EXP(-log_odds))
    ELSE EXP(log_odds) / (1e0 + EXP(log_odds)) END AS probability
FROM (
SELECT {key_names}{_write_axes(scorecard)}{level},
  {" + ".join([write_number(scorecard.base), *_list_contributions(scorecard)])} AS log_odds
FROM (
SELECT {key_columns}{level_column}{terms}
FROM {quote_name(table)} AS leads
) AS contributions
) AS summed
) AS scored"""  # noqa: S608 - names are quoted, numbers and levels written by this module


_SUMS, _LEVEL = ("sum_of_fit", "sum_of_engagement"), "band_level"
"""The names of columns of inner SELECTs from which the band follows; the result has none."""


def _write_points(points: Points) -> str:
    if points.log_odds_per_point is None:
        offset, scale = write_number(points.offset), write_number(points.per_log_odds)
        return f"{offset} + {scale} * log_odds"
    zero, step = points.log_odds_at_zero, points.log_odds_per_point
    return f"(log_odds - {write_number(zero)}) / {write_number(step)}"


def _write_band(scorecard: Scorecard) -> str:
    bands = scorecard.bands
    cases = "".join(
        f"WHEN {_LEVEL} = {quote_text(level)} THEN {_compare_cutoffs(cutoffs)} "
        for level, cutoffs in sorted(bands.cutoff_overrides.items())
    )
    common = _compare_cutoffs(bands.cutoff_log_odds)
    by_score = f"CASE {cases}ELSE {common} END" if cases else common
    if not bands.minimums.axes:
        return by_score
    unmet_mql, unmet_sql = (
        " OR ".join(
            f"{name} < {write_number(cut)}"
            for name, cut in zip(_SUMS, minimum.cuts(scorecard.axes), strict=True)
            if cut > float("-inf")
        ) or "1 = 0"
        for minimum in (bands.minimums.mql, bands.minimums.sql)
    )  # fmt: skip
    limited = f"CASE ({by_score}) WHEN 'SQL' THEN 'MQL' WHEN 'MQL' THEN 'MQL' ELSE 'cold' END"
    return f"CASE WHEN {unmet_mql} THEN 'cold' WHEN {unmet_sql} THEN {limited} ELSE {by_score} END"


def _compare_cutoffs(cutoffs: CutoffLogOdds) -> str:
    mql, sql = write_number(cutoffs.mql), write_number(cutoffs.sql)
    return (
        f"CASE WHEN log_odds >= {sql} THEN 'SQL' WHEN log_odds >= {mql} THEN 'MQL' ELSE 'cold' END"
    )


def _write_axes(scorecard: Scorecard) -> str:
    """Write the partial sums of the axes, if the bands have minimums."""
    if not scorecard.bands.minimums.axes:
        return ""
    contributions = _list_contributions(scorecard)
    sums = (
        " + ".join(["0e0", *(contributions[index] for index in members)])
        for members in scorecard.axis_members
    )
    return "".join(f", {total} AS {name}" for total, name in zip(sums, _SUMS, strict=True))


def _list_contributions(scorecard: Scorecard) -> list[str]:
    terms = map(_contribution, range(len(scorecard.terms)))
    return [*terms, *(_write_adjustment(scorecard, name) for name in scorecard.caps)]


def _contribution(index: int) -> str:
    return f"contribution_{index}"


def _write_adjustment(scorecard: Scorecard, name: str) -> str:
    """Write what a cap adds to its group, often a negative number."""
    cap = scorecard.caps[name]
    members = [_contribution(i) for i, term in enumerate(scorecard.terms) if term.group == name]
    partial = f"({' + '.join(['0e0', *members])})"
    low, high = write_number(cap.low), write_number(cap.high)
    clipped = (
        f"CASE WHEN {partial} < {low} THEN {low} "
        f"WHEN {partial} > {high} THEN {high} ELSE {partial} END"
    )
    return f"({clipped} - {partial})"


def _column(signal: str) -> str:
    """Quote a column with its table, since SQLite reads an unknown quoted name as text."""
    return f"leads.{quote_name(signal)}"


def _write_term(term: Term) -> str:
    column = _column(term.signal)
    if term.by is None or not term.variants:
        return _write_shape(term.shape, column)
    cases = " ".join(
        f"WHEN {_column(term.by)} = {quote_text(level)} THEN {_write_shape(shape, column)}"
        for level, shape in term.variants.items()
    )
    return f"CASE {cases} ELSE {_write_shape(term.shape, column)} END"


def _write_shape(shape: Shape, column: str) -> str:
    cases = [f"WHEN {column} IS NULL THEN {write_number(shape.missing)}"]
    if isinstance(shape, Table):
        cases += [
            f"WHEN {column} = {quote_text(level)} THEN {write_number(weight)}"
            for level, weight in sorted(shape.levels.items())
        ]
        last = write_number(shape.other)
    elif isinstance(shape, Steps):
        cases += [
            f"WHEN {column} < {write_number(edge)} THEN {write_number(value)}"
            for edge, value in zip(shape.edges, shape.values, strict=False)
        ]
        last = write_number(shape.values[-1])
    else:
        segments, last = _write_curve(shape, column)
        cases += segments
    return f"CASE {' '.join(cases)} ELSE {last} END"


def _write_curve(shape: Curve, column: str) -> tuple[list[str], str]:
    knots, values = shape.knots, shape.values
    lines = [
        f"{write_number(values[i])} + {write_number(values[i + 1] - values[i])} * "
        f"(({column} - {write_number(knots[i])}) / {write_number(knots[i + 1] - knots[i])})"
        for i in range(len(knots) - 1)
    ]
    low, high = write_number(values[0]), write_number(values[-1])
    if shape.beyond == "linear":
        first, last = (
            _clip(lines[i].replace(column, _clip(column, LARGEST_KNOT)), LARGEST_WEIGHT)
            for i in (0, -1)
        )
        low = low if values[0] == values[1] else first
        high = high if values[-1] == values[-2] else last
    cases = [f"WHEN {column} < {write_number(knots[0])} THEN {low}"]
    cases += [
        f"WHEN {column} < {write_number(knots[i + 1])} THEN {line}" for i, line in enumerate(lines)
    ]
    return cases, high


def _clip(expression: str, largest: float) -> str:
    limit = write_number(largest)
    return (
        f"(CASE WHEN {expression} > {limit} THEN {limit} "
        f"WHEN {expression} < -{limit} THEN -{limit} ELSE {expression} END)"
    )
