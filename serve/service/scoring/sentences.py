"""A score in one sentence, for those who call leads; in English and Spanish."""

from collections.abc import Sequence
from typing import NamedTuple

from leadscore.models.log_odds import to_probability
from leadscore.models.score_lead import Explanation, Reason
from leadscore.pipeline.signals.kinds import Language
from leadscore.serve.service.scorecards.served import LANGUAGES, ServedModel

DEFAULT_LANGUAGE: Language = "en"
_MOST_FOR, _MOST_AGAINST = 3, 2
_LEAST_POINTS = 1.0
_SPAM = "spam"
_NOT_FOR_PEOPLE = frozenset({"decayed", "rate", "pattern_mismatch"})
_DAYS = frozenset({"days_since", "lead_age"})
_COUNTS = frozenset({"count", "active_days", "message_length"})
_WHOLE_FROM = 10.0


class _Words(NamedTuple):
    within: str
    so_far: str
    against_average: tuple[tuple[float, str], ...]
    usual: str
    speaks_for: str
    speaks_against: str
    nothing: str
    spam: str
    yes: str
    no: str
    day: str
    days: str
    percent: str
    thousands: str
    point: str
    join: str
    bands: dict[str, str]


_WORDS = {
    "en": _Words(
        within="{prob} likely to buy within {days:g} days",
        so_far="{prob} likely to buy",
        against_average=(
            (2.0, ", far more than is usual here ({average})"),
            (1.15, ", more than is usual here ({average})"),
            (0.87, ", about as likely as is usual here ({average})"),
            (0.5, ", less than is usual here ({average})"),
            (0.0, ", far less than is usual here ({average})"),
        ),
        usual="This lead is ",
        speaks_for="What speaks for it: {}.",
        speaks_against="What speaks against it: {}.",
        nothing="Nothing in particular speaks for it or against it.",
        spam="doubts about name, address or form",
        yes="yes", no="no", day="{} day", days="{} days", percent="{}%", thousands=",", point=".",
        join=" and ",
        bands={"SQL": "Call now.", "MQL": "For marketing to warm up.", "cold": "No call yet."},
    ),
    "es": _Words(
        within="con una probabilidad de compra del {prob} en {days:g} días",
        so_far="con una probabilidad de compra del {prob}",
        against_average=(
            (2.0, ", muy por encima de lo habitual ({average})"),
            (1.15, ", por encima de lo habitual ({average})"),
            (0.87, ", más o menos lo habitual ({average})"),
            (0.5, ", por debajo de lo habitual ({average})"),
            (0.0, ", muy por debajo de lo habitual ({average})"),
        ),
        usual="Un contacto ",
        speaks_for="A su favor: {}.",
        speaks_against="En su contra: {}.",
        nothing="Nada en particular habla a su favor ni en su contra.",
        spam="dudas sobre el nombre, el correo o el formulario",
        yes="sí", no="no", day="{} día", days="{} días", percent="{} %", thousands=".", point=",",
        join=" y ",
        bands={"SQL": "Para llamar ya.", "MQL": "Para que marketing lo madure.",
               "cold": "Todavía no para llamar."},
    ),
}  # fmt: skip
assert set(_WORDS) == set(LANGUAGES)  # noqa: S101 - both are constants of this program


def choose_language(accept: str) -> Language:
    """Return the language of an ``Accept-Language`` header that is spoken here, or English.

    The one of the highest weight counts, the first of equals (RFC 9110, 12.5.4).

    Examples
    --------
    >>> choose_language("fr, es-MX;q=0.8, en;q=0.5"), choose_language(""), choose_language("de")
    ('es', 'en', 'en')
    """
    best, chosen = 0.0, DEFAULT_LANGUAGE
    for part in accept[:200].split(","):
        tag, _, weight = part.partition(";")
        language = tag.strip().split("-")[0].lower()
        try:
            q = float(weight.strip().removeprefix("q=")) if weight.strip() else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and q > best:
            best, chosen = q, language
    return chosen


