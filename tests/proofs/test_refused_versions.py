"""Versions that must not be served: refused by name, told once, and nobody notices."""

import json
import os
import pickle
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from mlflow import pyfunc
from support.load import LEAD, Load
from support.services import running_service
from support.versions import Registry, change, expect_probability

from leadscore.models.golden_leads import add_golden_leads
from leadscore.models.scorecard import Scorecard, _hash

pytestmark = [pytest.mark.proof, pytest.mark.alone]
POLLED_EVERY_S = 0.3


def seal(document: dict) -> str:
    """Give a document the hash that fits it, as somebody who means harm would."""
    return json.dumps({**document, "sha256": _hash(document)})


def flip_a_bit(text: str) -> bytes:
    content = bytearray(text.encode())
    place = text.index('"base": ') + len('"base": ') + 3
    content[place] ^= 1
    return bytes(content)


def edit(card: Scorecard, **changes: object) -> str:
    return seal({**json.loads(card.to_json()), **changes})


def edit_term(card: Scorecard, **changes: object) -> str:
    first, *others = json.loads(card.to_json())["terms"]
    return edit(card, terms=[{**first, **changes}, *others])


def mistaken_golden(card: Scorecard) -> str:
    first, *others = json.loads(card.to_json())["golden"]
    return edit(card, golden=[{**first, "log_odds": first["log_odds"] + 1e-6}, *others])


def unknown_signal(card: Scorecard) -> str:
    first, *others = card.terms
    terms = (first.model_copy(update={"signal": "web__nobody_knows"}), *others)
    return add_golden_leads(card.model_copy(update={"terms": terms})).sealed().to_json()


def many_terms(card: Scorecard, count: int) -> str:
    term = {"signal": "", "family": "web", "shape": {"kind": "curve", "knots": [0], "values": [0]}}
    term["shape"]["missing"] = 0
    return edit(card, terms=[{**term, "signal": f"web__s{i}"} for i in range(count)])


