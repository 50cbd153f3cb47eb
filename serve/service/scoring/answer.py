"""What is answered for a scored lead: probability, band and reasons that add up."""

from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import UNSET, UnsetType

from leadscore.models.reasons import explain_lead, rank_parts, read_value, round_to_sum
from leadscore.models.score_lead import find_percentile
from leadscore.serve.service.requests.decode import LeadBody
from leadscore.serve.service.scorecards.served import ServedModel
from leadscore.serve.service.scoring.score import RequestWarning, ScoredLead
from leadscore.serve.service.scoring.sentences import write_sentence

REASONS = 5
_FEW = 20
"""Of up to so many parts the largest too may have to give way for a sum that is right to the digit;
of more, the small ones make it up between them."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Reason(msgspec.Struct, gc=False):
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
    warnings: list[RequestWarning]
    points: float
    points_to_double: float | UnsetType = UNSET
    average: msgspec.Raw
    reasons: list[Reason]
    language: str | UnsetType = UNSET
    sentence: str | UnsetType = UNSET


def answer_score(model: ServedModel, lead: LeadBody, scored: ScoredLead, language: str) -> Answer:
    """Answer with the score and its largest reasons.

    ``average + sum of reasons`` is the lead's log-odds, and the same in points to the digit: the
    reasons that are not listed are one, ``others``.
    """
    score = scored.score
    few = len(score.contributions) <= _FEW
    worths, places = rank_parts(model.scorer, score, None if few else REASONS)
    points = model.to_points(score.log_odds)
    above = points - model.average_points
    to_points, digits = model.scorer.parts.points.part, model.digits
    parts = [to_points(worths[place]) for place in places]
    shown = round_to_sum(parts, above, digits) if few else [round(part, digits) for part in parts]
    names, families = model.scorer.parts[:2]
    label, signals = model.labels[language].get, scored.signals
    told = [
        Reason(
            names[place], families[place], label(names[place], names[place]),
            read_value(signals, names[place]), worths[place], points_of,
        )
        for place, points_of in zip(places[:REASONS], shown, strict=False)
    ]  # fmt: skip
    rest = score.log_odds - model.average
    for reason in told:
        rest -= reason.log_odds
    others = model.round_points(above - sum([reason.points for reason in told]))
    told.append(Reason("others", None, _OTHERS[language], None, rest, others))
    return _answer(model, lead.lead_id, scored, points, told)


def answer_explanation(
    model: ServedModel, lead: LeadBody, scored: ScoredLead, language: str
) -> Answer:
    """Answer with the whole waterfall, and one sentence that a salesperson understands."""
    explained = explain_lead(model.scorer, scored.signals, lead.previous_band)
    points = model.round_points(explained.points)
    rounded = round_to_sum(
        [reason.points for reason in explained.reasons], points - model.average_points, model.digits
    )
    label = model.labels[language].get
    told = [
        Reason(signal, family, label(signal, signal), value, log_odds, shown)
        for (signal, family, value, log_odds, _), shown in zip(
            explained.reasons, rounded, strict=True
        )
    ]
    answer = _answer(model, lead.lead_id, scored, points, told)
    answer.points_to_double = explained.points_to_double
    answer.language = language
    answer.sentence = write_sentence(model, explained, language)
    return answer


def _answer(
    model: ServedModel, lead_id: str, scored: ScoredLead, points: float, told: list[Reason]
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


_OTHERS = {"en": "all other signals", "es": "las demás señales"}
