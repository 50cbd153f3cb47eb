"""The answers for scored leads: probability, band and reasons that add up."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from leadscore.models.bands import Band
from leadscore.models.score_lead import explain_lead, rank_parts, read_value, round_to_sum
from leadscore.pipeline.signals.kinds import Language
from leadscore.serve.service.problems import ProblemDocument
from leadscore.serve.service.requests.decode import LeadBody
from leadscore.serve.service.scorecards.served import Average, ModelVersion, ServedModel
from leadscore.serve.service.scoring.score import RequestWarning, ScoredLead
from leadscore.serve.service.scoring.sentences import write_sentence

REASONS = 5
_FEW = 20
"""Up to this many parts, the largest too may have to give way for a sum that is right to the digit;
with more, the small ones make it up between them."""
_TEXT = Meta(extra_json_schema={"type": "string"})
"""Tools that make clients from the OpenAPI document need the type of the values of an enum."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class AnswerReason(msgspec.Struct, gc=False):
    """One reason of an answer."""

    signal: Annotated[
        str,
        Meta(
            description="family__name; others for the rest of a score; cap:group for a cap that "
            "took effect."
        ),
    ]
    family: str | None
    label: str
    value: str | float | None
    log_odds: Annotated[float, Meta(description="Against the average lead.")]
    points: Annotated[float, Meta(description="The same on the scale people add up.")]


class Answer(msgspec.Struct, kw_only=True, gc=False):
    """The score of a lead. In a batch it has no request_id."""

    request_id: str | UnsetType = UNSET
    lead_id: str
    probability: Annotated[
        float, Meta(ge=0, le=1, description="To be won within horizon_days after as_of.")
    ]
    score: Annotated[float, Meta(ge=0, le=100, description="The probability in per cent.")]
    percentile: Annotated[
        Annotated[float, Meta(ge=0, le=100)] | None,
        Meta(description="How many in a hundred leads score lower."),
    ]
    band: Annotated[Band, _TEXT]
    fit: Annotated[
        Annotated[Literal["A", "B", "C", "D"], _TEXT] | None,
        Meta(description="Who they are, A best."),
    ]
    engagement: Annotated[
        Annotated[Literal["1", "2", "3", "4"], _TEXT] | None,
        Meta(description="What they do, 1 best."),
    ]
    log_odds: float
    model: ModelVersion
    as_of: Annotated[datetime, Meta(tz=True)]
    horizon_days: float | None
    warnings: list[RequestWarning]
    points: float
    average: Average
    reasons: list[AnswerReason]


class ExplainedAnswer(Answer, kw_only=True, gc=False):
    """The score of a lead with every reason, and one sentence."""

    points_to_double: Annotated[float, Meta(description="Points that double the odds.")]
    language: Annotated[Language, _TEXT]
    sentence: Annotated[
        str, Meta(description="For those who call, in the language of Accept-Language.")
    ]


class BatchResult(msgspec.Struct, kw_only=True, gc=False):
    """One lead of a batch: an answer or a problem."""

    index: int
    status: Annotated[int, Meta(description="200, or that of the problem.")]
    answer: Answer | UnsetType = UNSET
    problem: ProblemDocument | UnsetType = UNSET


class BatchAnswer(msgspec.Struct, kw_only=True, gc=False):
    """The results of a batch, in the order of its leads."""

    request_id: str
    model: ModelVersion
    scored: int
    failed: int
    results: list[BatchResult]


def answer_score(model: ServedModel, lead: LeadBody, scored: ScoredLead, language: str) -> Answer:
    """Answer with the score and its largest reasons.

    ``average + sum of reasons`` is the lead's log-odds, and the same in points to the digit: the
    reasons that are not listed are one, ``others``.
    """
    score = scored.score
    few = len(score.contributions) <= _FEW
    worths, places = rank_parts(model.scorer, score, None if few else REASONS)
    points = model.to_points(score.log_odds)
    above = points - model.average.points
    to_points, digits = model.scorer.contribution_index.points.part, model.digits
    parts = [to_points(worths[place]) for place in places]
    shown = round_to_sum(parts, above, digits) if few else [round(part, digits) for part in parts]
    names, families = model.scorer.contribution_index[:2]
    label, signals = model.labels[language].get, scored.signals
    reasons = [
        AnswerReason(
            names[place], families[place], label(names[place], names[place]),
            read_value(signals, names[place]), worths[place], points_of,  # type: ignore[arg-type]
        )
        for place, points_of in zip(places[:REASONS], shown, strict=False)
    ]  # fmt: skip
    rest = score.log_odds - model.average.log_odds
    for reason in reasons:
        rest -= reason.log_odds
    others = model.round_points(above - sum([reason.points for reason in reasons]))
    reasons.append(AnswerReason("others", None, _OTHERS[language], None, rest, others))
    return Answer(**_fill(model, lead, scored, points, reasons))


def answer_explanation(
    model: ServedModel, lead: LeadBody, scored: ScoredLead, language: Language
) -> ExplainedAnswer:
    """Answer with the whole waterfall, and one sentence that a salesperson understands."""
    explained = explain_lead(model.scorer, scored.signals, scored.score)
    points = model.round_points(explained.points)
    rounded = round_to_sum(
        [reason.points for reason in explained.reasons], points - model.average.points, model.digits
    )
    label = model.labels[language].get
    reasons = [
        AnswerReason(signal, family, label(signal, signal), value, log_odds, shown)  # type: ignore[arg-type]
        for (signal, family, value, log_odds, _), shown in zip(
            explained.reasons, rounded, strict=True
        )
    ]
    return ExplainedAnswer(
        **_fill(model, lead, scored, points, reasons),
        points_to_double=explained.points_to_double,
        language=language,
        sentence=write_sentence(model, explained, language),
    )


def _fill(
    model: ServedModel,
    lead: LeadBody,
    scored: ScoredLead,
    points: float,
    reasons: Sequence[AnswerReason],
) -> dict[str, Any]:
    """Return the fields that both kinds of answers have."""
    score = scored.score
    return {
        "lead_id": lead.lead_id,
        "probability": score.probability,
        "score": 100.0 * score.probability,
        "percentile": scored.percentile,
        "band": score.band,
        "fit": scored.fit,
        "engagement": scored.engagement,
        "log_odds": score.log_odds,
        "model": model.version,
        "as_of": _EPOCH + timedelta(microseconds=scored.as_of_us),
        "horizon_days": model.horizon_days,
        "warnings": scored.warnings,
        "points": points,
        "average": model.average,
        "reasons": reasons,
    }


_OTHERS = {"en": "all other signals", "es": "las demás señales"}
