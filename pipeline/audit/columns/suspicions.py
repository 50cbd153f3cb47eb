"""The rules by which a column is suspected: each sign of a leak, its weight and its reason."""

import re
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy.stats import spearmanr

from leadscore.pipeline.audit.columns.statistics import (
    MIN_EXPECTED_WINS,
    NEVER_WINS,
    CertainValues,
    ColumnStatistics,
)
from leadscore.pipeline.audit.columns.subjects import Values
from leadscore.pipeline.audit.records import ColumnVerdict

TOO_GOOD, VERY_GOOD = 0.95, 0.88
"""AUC that no single fact known beforehand has, and that hardly any has."""
WORTH_ASKING_AUC = 0.65
"""From this AUC on, a column that was stronger at one time is worth a question."""
SURE_ODDS_RATIO, SUREST_ODDS_RATIO = 20.0, 55.0
"""Odds ratios, at the low ends of their intervals, that few honest values have, and hardly any."""
MIN_EXTRA_WINS = 25.0
"""Number of leads that won although, at the overall rate, they should not have."""
UNEVEN_FILLING = 0.5
"""A share filled that differs by this much between stretches of time."""
HALVES_APART_AUC = 0.10
"""An AUC that differs by this much between the halves of the data."""

Suspicion = tuple[ColumnVerdict, str]


def list_suspicions(
    seen: ColumnStatistics, as_of: bool, from_text: bool = False
) -> Iterator[Suspicion]:
    """Yield what speaks against a column, each with its weight.

    `as_of` says whether the values are known to be those of the moment. Then only what no honest
    signal can have speaks against it. `from_text` says whether they were made from a text, for
    example marks of spam, which may never win.
    """
    auc, sure = seen.auc, seen.certainty
    alone = f"AUC {auc.value:.3f} alone ({auc.low:.3f} to {auc.high:.3f})"
    if auc.low >= TOO_GOOD:
        yield "refuse", f"it predicts the outcome by itself: {alone}"
    elif auc.low >= VERY_GOOD:
        yield "quarantine", f"it predicts nearly all by itself: {alone}"
    single = f"single values always win, and hold {sure.wins:.0%} of all wins: {sure.always}"
    if sure.wins >= 0.5 and sure.odds_ratio >= SURE_ODDS_RATIO:
        yield "refuse", single
    if sure.extra_wins >= MIN_EXTRA_WINS:
        yield "quarantine", f"a value always wins, without one exception: {sure.always}"
    elif sure.extra_wins >= MIN_EXTRA_WINS / 2.5 or (sure.wins >= 0.1 and not as_of):
        yield "not vouched for", f"single values nearly always win: {sure.always}"
    if as_of:
        return
    if (0.3 <= sure.wins < 0.5 and sure.odds_ratio >= SURE_ODDS_RATIO) or (
        sure.wins >= 0.03 and sure.odds_ratio >= SUREST_ODDS_RATIO
    ):
        yield "quarantine", single
    if not from_text:  # signals of a text cannot change after a win, and spam may well never win
        yield from _check_certain_values(sure)
    yield from _check_filling(seen)
    earlier, later = seen.auc_earlier, seen.auc_later
    error = (auc.high - auc.low) / (2.0 * 1.96) * np.sqrt(2.0)  # of each half
    least = max(HALVES_APART_AUC, 4.0 * np.sqrt(2.0) * error)
    if earlier is not None and later is not None and abs(earlier - later) >= least:
        yield (
            "not vouched for" if auc.value >= WORTH_ASKING_AUC else "use",
            "it predicts better in one half of the time than in the other: "
            f"AUC {earlier:.2f} in the earlier, {later:.2f} in the later half",
        )