def broken_texts(card: Scorecard) -> dict[str, str | bytes | None]:
    """Contents of scorecard.json by what is wrong with them."""
    text = card.to_json()
    shape = json.loads(card.to_json())["terms"][0]["shape"]
    return {
        "bit flipped": flip_a_bit(text),
        "cut off": text[: len(text) // 2],
        "empty": b"",
        "absent": None,
        "not UTF-8": b"\xff\xfe" + text.encode(),
        "wrong hash": json.dumps({**json.loads(text), "training": {"changed": 1}}),
        "another schema version": edit(card, schema_version=3),
        "NaN weight": edit_term(card, mean=float("nan")),
        "infinite weight": text.replace('"base": ', '"base": 1e999, "unused": ', 1),
        "unknown signal": unknown_signal(card),
        "golden lead off": mistaken_golden(card),
        "no golden leads": edit(card, golden=[]),
        "another project's": card.model_copy(update={"project": "other"}).sealed().to_json(),
        "nested too deep": '{"schema_version":1,"definitions":' + "[" * 50_000 + "]" * 50_000 + "}",
        "5e4 terms": many_terms(card, 50_000),
        "1e6 terms": many_terms(card, 1_000_000),
        "pickle": b"\x80\x04cposix\nsystem\n(S'true'\ntR.",
        "another kind of term": edit_term(card, shape={**shape, "kind": "python"}),
    }


def broken_places(registry: Registry) -> dict[str, str]:
    """Sources of versions by what is wrong with them; each leads to a scorecard that is good."""
    good = registry.make_folder(change(registry.scorecard, 1.2, 0.1))
    linked = registry.make_folder(None)
    (linked / "artifacts" / "scorecard.json").symlink_to(good / "artifacts" / "scorecard.json")
    folder_linked = registry.make_folder(None)
    (folder_linked / "artifacts").rmdir()
    (folder_linked / "artifacts").symlink_to(good / "artifacts")
    sparse = registry.make_folder(None)
    with (sparse / "artifacts" / "scorecard.json").open("wb") as stream:
        stream.truncate(2 * 1024**3)
    pipe = registry.make_folder(None)
    os.mkfifo(pipe / "artifacts" / "scorecard.json")
    device = registry.make_folder(None)
    (device / "artifacts" / "scorecard.json").symlink_to("/dev/zero")
    return {
        "link": linked.as_uri(),
        "link to the folder": folder_linked.as_uri(),
        "2 GB": sparse.as_uri(),
        "pipe": pipe.as_uri(),
        "device": device.as_uri(),
        "../": f"{linked.as_uri()}/../{good.name}",
        "../ in disguise": f"{linked.as_uri()}/%2e%2e/{good.name}",
        "nowhere": (registry.store_folder / "artifacts" / "nowhere").as_uri(),
    }


def refusals(service, number: int) -> list[dict]:
    key = f"demo.predictive:{number}"
    return [
        line for line in service.log()
        if line["event"] == "version_refused" and line["version"] == key
    ]  # fmt: skip


def refused_gauge(service) -> int:
    lines = service.client.get("/metrics").text.splitlines()
    (line,) = (x for x in lines if x.startswith("leadscore_versions_refused "))
    return round(float(line.split()[1]))


def test_what_is_broken_is_refused_told_once_and_the_old_version_stays(registry):
    kept = expect_probability(registry.scorecard)
    with running_service(registry.store_folder, "--poll", str(POLLED_EVERY_S)) as service:
        with Load(service.port, 2, pause_s=0.02) as load:
            broken = {
                name: registry.add(text) for name, text in broken_texts(registry.scorecard).items()
            }
            broken |= {
                name: registry.register(place) for name, place in broken_places(registry).items()
            }
            for name, number in broken.items():
                registry.point(number)
                found = service.wait_for(lambda n=number: refusals(service, n), 30.0)
                assert found, name
            time.sleep(5 * POLLED_EVERY_S)
            told = {name: len(refusals(service, number)) for name, number in broken.items()}
            assert told == dict.fromkeys(broken, 1)
            assert refused_gauge(service) == len(broken)
            ready = service.client.get("/readyz")
            assert (ready.status_code, ready.json()["degraded"]) == (200, ["version_refused"])
            good = change(registry.scorecard, 0.8, 0.2)
            number = registry.add(good)
            registry.point(number)
            service.wait_for(lambda: service.version() == number)
            time.sleep(1.0)  # so that the load meets it, too
        lines = [line for line in service.log() if line["event"] == "version_refused"]
    assert not load.failed
    answers = {answer.model[0]: answer.body["probability"] for answer in load.answers}
    assert answers == {1: kept, number: expect_probability(good)}
    assert all(len(line["reason"]) <= 300 for line in lines)


def test_a_worker_keeps_its_versions_when_the_cache_is_damaged(registry):
    cards = {1: registry.scorecard, 2: change(registry.scorecard, 0.8, 0.2)}
    registry.add(cards[2])
    cache = registry.store_folder / "serving" / "demo"
    with running_service(registry.store_folder, "--poll", str(POLLED_EVERY_S)) as service:
        with Load(service.port, 2, pause_s=0.01) as load:
            follower = service.find_child("leadscore.serve.service.processes.follower")
            os.kill(follower, signal.SIGSTOP)
            whole = (cache / "index.json").read_bytes()
            replace(cache / "index.json", whole[: len(whole) // 2])
            service.wait_for(lambda: "model_not_served" in degraded(service))
            time.sleep(2.5)
            told = [line for line in service.log() if line["event"] == "not_served"]
            assert len(told) == 1
            assert service.version() == 1
            replace(cache / "index.json", whole.replace(b'"1":', b'"one":').replace(
                b'"champion":"1"', b'"champion":"one"'))  # fmt: skip
            time.sleep(1.5)
            assert service.version() == 1
            os.kill(follower, signal.SIGCONT)  # it writes the index anew
            service.wait_for(lambda: not degraded(service))
            registry.point(2)
            service.wait_for(lambda: service.version() == 2)
    assert not load.failed
    right = {number: expect_probability(card) for number, card in cards.items()}
    assert all(a.body["probability"] == right[a.model[0]] for a in load.answers)


def test_a_scorecard_damaged_in_the_cache_is_not_served_and_fetched_anew(registry):
    second = change(registry.scorecard, 0.8, 0.2)
    registry.add(second)
    path = registry.store_folder / "serving" / "demo" / "scorecards" / f"{second.sha256}.json"
    with running_service(registry.store_folder, "--poll", str(POLLED_EVERY_S)) as service:
        service.wait_for(path.is_file)
        with Load(service.port, 2, pause_s=0.01) as load:
            follower = service.find_child("leadscore.serve.service.processes.follower")
            os.kill(follower, signal.SIGSTOP)
            replace(path, flip_a_bit(second.to_json()))
            point_index(registry, 2)
            service.wait_for(lambda: "model_not_served" in degraded(service))
            assert service.version() == 1
            registry.point(2)
            os.kill(follower, signal.SIGCONT)
            service.wait_for(lambda: service.version() == 2)
            service.wait_for(lambda: not degraded(service))
    assert not load.failed
    right = {1: expect_probability(registry.scorecard), 2: expect_probability(second)}
    assert all(a.body["probability"] == right[a.model[0]] for a in load.answers)
    assert path.read_text() == second.to_json()
    replace(path, b"{}")
    with running_service(
        registry.store_folder
    ) as service:  # ready, since the registry has it whole
        assert service.version() == 2


def degraded(service) -> list[str]:
    return service.client.get("/readyz").json()["degraded"]


def replace(path: Path, content: bytes) -> None:
    made = path.with_name("made")
    made.write_bytes(content)
    made.replace(path)


def point_index(registry: Registry, number: int) -> None:
    path = registry.store_folder / "serving" / "demo" / "index.json"
    index = json.loads(path.read_bytes())
    index["models"]["demo.predictive"]["aliases"]["champion"] = str(number)
    replace(path, json.dumps(index).encode())


HARM = """
from pathlib import Path
import mlflow
Path({path!r}).write_text("ran")
class Model(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        Path({path!r}).write_text("ran")
        return [1.0]
mlflow.models.set_model(Model())
"""


class Harmful:
    """Unpickled, it writes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.write_text, (Path(self.path), "ran"))


def test_code_and_pickles_in_the_registry_are_never_run(registry, tmp_path):
    """The artifacts do harm when MLflow loads them, and none when the service follows them."""
    ran = tmp_path / "ran"
    pickled = pickle.dumps(Harmful(str(ran)))
    mlmodel = (
        "flavors:\n  python_function:\n    loader_module: mlflow.pyfunc.model\n"
        "    python_version: 3.11.0\n    {}\n"
    )
    code = HARM.format(path=str(ran)).encode()
    good = change(registry.scorecard, 0.9, 0.1)
    hostile = [
        {"model__pkl": pickled, "python_model__pkl": pickled, "sitecustomize__py": code,
         "MLmodel": mlmodel.format("python_model: python_model.pkl").encode()},
        {"model__py": code, "MLmodel": mlmodel.format("model_code_path: model.py").encode()},
    ]  # fmt: skip
    numbers = [registry.add(pickled, **files) for files in hostile]
    numbers += [registry.add(None, **files) for files in hostile]
    taken = registry.add(good, **hostile[1])
    with running_service(registry.store_folder, "--poll", str(POLLED_EVERY_S)) as service:
        for number in numbers:
            registry.point(number)
            service.wait_for(lambda n=number: refusals(service, n))
        registry.point(taken)
        service.wait_for(lambda: service.version() == taken)
        answer = service.post("/v1/score", LEAD).json()
        assert answer["probability"] == expect_probability(good)
    assert not ran.exists()
    folder = next(
        p for p in (registry.store_folder / "artifacts" / "made").iterdir() if p.name == "2"
    )
    with pytest.MonkeyPatch.context() as patch, suppress(Exception):
        patch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
        pyfunc.load_model(str(folder))
    assert ran.exists()  # so the trap is one
