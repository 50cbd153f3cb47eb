"""What is recorded of a score: counts, the score log, the challenger's score."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from leadscore.pipeline.score_log.log import ScoreEntry, ScoreLog, write_signals
from leadscore.serve.service.logs import Logger
from leadscore.serve.service.metrics import Metrics
from leadscore.serve.service.problems import Problem
from leadscore.serve.service.requests.decode import LeadBody
from leadscore.serve.service.scorecards.loaded import LoadedModels
from leadscore.serve.service.scorecards.served import ServedModel
from leadscore.serve.service.scoring.score import ScoredLead, score_lead


@dataclass
class ScoreRecorder:
    """Count, log and shadow scores; none of it can make an answer fail.

    `clock` returns UTC microseconds. With `shadow` the challenger scores too; with `keep_requests`
    bodies are logged as they came in.
    """

    models: LoadedModels
    metrics: Metrics
    logger: Logger
    log: ScoreLog | None
    clock: Callable[[], int]
    shadow: bool = False
    keep_requests: bool = False
    _remembered: set[str] = field(default_factory=set)

    def record(
        self,
        model: ServedModel,
        lead: LeadBody,
        scored: ScoredLead,
        request_id: str,
        item: int | None,
        body: bytes | memoryview,
        is_ready: bool = False,
    ) -> None:
        """Record one score: `body` is what came in, `item` its place in a batch.

        With `is_ready` all signals came in ready, so they hold all that `body` does.
        """
        self.metrics.count_lead(model.note.name, model.note.version, scored.score.band)
        if self.log is not None:
            raw = bytes(body) if self.keep_requests and not is_ready else None
            try:
                self._write(self.log, model, lead, scored, request_id, item, raw)
            except Exception as error:
                self.logger.error("not_logged", request_id=request_id, error=type(error).__name__)
        if self.shadow:
            current = self.models.current
            if current is not None and current.challenger is not None:
                if model is current.champion:
                    asyncio.get_running_loop().call_soon(
                        self._score_by_challenger, model, current.challenger, lead, scored,
                        request_id, item, is_ready,
                    )  # fmt: skip

    def _write(
        self, log: ScoreLog, model: ServedModel, lead: LeadBody, scored: ScoredLead,
        request_id: str, item: int | None, raw: bytes | None,
    ) -> None:  # fmt: skip
        scorecard, score = model.scorecard, scored.score
        if scorecard.sha256 not in self._remembered:
            log.remember(scorecard.sha256, model.document)
            self._remembered.add(scorecard.sha256)
        log.append(
            ScoreEntry(
                request_id, item, lead.lead_id, self.clock(), scored.as_of_us, scored.created_us,
                model.note.name, model.note.version, scorecard.sha256, lead.previous_band,
                write_signals(scored.signals), score.log_odds, score.probability, score.band,
                scored.percentile, scored.fit, scored.engagement, raw,
            )
        )  # fmt: skip

    def _score_by_challenger(
        self, champion: ServedModel, challenger: ServedModel, lead: LeadBody, scored: ScoredLead,
        request_id: str, item: int | None, is_ready: bool,
    ) -> None:  # fmt: skip
        """Score a lead by the challenger as of the same moment, and note the difference."""
        try:
            other = (
                challenger.scorer.score(scored.signals)
                if is_ready
                else score_lead(challenger, lead, scored.as_of_us, strict=False).score
            )
        except Problem:
            self.metrics.shadow_errors.inc()
            return
        except Exception as error:
            self.metrics.shadow_errors.inc()
            self.logger.error("shadow_failed", error=type(error).__name__)
            return
        gap = other.log_odds - scored.score.log_odds
        self.metrics.count_shadow(other.band == scored.score.band, abs(gap))
        self.logger.info(
            "shadow", request_id=request_id, item=item, champion=champion.note.version,
            challenger=challenger.note.version, log_odds_gap=gap,
            band=scored.score.band, challenger_band=other.band,
        )  # fmt: skip
