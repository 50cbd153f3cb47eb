"""What the service is held against: FastAPI alone, and FastAPI with a scikit-learn pipeline.

Run as ``python peers.py floor|sklearn SOCKET [FOLDER]`` by the benchmark.
"""

import socket
import sys
from typing import Annotated, Any, Literal

import uvicorn
from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

CONSTANT = {
    "request_id": "0", "lead_id": "L-1", "probability": 0.1, "score": 10.0, "percentile": 64.0,
    "band": "cold", "fit": "A", "engagement": "3", "log_odds": -2.1,
    "reasons": [{"signal": f"web__signal_{i}", "family": "web", "label": f"signal {i}",
                 "value": 1.0, "log_odds": 0.1, "points": 2.9} for i in range(6)],
}  # fmt: skip
Scalar = str | float | bool | None


def make_lead(activities: int) -> dict:
    """A lead with the 15 fields that the demo's model reads, and so many activities."""
    kinds = (
        "page_view",
        "page_view",
        "open",
        "click",
        "download",
        "delivered",
        "like",
        "page_view",
    )
    pages = ("pricing", "product", "demo", "documentation", "home")
    made = []
    for i in range(activities):
        one = {
            "kind": kinds[i % 8], "activity_id": f"a{i}",
            "occurred_at": f"2026-01-{1 + i % 28:02}T{i % 24:02}:{i % 60:02}:{i * 7 % 60:02}Z",
        }  # fmt: skip
        if one["kind"] == "page_view":
            one["properties"] = {"page": pages[i % 5]}
        made.append(one)
    profile = {
        "first_name": "Ana", "last_name": "Ruiz", "email": "ana.ruiz@acme.example",
        "phone": "+34 600 000 000", "company": "Acme", "title": "Head of Marketing",
        "country": "ES", "industry": "software", "employees": 250, "followers": 120,
        "source": "webinar", "form": "contact", "opt_in": True, "topic": "pricing",
        "message": "We would like to see a demo next week, please call.",
    }  # fmt: skip
    return {"lead_id": "L-1", "created_at": "2025-12-20T08:00:00Z",
            "as_of": "2026-01-31T00:00:00Z", "profile": profile, "activities": made}  # fmt: skip


class Activity(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    kind: str
    occurred_at: Annotated[AwareDatetime, Field(strict=False)]
    recorded_at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    activity_id: str | None = None
    properties: dict[str, Scalar] | None = None


class Lead(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    lead_id: str
    profile: dict[str, Scalar] = {}
    activities: list[Activity] | None = None
    signals: dict[str, Scalar] = {}
    created_at: Annotated[AwareDatetime, Field(strict=False)] | None = None
    as_of: Annotated[AwareDatetime, Field(strict=False)] | None = None
    previous_band: Literal["cold", "MQL", "SQL"] | None = None


def make_floor() -> FastAPI:
    app = FastAPI()

    @app.post("/v1/score")
    async def score(lead: Lead) -> dict[str, Any]:
        return CONSTANT

    return app


def make_sklearn(folder: str) -> FastAPI:
    import json
    from pathlib import Path

    import joblib
    import pandas as pd

    pipeline = joblib.load(Path(folder) / "pipeline.joblib")
    signals = json.loads((Path(folder) / "signals.json").read_text())
    columns = list(pipeline.feature_names_in_)
    app = FastAPI()

    @app.post("/v1/score")
    async def score(lead: Lead) -> dict[str, Any]:
        frame = pd.DataFrame([signals], columns=columns)
        probability = float(pipeline.predict_proba(frame)[0, 1])
        return {**CONSTANT, "probability": probability}

    return app


if __name__ == "__main__":
    which, number = sys.argv[1], int(sys.argv[2])
    app = make_floor() if which == "floor" else make_sklearn(sys.argv[3])
    config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False,
                            log_level="error")  # fmt: skip
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=number)])
