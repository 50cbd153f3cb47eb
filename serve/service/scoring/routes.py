"""The scoring routes: one lead, many leads, an explanation."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from leadscore.pipeline.signals.kinds import Language
from leadscore.serve.service.http.app import RequestContext, Route
from leadscore.serve.service.problems import Problem
from leadscore.serve.service.requests.decode import LeadBody, decode_batch, decode_lead
from leadscore.serve.service.scorecards.loaded import LoadedModels
from leadscore.serve.service.scorecards.served import ServedModel
from leadscore.serve.service.scoring.answer import (
    Answer,
    BatchAnswer,
    BatchResult,
    answer_explanation,
    answer_score,
)
from leadscore.serve.service.scoring.recorder import ScoreRecorder
from leadscore.serve.service.scoring.score import ScoredLead, score_lead
from leadscore.serve.service.scoring.sentences import DEFAULT_LANGUAGE, choose_language

MOST_LEADS = 1_000
MOST_BYTES = 1_048_576
MOST_BATCH_BYTES = 8_388_608
_MOST_BATCHES = 4

Clock = Callable[[], int]
MakeAnswer = Callable[[ServedModel, LeadBody, ScoredLead, Language], Answer]
_encode = msgspec.json.Encoder().encode


@dataclass
class ScoringRoutes:
    """The functions that answer requests for scores.

    `clock` returns UTC microseconds.
    """

    models: LoadedModels
    recorder: ScoreRecorder
    clock: Clock
    _batches: int = 0

    def by_path(self) -> dict[str, Route]:
        """Return the routes by path."""
        return {
            "/v1/score": Route(self.score, MOST_BYTES),
            "/v1/score/batch": Route(self.score_batch, MOST_BATCH_BYTES),
            "/v1/explain": Route(self.explain, MOST_BYTES),
        }

    async def score(self, body: bytes, context: RequestContext) -> bytes:
        """Score one lead."""
        return await self._answer_lead(answer_score, body, context)

    async def explain(self, body: bytes, context: RequestContext) -> bytes:
        """Score one lead, with every reason and one sentence."""
        return await self._answer_lead(answer_explanation, body, context)

    async def _answer_lead(
        self, make_answer: MakeAnswer, body: bytes, context: RequestContext
    ) -> bytes:
        model = await self.models.pick(context.model)
        lead = decode_lead(body)
        scored = score_lead(model, lead, self.clock(), context.strict)
        answer = make_answer(model, lead, scored, _choose_language(context))
        answer.request_id = context.request_id
        self.recorder.record(model, lead, scored, context.request_id, None, body)
        return _encode(answer)

    async def score_batch(self, body: bytes, context: RequestContext) -> bytes:
        """Score many leads by one version; a lead that does not fit gets a problem of its own."""
        if self._batches >= _MOST_BATCHES:
            raise Problem(
                503, f"{_MOST_BATCHES} batches are being scored already",
                headers={"Retry-After": "1"},
            )  # fmt: skip
        self._batches += 1
        try:
            return await self._score_batch(body, context)
        finally:
            self._batches -= 1

    async def _score_batch(self, body: bytes, context: RequestContext) -> bytes:
        model = await self.models.pick(context.model)
        texts = decode_batch(body, MOST_LEADS)
        now_us, language = self.clock(), _choose_language(context)
        results: list[BatchResult] = []
        failed, time_slice = 0, TimeSlice()
        for place, text in enumerate(texts):
            try:
                lead = decode_lead(text)
                scored = score_lead(model, lead, now_us, context.strict)
                answer = answer_score(model, lead, scored, language)
            except Problem as problem:
                failed += 1
                document = problem.to_document()
                results.append(BatchResult(index=place, status=problem.status, problem=document))
                continue
            self.recorder.record(model, lead, scored, context.request_id, place, text)
            results.append(BatchResult(index=place, status=200, answer=answer))
            await time_slice.yield_if_long()
        return _encode(
            BatchAnswer(
                request_id=context.request_id,
                model=model.version,
                scored=len(texts) - failed,
                failed=failed,
                results=results,
            )
        )


def _choose_language(context: RequestContext) -> Language:
    accept = context.headers.get(b"accept-language")
    return DEFAULT_LANGUAGE if accept is None else choose_language(accept.decode("latin-1"))


_SLICE_S = 0.005
_DEADLINE_S = 10.0


class TimeSlice:
    """The time that a request with many leads may take without a break: ask after each lead."""

    def __init__(self) -> None:
        self._began = self._slice_began = time.monotonic()

    async def yield_if_long(self) -> None:
        """Let other requests run if this one has run for long.

        Raises Problem: 503 if the request as a whole takes too long.
        """
        if time.monotonic() - self._slice_began <= _SLICE_S:
            return
        await asyncio.sleep(0)
        self._slice_began = time.monotonic()
        if self._slice_began - self._began > _DEADLINE_S:
            raise Problem(503, "the batch took too long; send fewer leads at once",
                          headers={"Retry-After": "5"})  # fmt: skip
