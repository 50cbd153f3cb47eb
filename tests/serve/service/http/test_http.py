"""The service as an HTTP server: methods, media types, ids, limits, probes."""

import gzip
import json
import socket

import pytest
from support.services import demo_lead, growing_less_than, raw_request, read_all, running_service
from support.services_in_process import check_problem, fill_cache, service_inside

SCORING = ("/v1/score", "/v1/score/batch", "/v1/explain", "/invocations")
CONTROL = ("/v1/model", "/livez", "/readyz", "/ping", "/health", "/version", "/metrics",
           "/openapi.json", "/openapi-3.0.json", "/docs")  # fmt: skip


@pytest.fixture(scope="module")
def store_folder(registered, tmp_path_factory):
    store_folder = tmp_path_factory.mktemp("http")
    fill_cache(store_folder, {1: registered.training.scorecard}, champion=1)
    return store_folder


@pytest.fixture(scope="module")
def service(store_folder):
    with service_inside(store_folder) as service:
        yield service


@pytest.fixture(scope="module")
def running(promoted):
    with running_service(promoted) as running:
        yield running


@pytest.mark.parametrize("given", ["abc", "A-z_0.9~", "x" * 128, "7f"])
def test_the_callers_own_request_id_comes_back(service, given):
    answer = service.post("/v1/score", demo_lead(), X_Request_ID=given)
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == given
    for path in ("/livez", "/nowhere", "/v1/model"):
        assert service.get(path, X_Request_ID=given).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\tb", "<script>", "a,b", "é", None])
def test_an_id_that_is_none_is_replaced(service, given):
    headers = {} if given is None else {"X_Request_ID": given.encode()}
    ids = set()
    for _ in range(2):
        answer = service.post("/v1/score", demo_lead(), **headers)
        ids.add(answer.headers["x-request-id"])
        assert answer.json()["request_id"] in ids
    assert len(ids) == 2
    assert all(len(one) == 32 for one in ids)


@pytest.mark.parametrize("path", SCORING)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_scores_are_posted(service, path, method):
    answer = service.ask(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    if method != "HEAD":
        check_problem(answer, 405)


@pytest.mark.parametrize("path", CONTROL)
def test_the_rest_is_got(service, path):
    answer = service.post(path, {})
    check_problem(answer, 405)
    assert answer.headers["allow"] == "GET"
    assert service.get(path).status_code in (200, 503)


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/score/", "/v1/Score", "/v1//score", "/x",
                                  "/docs/%2e%2e/x", "/metrics/"])  # fmt: skip
def test_other_paths_are_404(service, path):
    for answer in (service.get(path), service.post(path, demo_lead())):
        if answer.status_code != 200:
            check_problem(answer, 404)


