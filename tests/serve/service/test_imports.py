"""What answers requests is small: nothing that unpickles, evaluates, fits or asks a registry."""

import json
import subprocess
import sys

import pytest
from support.services import demo_lead
from support.versions import NAME, expect_probability

from leadscore.serve.service.scorecards.cache import Index, ModelEntry, ScorecardCache, VersionEntry

HEAVY = ("mlflow", "sklearn", "pandas", "numpy", "scipy", "duckdb", "pyarrow")
UNSAFE = ("joblib", "cloudpickle", "dill", "skops", "yaml")
SCORE = """
import asyncio, builtins, json, sys
heard = []
def hear(event, arguments):
    if event in ("pickle.find_class", "marshal.loads", "os.system", "subprocess.Popen"):
        heard.append(event)
from leadscore.serve.service.settings import Settings
from leadscore.serve.service.processes.worker import make_service
from leadscore.serve.service.logs import make_logger
import httpx
service = make_service(Settings(sys.argv[1], "demo", log_scores=sys.argv[2]), make_logger("test"))
async def ask():
    transport = httpx.ASGITransport(service.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        found = [await client.post(path, json=json.loads(sys.argv[3]))
                 for path in ("/v1/score", "/v1/explain")]
        return found, await client.get("/readyz"), set(sys.modules)
loaded = set(sys.modules)
asyncio.run(ask())  # control routes are imported here, whose modules are cached bytecode
real = builtins.eval
sys.addaudithook(hear)
evaluated = []
builtins.eval = lambda *a: evaluated.append(a) or real(*a)
(answers, ready, _) = asyncio.run(ask())
service.log.close(5.0)
print(json.dumps({
    "modules": sorted(set(sys.modules)), "before_control": sorted(loaded), "heard": heard,
    "evaluated": len(evaluated), "statuses": [a.status_code for a in (*answers, ready)],
    "probabilities": [a.json()["probability"] for a in answers],
}))
"""


@pytest.fixture(scope="module")
def scored(registered, tmp_path_factory):
    """What a fresh interpreter has loaded and done once it has scored a lead as a worker does."""
    store_folder = tmp_path_factory.mktemp("served")
    card = registered.training.scorecard
    cache = ScorecardCache(store_folder / "serving" / "demo")
    cache.write_scorecard(card.sha256, card.to_json())
    entry = ModelEntry({"1": VersionEntry(card.sha256)}, {"champion": "1"})
    cache.write_index(Index("demo", {NAME: entry}))
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            SCORE,
            str(store_folder),
            str(store_folder / "log.db"),
            json.dumps(demo_lead()),
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_a_worker_scores_without_loading_anything_heavy_or_unsafe(registered, scored):
    assert scored["statuses"] == [200, 200, 200]
    assert scored["probabilities"] == [expect_probability(registered.training.scorecard)] * 2
    loaded = {module.split(".")[0] for module in scored["modules"]}
    assert not loaded & {*HEAVY, *UNSAFE}


def test_a_worker_unpickles_evaluates_and_starts_nothing_while_it_scores(scored):
    assert scored["heard"] == []
    assert scored["evaluated"] == 0


def test_the_control_routes_are_not_loaded_before_the_first_score(scored):
    loaded = {module.split(".")[0] for module in scored["before_control"]}
    assert "fastapi" not in loaded
