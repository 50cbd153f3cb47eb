"""The thin routes: one lead, many leads, an explanation."""

from collections.abc import Callable
from typing import Any

import msgspec

from serve.service.answers import answer_explanation, answer_score
from serve.service.app import Asked, Route
from serve.service.keeping import Keeping
from serve.service.models_served import ModelsServed
from serve.service.problems import Problem
from serve.service.requests import decode_batch, decode_lead
from serve.service.scoring import score_lead
from serve.service.served import ServedModel
from serve.service.turns import Turns
from serve.service.wording import DEFAULT_LANGUAGE, choose_language

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
    models : ModelsServed
    keeping : Keeping
        Where scores are counted, logged and shadowed.
    clock : callable
        Returns the time in UTC microseconds.
    """

    def __init__(self, models: ModelsServed, keeping: Keeping, clock: Clock) -> None:
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

    async def score(self, body: bytes, asked: Asked) -> bytes:
        """Score one lead."""
        return self._score(await self._pick(asked), body, asked)

    def score_at_once(self, body: bytes, asked: Asked) -> bytes | None:
        """Score one lead by the champion; None if there is another to be picked first."""
        model = self._champion(asked)
        return None if model is None else self._score(model, body, asked)

    def _score(self, model: ServedModel, body: bytes, asked: Asked) -> bytes:
        lead = decode_lead(body)
        scored = score_lead(model, lead, self._clock(), asked.strict)
        answer = answer_score(model, lead.lead_id, scored, _language(asked))
        self._keeping.keep(model, lead, scored, asked.request_id, None, body)
        answer.request_id = asked.request_id
        return _encode(answer)

    async def explain(self, body: bytes, asked: Asked) -> bytes:
        """Score one lead, with every reason and one sentence."""
        return self._explain(await self._pick(asked), body, asked)

    def explain_at_once(self, body: bytes, asked: Asked) -> bytes | None:
        """Explain one lead's score by the champion; None if there is another to be picked first."""
        model = self._champion(asked)
        return None if model is None else self._explain(model, body, asked)

    def _explain(self, model: ServedModel, body: bytes, asked: Asked) -> bytes:
        lead = decode_lead(body)
        scored = score_lead(model, lead, self._clock(), asked.strict)
        answer = answer_explanation(
            model, lead.lead_id, scored, _language(asked), lead.previous_band
        )
        self._keeping.keep(model, lead, scored, asked.request_id, None, body)
        answer.request_id = asked.request_id
        return _encode(answer)

    async def score_batch(self, body: bytes, asked: Asked) -> bytes:
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

    async def _score_batch(self, body: bytes, asked: Asked) -> bytes:
        model = await self._pick(asked)
        texts = decode_batch(body, MOST_LEADS)
        now_us, language = self._clock(), _language(asked)
        results: list[dict[str, Any]] = []
        failed, turns = 0, Turns()
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

    async def _pick(self, asked: Asked) -> ServedModel:
        return self._champion(asked) or await self._models.pick(asked.model)

    def _champion(self, asked: Asked) -> ServedModel | None:
        """Return what most requests ask for, or None where it takes a closer look."""
        current = self._models.current
        return None if current is None or asked.model is not None else current.champion


def _language(asked: Asked) -> str:
    accept = asked.headers.get(b"accept-language")
    return DEFAULT_LANGUAGE if accept is None else choose_language(accept.decode("latin-1"))
