"""What is answered for a scored lead: probability, band and reasons that add up."""

from typing import Any

from models.percentile import find_percentile
from models.reasons import Reason, explain_lead, list_reasons, round_to_sum
from pipeline.values import format_time
from serve.service.scoring import ScoredLead
from serve.service.served import DIGITS, ServedModel, round_points
from serve.service.wording import tell_in_a_sentence

REASONS = 5
_FEW = 20
"""Of up to so many parts the largest too may have to give way for a sum that is right to the digit;
of more, the small ones make it up between them."""


def answer_score(
    model: ServedModel, lead_id: str, scored: ScoredLead, language: str
) -> dict[str, Any]:
    """Answer with the score and its largest reasons.

    ``average + sum of reasons`` is the lead's log-odds, and the same in points to the digit: the
    reasons that are not listed are one, ``others``.
    """
    scorecard, score = model.scorecard, scored.score
    few = len(score.contributions) <= _FEW
    reasons = list_reasons(model.scorer, score, scored.signals, None if few else REASONS)
    rounded = [reason.points for reason in reasons]
    reasons = reasons[:REASONS]
    rest = score.log_odds - model.average
    for reason in reasons:
        rest -= reason.log_odds
    points = round_points(scorecard.points.offset + scorecard.points.per_log_odds * score.log_odds)
    shown = (
        round_to_sum(rounded, points - model.average_points, DIGITS)[:REASONS]
        if few
        else [round_points(reason.points) for reason in reasons]
    )
    others = round_points(points - model.average_points - sum(shown))
    labels = model.labels[language]
    told = [_tell(reason, labels, points) for reason, points in zip(reasons, shown, strict=True)]
    told.append(
        {
            "signal": "others",
            "family": None,
            "label": _OTHERS[language],
            "value": None,
            "log_odds": rest,
            "points": others,
        }
    )
    return {
        **_answer_plainly(model, lead_id, scored),
        "points": points,
        "average": {"log_odds": model.average, "points": model.average_points},
        "reasons": told,
    }


def answer_explanation(
    model: ServedModel, lead_id: str, scored: ScoredLead, language: str, previous_band: Any
) -> dict[str, Any]:
    """Answer with the whole waterfall, and one sentence that a salesperson understands."""
    explained = explain_lead(model.scorer, scored.signals, previous_band)
    points = round_points(explained.points)
    rounded = round_to_sum(
        [reason.points for reason in explained.reasons], points - model.average_points, DIGITS
    )
    labels = model.labels[language]
    return {
        **_answer_plainly(model, lead_id, scored),
        "points": points,
        "points_to_double": explained.points_to_double,
        "average": {"log_odds": explained.average, "points": model.average_points},
        "reasons": [
            _tell(reason, labels, shown)
            for reason, shown in zip(explained.reasons, rounded, strict=True)
        ],
        "language": language,
        "sentence": tell_in_a_sentence(model, explained, language),
    }


def _answer_plainly(model: ServedModel, lead_id: str, scored: ScoredLead) -> dict[str, Any]:
    score = scored.score
    fit, engagement = model.rate(score.contributions)
    return {
        "lead_id": lead_id,
        "probability": score.probability,
        "score": 100.0 * score.probability,
        "percentile": find_percentile(model.scorecard.quantiles, score.log_odds),
        "band": score.band,
        "fit": fit,
        "engagement": engagement,
        "log_odds": score.log_odds,
        "model": model.named,
        "as_of": format_time(scored.as_of_us),
        "horizon_days": model.scorecard.horizon_days,
        "warnings": scored.warnings,
    }


def _tell(reason: Reason, labels: dict[str, str], points: float) -> dict[str, Any]:
    signal, family, value, log_odds, _ = reason
    return {
        "signal": signal,
        "family": family,
        "label": labels.get(signal, signal),
        "value": value,
        "log_odds": log_odds,
        "points": points,
    }


_OTHERS = {"en": "all other signals", "es": "las demás señales"}