def write_sentence(model: ServedModel, explained: Explanation, language: str) -> str:
    """Write how likely a lead is to buy, and what speaks for it and against it."""
    words = _WORDS[language]
    average = _find_usual(model, explained)
    ratio = explained.probability / average if average > 0.0 else 1.0
    compared = next(text for least, text in words.against_average if ratio >= least)
    days = model.scorecard.horizon_days
    opening = words.so_far if days is None else words.within
    shown = {"prob": _percent(explained.probability, language), "days": days}
    sentences = [
        words.usual + opening.format(**shown)
        + compared.format(average=_percent(average, language)) + "."
    ]  # fmt: skip
    reasons = _list_arguments(explained.reasons)
    for text, chosen in (
        (words.speaks_for, [r for r in reasons if r.points > 0][:_MOST_FOR]),
        (words.speaks_against, [r for r in reasons if r.points < 0][:_MOST_AGAINST]),
    ):
        if chosen:
            labels = model.labels[language]
            listed = [_name(reason, labels, words, model) for reason in chosen]
            sentences.append(text.format(_join(listed, words.join)))
    if not reasons:
        sentences.append(words.nothing)
    return " ".join([*sentences, words.bands[explained.band]])


def _find_usual(model: ServedModel, explained: Explanation) -> float:
    """Return the share of leads that buy, or what the average signals give where none is known."""
    training = model.scorecard.training
    part = training.get("later") or training.get("earlier") or {}
    usual = part.get("base_rate")
    return to_probability(explained.average) if usual is None else float(usual)


def _list_arguments(reasons: Sequence[Reason]) -> list[Reason]:
    """Return the reasons worth a word: marks of spam as one, and none for missing values."""
    spam = [r for r in reasons if r.family == _SPAM and r.value is not None]
    listed = [r for r in reasons if (r.family != _SPAM and r.value is not None) or r.family == ""]
    if sum(reason.points for reason in spam) < 0.0:
        points = sum(reason.points for reason in spam)
        log_odds = sum(reason.log_odds for reason in spam)
        listed.append(Reason(_SPAM, _SPAM, None, log_odds, points))
    listed = [reason for reason in listed if abs(reason.points) >= _LEAST_POINTS]
    return sorted(listed, key=lambda reason: -abs(reason.points))


def _name(reason: Reason, labels: dict[str, str], words: _Words, model: ServedModel) -> str:
    label = labels.get(reason.signal, reason.signal.removeprefix("cap:"))
    value = reason.value
    if reason.signal == _SPAM:
        return words.spam
    if reason.signal.startswith("cap:"):
        return label
    if isinstance(value, int | float):
        text = _write_number(reason.signal, value, words, model)
    else:
        text = str(value)
    return f"{label} ({text})" if text else label


def _write_number(signal: str, value: float, words: _Words, model: ServedModel) -> str:
    """Write a number as people do; nothing for one that means nothing to them: a decayed count.

    Zero is always written.
    """
    if model.request_reader.signal_types.get(signal) is bool:
        return words.yes if value else words.no
    kind = model.kinds.get(signal, "number")
    if value and kind in _NOT_FOR_PEOPLE:
        return ""
    if kind == "completeness":
        return words.percent.format(f"{100.0 * value:.0f}")
    whole = f"{value:,.0f}".replace(",", words.thousands)
    if kind in _DAYS:
        return (words.day if whole == "1" else words.days).format(whole)
    if kind in _COUNTS or abs(value) >= _WHOLE_FROM or value == int(value):
        return whole
    return f"{value:.2g}".replace(".", words.point)


def _join(parts: list[str], last: str) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + last + parts[-1]


def _percent(probability: float, language: str) -> str:
    percent = 100.0 * probability
    digits = 1 if percent < 10.0 else 0
    words = _WORDS[language]
    return words.percent.format(f"{percent:.{digits}f}".replace(".", words.point))