def _check_certain_values(sure: CertainValues) -> Iterator[Suspicion]:
    both = f"some values always win ({sure.always}), others never ({sure.never})"
    if sure.wins >= 0.10 and sure.others >= 0.05:
        yield "refuse", both
    elif sure.wins >= 0.01 and sure.others >= 0.02:
        yield "quarantine", both
    elif sure.others >= 0.02 and sure.never_expected >= 50.0:
        yield "not vouched for", f"a value never wins: {sure.never}"
    others = 1.0 - sure.constant_others
    if (
        sure.constant >= 0.95
        and others >= 0.25
        and sure.constant_rate <= NEVER_WINS
        and sure.constant_expected >= MIN_EXPECTED_WINS
    ):
        far = others >= 0.4 and sure.constant_rate <= NEVER_WINS / 2.0
        heavy: ColumnVerdict = "refuse" if far else "quarantine"
        yield (
            heavy if sure.constant >= 0.99 else "not vouched for",
            f"constant after a win: {sure.constant:.1%} of the won leads have {sure.constant_value}"
            f", and {sure.constant_others:.1%} of the others",
        )


def _check_filling(seen: ColumnStatistics) -> Iterator[Suspicion]:
    shares = f"filled for {seen.filled_won:.0%} of the won leads and {seen.filled_not_won:.0%} of "
    gap = abs(seen.filled_won - seen.filled_not_won)
    if gap >= 0.5:
        yield "quarantine", f"{shares}the others: was it filled after the outcome?"
    elif gap >= 0.4:
        yield "not vouched for", f"{shares}the others: when was it filled?"
    if seen.uneven >= UNEVEN_FILLING:
        yield (
            "not vouched for",
            f"the share filled differs by {seen.uneven:.0%} between stretches of time: what it "
            "says does not mean the same throughout",
        )


OVERWRITTEN_WORDS = frozenset("last latest newest ultima ultimo dernier derniere recent".split())
JUDGED_WORDS = frozenset(
    "tag tags quality rating grade score index stage status disposition remark remarks note notes "
    "comment comments calidad etapa motivo comentario comentarios puntuacion nota notas qualite "
    "etape statut commentaire".split()
)
CLOSING_WORDS = frozenset(
    "closed closing close won lost deal contract signed invoice invoiced purchase purchased paid "
    "cierre cerrado contrato factura pagado conclu contrat facture".split()
)
HARMLESS_WORDS = frozenset("marital civil employment familial name nombre nom".split())


def judge_name(column: str) -> str | None:
    """Return what a column's name says of when it was written, or None.

    Examples
    --------
    >>> judge_name("Last Notable Activity")
    'its name says that it is overwritten ("last")'
    >>> judge_name("marital_status") is None
    True
    """
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", column).lower()
    words = re.findall("[a-z0-9]+", apart)
    if HARMLESS_WORDS & set(words):
        return None
    for word in words:
        if word in OVERWRITTEN_WORDS:
            return f'its name says that it is overwritten ("{word}")'
        if word in CLOSING_WORDS:
            return f'its name speaks of the closing ("{word}")'
    for word in words:
        if word in JUDGED_WORDS:
            return f'its name says that somebody judged the lead, at an unknown time ("{word}")'
    return None


UNIQUE = 0.8
"""From this share of different values on, a text is as good as a name."""
MIN_VALUES = 50
IN_ORDER_CORRELATION = 0.98
DENSE_NUMBERS = 0.2


def judge_identity(values: Values, order: npt.NDArray[np.float64] | None) -> str | None:
    """Return why a column is as good as an identifier, or None.

    Text is one if four in five of its values are different. Whole numbers are one if nearly all are
    different, and they run with the leads' `order` (time or arrival number, (n,)) or leave few out.
    """
    filled = values.filled
    count = int(filled.sum())
    if count < MIN_VALUES or values.kind == "time":
        return None
    different = len(np.unique(values.exact[filled]))
    if values.kind == "text":
        text = f"id-like: {different:,} different values in {count:,} leads"
        return text if different >= UNIQUE * count else None
    numbers = np.asarray(values.names, float)[values.exact[filled] - 1]
    if different < 0.99 * count or not np.equal(numbers, np.round(numbers)).all():
        return None
    if order is not None and np.ptp(order[filled]) > 0.0:
        along = float(spearmanr(numbers, order[filled]).statistic)
        if abs(along) >= IN_ORDER_CORRELATION:
            return f"id-like: {different:,} different whole numbers that run with the leads' order"
    if count / (np.ptp(numbers) + 1.0) >= DENSE_NUMBERS:
        return f"id-like: {different:,} different whole numbers with few left out between them"
    return None
