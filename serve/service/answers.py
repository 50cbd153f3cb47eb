"""What is answered for a scored lead: probability, band and reasons that add up."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from models.percentile import find_percentile
from models.reasons import Reason, explain_lead, list_reasons, round_to_sum
from serve.service.scoring import ScoredLead, Warned
from serve.service.served import ServedModel
from serve.service.wording import tell_in_a_sentence

REASONS = 5
_FEW = 20
"""Of up to so many parts the largest too may have to give way for a sum that is right to the digit;
of more, the small ones make it up between them."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Told(msgspec.Struct, gc=False):
    """One reason of an answer."""

    signal: str
    family: str | None
    label: str
    value: object
    log_odds: float
    points: float


class Answer(msgspec.Struct, kw_only=True, gc=False):
    """An answer as it is sent. In a batch it has no request_id, and only an explanation has all."""

    request_id: str | UnsetType = UNSET
    lead_id: str
    probability: float
    score: float
    percentile: float | None
    band: str
    fit: str | None
    engagement: str | None
    log_odds: float
    model: msgspec.Raw
    as_of: datetime
    horizon_days: float | None
    warnings: list[Warned]
    points: float
    points_to_double: float | UnsetType = UNSET
    average: msgspec.Raw
    reasons: list[Told]
    language: str | UnsetType = UNSET
    sentence: str | UnsetType = UNSET


def answer_score(model: ServedModel, lead_id: str, scored: ScoredLead, language: str) -> Answer:
    """Answer with the score and its largest reasons.

    ``average + sum of reasons`` is the lead's log-odds, and the same in points to the digit: the
    reasons that are not listed are one, ``others``.
    """
    score = scored.score
    few = len(score.contributions) <= _FEW
    reasons = list_reasons(model.scorer, score, scored.signals, None if few else REASONS)
    points = model.to_points(score.log_odds)
    above = points - model.average_points
    if few:
        shown = round_to_sum([reason.points for reason in reasons], above, model.digits)
        reasons = reasons[:REASONS]
    else:
        shown = [round(reason.points, model.digits) for reason in reasons]
    told = _tell(reasons, shown, model.labels[language])
    rest = score.log_odds - model.average
    for reason in told:
        rest -= reason.log_odds
    others = model.round_points(above - sum([reason.points for reason in told]))
    told.append(Told("others", None, _OTHERS[language], None, rest, others))
    return _answer(model, lead_id, scored, points, told)


def answer_explanation(
    model: ServedModel, lead_id: str, scored: ScoredLead, language: str, previous_band: Any
) -> Answer:
    """Answer with the whole waterfall, and one sentence that a salesperson understands."""
    explained = explain_lead(model.scorer, scored.signals, previous_band)
    points = model.round_points(explained.points)
    rounded = round_to_sum(
        [reason.points for reason in explained.reasons], points - model.average_points, model.digits
    )
    told = _tell(explained.reasons, rounded, model.labels[language])
    answer = _answer(model, lead_id, scored, points, told)
    answer.points_to_double = explained.points_to_double
    answer.language = language
    answer.sentence = tell_in_a_sentence(model, explained, language)
    return answer


def _answer(
    model: ServedModel, lead_id: str, scored: ScoredLead, points: float, told: list[Told]
) -> Answer:
    score = scored.score
    fit, engagement = model.rate(score.contributions)
    return Answer(
        lead_id=lead_id,
        probability=score.probability,
        score=100.0 * score.probability,
        percentile=find_percentile(model.quantiles, score.log_odds),
        band=score.band,
        fit=fit,
        engagement=engagement,
        log_odds=score.log_odds,
        model=model.named_json,
        as_of=_EPOCH + timedelta(microseconds=scored.as_of_us),
        horizon_days=model.horizon_days,
        warnings=scored.warnings,
        points=points,
        average=model.average_json,
        reasons=told,
    )


def _tell(reasons: Iterable[Reason], shown: Iterable[float], labels: dict[str, str]) -> list[Told]:
    find = labels.get
    return [
        Told(signal, family, find(signal, signal), value, log_odds, points)
        for (signal, family, value, log_odds, _), points in zip(reasons, shown, strict=False)
    ]


_OTHERS = {"en": "all other signals", "es": "las demás señales"}
