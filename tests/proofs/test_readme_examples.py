"""The examples of docs/crm-integrator.md, run as printed against a running service."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from support.real_data import ROOT
from support.services import running_service

pytestmark = pytest.mark.proof
AXIOS = """
exports.post = async (url, body, options) => {
  const answer = await fetch(url, {method: "POST", body: JSON.stringify(body),
    headers: {"Content-Type": "application/json", ...options.headers}});
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return {data: await answer.json()};
};
"""
RUN = """
const action = require("./action.js");
action.main({object: {objectId: 7}, inputFields: {createdate: "1768464000000",
  jobtitle: "CEO", email: "ana@acmetools.example", company: "Acme", numberofemployees: "250"}},
  (found) => console.log(JSON.stringify(found)));
"""


PAGE = ROOT / "docs" / "crm-integrator.md"


def example(language: str) -> str:
    """Return the only example of the page in this language."""
    text = PAGE.read_text(encoding="utf-8")
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return found


@pytest.fixture(scope="module")
def service(promoted):
    with running_service(promoted) as running:
        yield running


def test_python(service):
    code = example("python").replace("http://127.0.0.1:8000", service.url)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    band, _, sentence = done.stdout.partition(" ")
    assert band in ("cold", "MQL", "SQL")
    assert "%" in sentence


def test_hubspot_custom_code(service, tmp_path):
    if shutil.which("node") is None:
        pytest.skip("no node on the path")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "axios.js").write_text(AXIOS)
    (tmp_path / "action.js").write_text(example("js"))
    (tmp_path / "run.js").write_text(RUN)
    done = subprocess.run(
        ["node", "run.js"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "LEADSCORE_URL": service.url,
             "LEADSCORE_KEY": "none is asked for"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["outputFields"]
    assert found["band"] in ("cold", "MQL", "SQL")
    assert 0.0 < found["score"] < 100.0


def test_apex_sends_what_the_service_reads(service):
    """Apex cannot be run here; at least its fields are those of the service."""
    code = example("apex")
    body = {
        "lead_id": "00Q",
        "created_at": "2026-01-15T08:00:00Z",
        "profile": {"title": "CEO", "email": "a@b.example", "company": "B", "employees": 5},
    }
    for name in ("lead_id", "created_at", "profile", *body["profile"]):
        assert f"'{name}' =>" in code
    assert service.post("/v1/score", body, Prefer="handling=strict").status_code == 200