@pytest.mark.parametrize(
    ("media_type", "status"),
    [("application/json", 200), ("application/json; charset=utf-8", 200),
     ("APPLICATION/JSON", 200), ("application/vnd.lead+json", 200), ("text/json", 415),
     ("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("application/jsonx", 415),
     ("multipart/form-data", 415), ("", 415), ("text/csv", 415)],
)  # fmt: skip
def test_only_json_is_scored(service, media_type, status):
    body = json.dumps(demo_lead()).encode()
    answer = service.ask("POST", "/v1/score", body, Content_Type=media_type)
    assert answer.status_code == status
    if status == 415:
        check_problem(answer, 415)
        assert "application/json" in answer.headers["accept"]


def test_a_body_may_come_as_gzip(service):
    body = json.dumps(demo_lead()).encode()
    plain = service.score(body)
    packed = service.score(gzip.compress(body), Content_Encoding="GZIP")
    assert packed | {"request_id": ""} == plain | {"request_id": ""}
    for wrong in (b"no gzip", gzip.compress(body)[:-9], gzip.compress(body) * 2, b""):
        check_problem(service.post("/v1/score", wrong, Content_Encoding="gzip"), 400)
    for unknown in ("br", "deflate", "gzip, gzip", "x"):
        answer = service.post("/v1/score", body, Content_Encoding=unknown)
        check_problem(answer, 415)
        assert answer.headers["accept-encoding"] == "gzip"


def test_too_large_bodies_are_413(service):
    spaces = b" " * 1_048_576
    answer = service.post("/v1/score", b"{}" + spaces)
    check_problem(answer, 413)
    packed = gzip.compress(b"{}" + spaces)
    check_problem(service.post("/v1/score", packed, Content_Encoding="gzip"), 413)
    assert service.post("/v1/score/batch", b"{}" + spaces).status_code == 422


def test_a_small_gzip_that_is_a_large_body_costs_no_memory(running):
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < 50_000
    worker = running.find_child("leadscore.serve.service.processes.worker")
    running.post("/v1/score", demo_lead())
    with growing_less_than(10.0, worker):
        for _ in range(5):
            answer = running.post("/v1/score", bomb, Content_Encoding="gzip")
            check_problem(answer, 413)


def test_a_client_that_sends_everything_first_reads_its_413(running):
    size = 40_000_000
    head = (f"POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {size}\r\n\r\n").encode()  # fmt: skip
    with socket.create_connection(("127.0.0.1", running.port), timeout=20.0) as connection:
        connection.sendall(head + b" " * size)  # fails where the service hangs up meanwhile
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nconnection: close\r\n" in answer.lower()
    assert answer.endswith(b"}")


def test_who_starts_it_is_told_what_is_served_and_where(running, registered):
    running.wait_for(lambda: "is served at" in running.log_path.read_text(), 20.0)
    told = running.log_path.read_text()
    fingerprint = registered.training.scorecard.fingerprint
    assert (
        f"demo.predictive version 1 ({fingerprint}) is served at http://127.0.0.1:{running.port}; "
        f"documentation at http://127.0.0.1:{running.port}/docs"
    ) in told
    assert "No API key is required until there is one in " in told


@pytest.mark.parametrize("path", ["/v1/score", "/v1/model", "/livez", "/nowhere", "/metrics"])
def test_nobody_guesses_types_or_keeps_answers(service, path):
    answer = service.post(path, {}) if path == "/v1/score" else service.get(path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert len(answer.headers.get_list("x-request-id")) == 1
    assert "server" not in answer.headers


def test_pages_of_other_origins_may_not_ask_unless_told(service, store_folder):
    origin = "https://crm.example"
    answer = service.post("/v1/score", demo_lead(), Origin=origin)
    assert not [name for name in answer.headers if name.startswith("access-control")]
    with service_inside(store_folder, origins=(origin,)) as shared:
        asked = shared.ask("OPTIONS", "/v1/score", Origin=origin,
                           Access_Control_Request_Method="POST",
                           Access_Control_Request_Headers="authorization,content-type")  # fmt: skip
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == origin
        answer = shared.post("/v1/score", demo_lead(), Origin=origin)
        assert answer.headers["access-control-allow-origin"] == origin
        other = shared.post("/v1/score", demo_lead(), Origin="https://evil.example")
        assert other.headers.get("access-control-allow-origin") is None
        assert "access-control-allow-credentials" not in answer.headers


def test_probes_say_what_they_are_for(service, tmp_path):
    assert service.get("/livez").json() == {"status": "live"}
    assert service.get("/ping").text == service.get("/health").text == "\n"
    assert service.get("/version").text[0].isdigit()
    assert service.get("/readyz").json()["model"]["version"] == 1
    with service_inside(tmp_path) as empty:
        assert empty.get("/livez").status_code == 200
        assert empty.get("/readyz").json()["status"] == "not ready"
        for path in ("/readyz", "/ping", "/health"):
            assert empty.get(path).status_code == 503
        answer = empty.post("/v1/score", demo_lead())
        check_problem(answer, 503)
        assert int(answer.headers["retry-after"]) > 0
        check_problem(empty.get("/v1/model"), 503)
        assert empty.get("/openapi.json").status_code == 200


def test_the_model_is_told_whole(service, registered):
    told = service.get("/v1/model").json()
    scorecard = registered.training.scorecard
    assert told["fingerprint"] == scorecard.fingerprint
    assert told["bands"] == scorecard.bands.model_dump()
    assert [s["signal"] for s in told["signals"]] == list(registered.project.catalog.columns)
    assert told["models"]["demo.predictive"] == {"versions": [1], "aliases": {"champion": "1"}}


def test_what_is_asked_is_counted(store_folder):
    with service_inside(store_folder) as service:
        service.score(demo_lead())
        service.post("/v1/score", b"{")
        service.get("/etc/passwd")
        service.post("/v1/score/batch", {"leads": [demo_lead()] * 3})
        text = service.get("/metrics").text
    assert 'leadscore_requests_total{route="/v1/score",status="200"} 1.0' in text
    assert 'leadscore_requests_total{route="/v1/score",status="400"} 1.0' in text
    assert 'leadscore_requests_total{route="other",status="404"} 1.0' in text
    assert "passwd" not in text
    counted = [line for line in text.splitlines() if line.startswith("leadscore_leads_scored_t")]
    assert sum(float(line.split()[-1]) for line in counted) == 4.0


POST = b"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"what is this\r\n\r\n", 400),
        (POST + b"Content-Length: ten\r\n\r\n", 400),
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
        (POST + b"Content-Length: 99999999999999999999999\r\n\r\n", 400),
        (POST + b"Content-Length: 2000000\r\nConnection: close\r\n\r\n", 413),
        (POST + b"Connection: close\r\n\r\n", 400),
        (
            POST + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            422,
        ),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (POST + b"Bad Header: x\r\n\r\n", 400),
        (b"GET /livez HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 40_000 + b"\r\n\r\n", 431),
        (b"GET /livez HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 300 + b"\r\n", 431),
        (b"GET /" + b"y" * 9_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_what_is_hardly_http_gets_an_answer_and_no_500(running, text, status):
    answer = raw_request(running.port, text, wait_s=4.0)
    assert answer.startswith(b"HTTP/1.1 %d " % status), answer[:300]
    assert b"application/problem+json" in answer
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["status"] == status
