"""The product as others meet it: a wheel elsewhere, MLflow's own server, the README's lines."""

import json
import shutil
import socket
import subprocess
import sys
import urllib.request
import zipfile

import pytest
from support.programs import BIN, clean_environment, environment, running
from support.real_data import ROOT

from leadscore.models.score_frame import score_frame

pytestmark = pytest.mark.proof


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ask(address: str, document: object) -> object:
    request = urllib.request.Request(
        address, json.dumps(document).encode(), {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def test_mlflow_serves_the_registered_version(registered, tmp_path):
    port = free_port()
    uri = f"sqlite:///{registered.store_folder / 'mlflow.db'}"
    words = ["mlflow", "models", "serve", "-m", "models:/demo.predictive/1"]
    words += ["--env-manager", "local", "-h", "127.0.0.1", "-p", str(port)]
    at = f"http://127.0.0.1:{port}"
    later = registered.training.later.signals.head(20)
    records = later.astype(object).where(later.notna(), None).to_dict("records")
    with running(words, tmp_path / "log", f"{at}/ping", MLFLOW_TRACKING_URI=uri):
        answer = ask(f"{at}/invocations", {"dataframe_records": records})
    said = [row["probability"] for row in answer["predictions"]]
    expected = score_frame(registered.training.scorecard, later).probability.tolist()
    assert said == pytest.approx(expected, abs=1e-9)


def test_an_mlflow_server_can_keep_the_store(registered, tmp_path):
    port = free_port()
    at = f"http://127.0.0.1:{port}"
    words = ["mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    words += ["--backend-store-uri", f"sqlite:///{tmp_path / 'server.db'}"]
    words += ["--artifacts-destination", str(tmp_path / "kept")]
    data = ["--data", str(registered.store_folder / "demo"), "--store", str(tmp_path / "unused")]
    with running(words, tmp_path / "log", f"{at}/health"):
        for command in (["train", *data], ["promote", "1"], ["versions", "--json"]):
            done = subprocess.run(
                [str(BIN / "leadscore"), *command, "-p", "demo"],
                capture_output=True,
                text=True,
                env=environment(MLFLOW_TRACKING_URI=at),
                cwd=tmp_path,
                timeout=300,
            )
            assert done.returncode == 0, done.stderr
    (version,) = json.loads(done.stdout)
    assert version["aliases"] == ["champion"]
    assert version["fingerprint"] == registered.version.fingerprint
    assert not (tmp_path / "unused" / "mlflow.db").exists()
    assert list((tmp_path / "kept").rglob("scorecard.json"))


def test_the_wheel_works_in_another_environment_from_another_folder(promoted, tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for needed in ("models/scorecard.py", "_configs/demo/data.yaml", "serve/cli/main.py"):
        assert f"leadscore/{needed}" in names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"leadscore"}
    fresh = tmp_path / "fresh"
    subprocess.run([sys.executable, "-m", "venv", str(fresh)], check=True)
    program = str(fresh / "bin" / "leadscore")

    def install(extras: str) -> None:
        subprocess.run(
            [str(fresh / "bin" / "python"), "-m", "pip", "install", "--quiet",
             "--constraint", str(ROOT / "constraints.txt"), f"{wheel}[{extras}]"],
            check=True,
        )  # fmt: skip

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for taken in ("models.py", "pipeline.py", "serve/__init__.py"):  # a user's own
        (elsewhere / taken).parent.mkdir(exist_ok=True)
        (elsewhere / taken).write_text("raise ImportError('this is not leadscore')")

    def run(*words: str) -> str:
        done = subprocess.run(
            [program, *words],
            capture_output=True,
            text=True,
            cwd=elsewhere,
            env=clean_environment(),
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def serve(store: str) -> float:
        port = free_port()
        words = [program, "serve", "-p", "demo", "--store", store, "--port", str(port)]
        ready = f"http://127.0.0.1:{port}/readyz"
        with running(words, elsewhere / f"{store}.log", ready):
            lead = {"lead_id": "L-1", "created_at": "2026-01-15T08:00:00Z", "profile": {}}
            return ask(ready.replace("readyz", "v1/score"), lead)["probability"]

    install("serve")
    installed = {path.name for path in (fresh / "lib").glob("python*/site-packages/*")}
    assert not installed & {"altair", "jinja2", "vl_convert", "matplotlib", "flask", "docker"}
    shutil.copytree(promoted, elsewhere / "copied")
    run("doctor", "--relocate", "--store", "copied")
    assert 0.0 < serve("copied") < 1.0
    run("demo", "leads", "--leads", "1000")
    with pytest.raises(AssertionError, match=r"needs altair, jinja2, .* 'leadscore\[report\]'"):
        run("train", "-p", "demo", "--data", "leads")

    install("serve,report")
    assert "demo.predictive version 1" in run("demo", "--tour")
    assert "Ready to train" in run("check", "-p", "demo")  # the data are below the current folder
    assert "champion" in run("versions", "-p", "demo")
    shutil.move(elsewhere / "var", elsewhere / "store")
    run("doctor", "--relocate", "--store", "store")
    run(
        "score",
        "-p",
        "demo",
        "store/demo/open_leads.csv",
        "again.csv",
        "--store",
        "store",
        "--data",
        "store/demo",
    )
    assert (elsewhere / "again.csv").read_bytes() == (
        elsewhere / "store" / "demo" / "scored.csv"
    ).read_bytes()
    assert 0.0 < serve("store") < 1.0
