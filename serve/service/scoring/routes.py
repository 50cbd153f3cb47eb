"""The thin routes: one lead, many leads, an explanation."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import msgspec

from leadscore.serve.service.http.app import RequestContext, Route
from leadscore.serve.service.problems import Problem
from leadscore.serve.service.requests.decode import decode_batch, decode_lead
from leadscore.serve.service.scorecards.loaded import LoadedModels
from leadscore.serve.service.scorecards.served import ServedModel
from leadscore.serve.service.scoring.answer import answer_explanation, answer_score
from leadscore.serve.service.scoring.recorder import ScoreRecorder
from leadscore.serve.service.scoring.score import score_lead
from leadscore.serve.service.scoring.sentences import DEFAULT_LANGUAGE, choose_language

MOST_LEADS = 1_000
MOST_BYTES = 1_048_576
MOST_BATCH_BYTES = 8_388_608
_MOST_BATCHES = 4

Clock = Callable[[], int]
_encode = msgspec.json.Encoder().encode


class ScoringRoutes:
    """What answers requests for scores.

    Parameters
    ----------
    models : LoadedModels
    keeping : ScoreRecorder
        Where scores are counted, logged and shadowed.
    clock : callable
        Returns the time in UTC microseconds.
    """

    def __init__(self, models: LoadedModels, keeping: ScoreRecorder, clock: Clock) -> None:
        self._models = models
        self._keeping = keeping
        self._clock = clock
        self._batches = 0

    def by_path(self) -> dict[str, Route]:
        """Return the routes by path."""
        return {
            "/v1/score": Route(self.score, MOST_BYTES, self.score_at_once),
            "/v1/score/batch": Route(self.score_batch, MOST_BATCH_BYTES),
            "/v1/explain": Route(self.explain, MOST_BYTES, self.explain_at_once),
        }

    async def score(self, body: bytes, asked: RequestContext) -> bytes:
        """Score one lead."""
        return self._score(await self._pick(asked), body, asked)

    def score_at_once(self, body: bytes, asked: RequestContext) -> bytes | None:
        """Score one lead by the champion; None if there is another to be picked first."""
        model = self._champion(asked)
        return None if model is None else self._score(model, body, asked)

    def _score(self, model: ServedModel, body: bytes, asked: RequestContext) -> bytes:
        lead = decode_lead(body)
        scored = score_lead(model, lead, self._clock(), asked.strict)
        answer = answer_score(model, lead.lead_id, scored, _language(asked))
        self._keeping.keep(model, lead, scored, asked.request_id, None, body)
        answer.request_id = asked.request_id
        return _encode(answer)

    async def explain(self, body: bytes, asked: RequestContext) -> bytes:
        """Score one lead, with every reason and one sentence."""
        return self._explain(await self._pick(asked), body, asked)

    def explain_at_once(self, body: bytes, asked: RequestContext) -> bytes | None:
        """Explain one lead's score by the champion; None if there is another to be picked first."""
        model = self._champion(asked)
        return None if model is None else self._explain(model, body, asked)

    def _explain(self, model: ServedModel, body: bytes, asked: RequestContext) -> bytes:
        lead = decode_lead(body)
        scored = score_lead(model, lead, self._clock(), asked.strict)
        answer = answer_explanation(
            model, lead.lead_id, scored, _language(asked), lead.previous_band
        )
        self._keeping.keep(model, lead, scored, asked.request_id, None, body)
        answer.request_id = asked.request_id
        return _encode(answer)

    async def score_batch(self, body: bytes, asked: RequestContext) -> bytes:
        """Score many leads by one version; one that does not fit is told for itself."""
        if self._batches >= _MOST_BATCHES:
            raise Problem(
                503, f"{_MOST_BATCHES} batches are being scored already",
                headers={"Retry-After": "1"},
            )  # fmt: skip
        self._batches += 1
        try:
            return await self._score_batch(body, asked)
        finally:
            self._batches -= 1

    async def _score_batch(self, body: bytes, asked: RequestContext) -> bytes:
        model = await self._pick(asked)
        texts = decode_batch(body, MOST_LEADS)
        now_us, language = self._clock(), _language(asked)
        results: list[dict[str, Any]] = []
        failed, turns = 0, TimeSlice()
        for place, text in enumerate(texts):
            try:
                lead = decode_lead(text)
                scored = score_lead(model, lead, now_us, asked.strict)
                answer = answer_score(model, lead.lead_id, scored, language)
            except Problem as problem:
                failed += 1
                results.append(
                    {"index": place, "status": problem.status, "problem": problem.to_json()}
                )
                continue
            self._keeping.keep(model, lead, scored, asked.request_id, place, text)
            results.append({"index": place, "status": 200, "answer": answer})
            await turns.give_way()
        return _encode(
            {
                "request_id": asked.request_id,
                "model": model.named,
                "scored": len(texts) - failed,
                "failed": failed,
                "results": results,
            }
        )

    async def _pick(self, asked: RequestContext) -> ServedModel:
        return self._champion(asked) or await self._models.pick(asked.model)

    def _champion(self, asked: RequestContext) -> ServedModel | None:
        """Return what most requests ask for, or None where it takes a closer look."""
        current = self._models.current
        return None if current is None or asked.model is not None else current.champion


def _language(asked: RequestContext) -> str:
    accept = asked.headers.get(b"accept-language")
    return DEFAULT_LANGUAGE if accept is None else choose_language(accept.decode("latin-1"))


_TURN_S = 0.005
_DEADLINE_S = 10.0


class TimeSlice:
    """The turns of one request with many leads: ask for the next one after each lead."""

    def __init__(self) -> None:
        self._began = self._turn = time.monotonic()

    async def give_way(self) -> None:
        """Let other requests go first if this turn was long.

        Raises
        ------
        Problem
            503 if the request as a whole takes too long.
        """
        if time.monotonic() - self._turn <= _TURN_S:
            return
        await asyncio.sleep(0)
        self._turn = time.monotonic()
        if self._turn - self._began > _DEADLINE_S:
            raise Problem(503, "the batch took too long; send fewer leads at once",
                          headers={"Retry-After": "5"})  # fmt: skip
