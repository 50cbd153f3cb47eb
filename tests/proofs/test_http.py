"""The service against those who know HTTP and OpenAPI better than its makers."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from support.services import demo_lead, make_key, running_service

from leadscore.serve.service.control.openapi import to_openapi_30

pytestmark = pytest.mark.proof
SCHEMATHESIS = Path(sys.executable).with_name("st")
REFUSALS = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429]
"""Schemathesis' own list, and 413: a list that is too long makes a body that is too large."""


def run_schemathesis(
    url: str, folder: Path, *options: str, examples: int, model: str | None
) -> str:
    """Let schemathesis try everything on a running service and return what it says of it."""
    lines = ["[checks.negative_data_rejection]", f"expected-statuses = {REFUSALS}"]
    if model is not None:  # or nearly all that it asks for is a version that does not exist
        lines += ["[parameters]", f'model = "{model}"']
    config = folder / "schemathesis.toml"
    config.write_text("\n".join(lines))
    done = subprocess.run(
        [SCHEMATHESIS, "--config-file", config, "run", f"{url}/openapi.json", "--checks", "all",
         "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(examples),
         "--seed", "1", "--generation-database", "none", "--continue-on-failure", "--no-color",
         "--request-timeout", "30", *options],
        capture_output=True, text=True, timeout=400, cwd=folder,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
             "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent),
                                            os.environ.get("PYTHONPATH", "")])},
    )  # fmt: skip
    said = re.sub(r"\n    curl .*", "", done.stdout)
    assert done.returncode == 0, said[-6000:] + done.stderr[-2000:]
    return said


def test_schemathesis_finds_nothing_without_a_key(promoted, tmp_path):
    with running_service(promoted, "--insecure") as service:
        said = run_schemathesis(service.url, tmp_path, examples=60, model="champion")
        assert "Tested: 11" in said
        assert "API Links:    4 covered / 4 selected / 4 total" in said
        counted = service.client.get("/metrics").text
        assert not re.search(r'requests_total\{.*status="500"', counted)
        scored = re.findall(r'requests_total\{route="/v1/score",status="200"\} (\d+)', counted)
        assert int(scored[0]) > 100, "most of what was tried must have got as far as a score"


def test_schemathesis_finds_nothing_with_a_key(promoted, tmp_path):
    path, key = make_key(tmp_path, "score", "metrics")
    with running_service(promoted, "--keys", str(path)) as service:
        said = run_schemathesis(
            service.url, tmp_path, "--header", f"Authorization: Bearer {key}",
            examples=15, model=None,
        )  # fmt: skip
        assert "Tested: 11" in said
        assert key not in service.log_path.read_text()


def test_the_documents_are_valid_openapi(promoted, tmp_path):
    path, _ = make_key(tmp_path)
    for options in (["--insecure"], ["--keys", str(path)]):
        with running_service(promoted, *options) as service:
            modern = service.client.get("/openapi.json").json()
            older = service.client.get("/openapi-3.0.json").json()
        assert modern["openapi"].startswith("3.1")
        assert older["openapi"].startswith("3.0")
        OpenAPIV31SpecValidator(modern).validate()
        OpenAPIV30SpecValidator(older).validate()
        assert older == to_openapi_30(modern)
        assert modern["paths"].keys() == older["paths"].keys()
        text = json.dumps(older)
        assert '"null"' not in text
        assert '"const"' not in text
        assert '"enum": [true' not in text, "generators of clients take no enum of several types"
        assert ("securitySchemes" in text) == ("--keys" in options)


def test_the_example_of_the_document_is_scored_strictly(promoted):
    with running_service(promoted) as service:
        paths = service.client.get("/openapi.json").json()["paths"]
        for path in ("/v1/score", "/v1/explain", "/v1/score/batch"):
            content = paths[path]["post"]["requestBody"]["content"]["application/json"]
            answer = service.post(path, content["example"], Prefer="handling=strict")
            assert answer.status_code == 200, answer.text
            assert answer.headers["preference-applied"] == "handling=strict"
            assert answer.json().get("failed", 0) == 0
        assert service.post("/v1/score", demo_lead()).status_code == 200
