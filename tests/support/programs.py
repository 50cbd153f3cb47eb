"""Other programs as servers, such as MLflow's own."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BIN = Path(sys.executable).parent
SWITCHES = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}


def clean_environment() -> dict[str, str]:
    """Return this environment without an address that MLflow has noted in it."""
    return {name: value for name, value in os.environ.items() if not name.endswith("_URI")}


def environment(**more: str) -> dict[str, str]:
    """Return this environment as an activated one: MLflow looks for uvicorn on the path."""
    return {
        **clean_environment(),
        **SWITCHES,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        **more,
    }


@contextmanager
def running(words: list[str], log: Path, address: str, **more: str) -> Iterator[None]:
    """Start a server, wait until `address` answers, and stop it and its children afterwards."""
    with log.open("wb") as stream:
        process = subprocess.Popen(
            words,
            stdout=stream,
            stderr=stream,
            env=environment(**more),
            cwd=log.parent,
            start_new_session=True,
        )
        try:
            for _ in range(240):
                try:
                    with urllib.request.urlopen(address, timeout=2):
                        break
                except OSError:
                    assert process.poll() is None, log.read_text()[-2000:]
                    time.sleep(0.5)
            else:
                raise AssertionError(log.read_text()[-2000:])
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(timeout=30)
