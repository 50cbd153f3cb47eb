"""MLflow's protocol: its own client finds here what the registered model predicts."""

import json
import re

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
from support.services import running_service
from support.services_in_process import check_problem, fill_cache, find, service_inside, vary

from leadscore.pipeline.score_log.log import open_for_reading
from leadscore.serve.service.replay import Wanted, replay


@pytest.fixture(scope="module")
def service(registered, tmp_path_factory):
    store_folder = tmp_path_factory.mktemp("invocations")
    fill_cache(store_folder, {1: registered.training.scorecard}, champion=1)
    with service_inside(store_folder) as service:
        yield service


@pytest.fixture(scope="module")
def frame(registered):
    """Signals of later leads, NaN and missing texts among them, as the model's signature has it."""
    terms = [term.signal for term in registered.training.scorecard.terms]
    frame = registered.training.later.signals[terms].head(200).copy()
    assert frame.isna().any().any()
    return frame


@pytest.fixture(scope="module")
def expected(registered, frame):
    mlflow.set_tracking_uri(f"sqlite:///{registered.store_folder / 'mlflow.db'}")
    return mlflow.pyfunc.load_model("models:/demo.predictive/1").predict(frame)


def check(predictions: list[dict], expected: pd.DataFrame) -> None:
    found = pd.DataFrame(predictions)
    assert list(found.columns) == list(expected.columns)
    for name in ("probability", "score", "log_odds"):
        assert found[name].to_numpy() == pytest.approx(expected[name].to_numpy(), abs=1e-12)
    assert found["band"].tolist() == expected["band"].tolist()


def test_mlflows_own_client_gets_the_models_own_answers(promoted, frame, expected):
    with running_service(promoted) as running:
        client = ScoringServerClient("127.0.0.1", running.port)
        client.wait_server_ready(timeout=5)
        answer = client.invoke(frame)
        check(answer.get_predictions().to_dict("records"), expected)


def to_forms(frame: pd.DataFrame) -> dict[str, object]:
    plain = frame.astype(object).where(frame.notna(), None)
    records = plain.to_dict("records")
    split = {"columns": list(plain.columns), "data": plain.to_numpy().tolist()}
    return {
        "dataframe_records": records,
        "dataframe_split": split,
        "instances": records,
        "inputs": plain.to_dict("list"),
    }


def test_every_form_says_the_same(service, frame, expected):
    for form, table in to_forms(frame).items():
        answer = service.post("/invocations", {form: table})
        check(answer.json()["predictions"], expected)
    answer = service.post("/invocations", {"inputs": to_forms(frame)["instances"]})
    check(answer.json()["predictions"], expected)


@pytest.mark.parametrize("index", [True, False])
def test_csv_says_the_same(service, frame, expected, index):
    text = frame.to_csv(index=index).encode()
    for media_type in ("text/csv", "Text/CSV; charset=utf-8"):
        answer = service.post("/invocations", text, Content_Type=media_type)
        check(answer.json()["predictions"], expected)


def test_nan_is_missing_in_json_and_csv(service):
    text = b'{"dataframe_records": [{"web__pricing_views": NaN}, {}, {"web__pricing_views": null}]}'
    predictions = service.post("/invocations", text).json()["predictions"]
    rows = b"web__pricing_views,x\n,1\nNaN,1\nnan,1\n"
    predictions += service.post("/invocations", rows, Content_Type="text/csv").json()["predictions"]
    assert len(predictions) == 6
    assert all(prediction == predictions[0] for prediction in predictions)


def test_flags_may_be_booleans_and_numbers_may_not(service):
    def score(row: dict) -> float:
        answer = service.post("/invocations", {"instances": [row]})
        assert answer.status_code == 200, answer.text
        return answer.json()["predictions"][0]["log_odds"]

    assert score({"email__opt_in": True}) == score({"email__opt_in": 1})
    assert score({"email__opt_in": False}) == score({"email__opt_in": 0.0})
    csv = service.post("/invocations", b"email__opt_in\nTrue\n1\n1.0\n", Content_Type="text/csv")
    assert {p["log_odds"] for p in csv.json()["predictions"]} == {score({"email__opt_in": 1})}


@pytest.mark.parametrize("value", ["Zq7canary", "3", True, [1], {"a": 1}, 1e301, 10**400])
def test_a_value_that_does_not_fit_is_told_where_it_stands(service, value):
    good, bad = {"form__age": 1.0}, {"form__age": value}
    bodies = {
        "/dataframe_records/1/form__age": {"dataframe_records": [good, bad]},
        "/instances/1/form__age": {"instances": [good, bad]},
        "/inputs/1/form__age": {"inputs": [good, bad]},
        "/inputs/form__age/1": {"inputs": {"form__age": [1.0, value]}},
        "/dataframe_split/data/1/1": {
            "dataframe_split": {"columns": ["x", "form__age"], "data": [[0, 1.0], [0, value]]}
        },
    }
    for pointer, body in bodies.items():
        answer = service.post("/invocations", body)
        told = check_problem(answer, 422)
        assert [fault["pointer"] for fault in told["errors"]] == [pointer]
        assert find(body, pointer) == value
        assert "canary" not in answer.text


@pytest.mark.parametrize(
    ("text", "status", "told"),
    [
        (b"form__age\n1\nZq7canary\n", 422, "line 3, column form__age: a number is expected"),
        (b"form__age,x\n1\n", 422, "line 2: as many cells as the header has are expected"),
        (b"", 422, "a header line is expected"),
        (b"\xff\xfe", 400, None),
        (b'"form__age\n1\n', 400, None),
        (b"web__source\na\0b\n", None, None),
        (b"web__source\n" + b"x" * 200_000 + b"\n", None, None),
        (b"web__source\n" + b"x" * 10_001 + b"\n", 422, "line 2, column web__source: "),
        (b"x\n" + b"1\n" * 5_001, 422, "at most 5,000 rows are taken"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_csv_that_does_not_fit_is_told_by_its_line(service, text, status, told):
    answer = service.post("/invocations", text, Content_Type="text/csv")
    problem = check_problem(answer, status)
    assert problem["status"] in (400, 422)
    assert "canary" not in answer.text
    if told is not None:
        assert problem["errors"][0]["detail"].startswith(told)


@pytest.mark.parametrize(
    "body",
    [{}, [], None, 3, {"instances": []} | {"inputs": []}, {"instances": 3}, {"instances": [1]},
     {"dataframe_split": []}, {"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}},
     {"dataframe_split": {"columns": [1], "data": [[1]]}}, {"inputs": {"a": [1], "b": [1, 2]}},
     {"inputs": {}}, {"dataframe_records": [{}] * 5_001}],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
def test_tables_that_are_none(service, body):
    told = check_problem(service.post("/invocations", body), 422)
    for fault in told["errors"]:
        find(body, fault["pointer"])


def test_numbers_of_numpy_go_in_by_the_clients_writing(service):
    text = json.dumps({"instances": [{"form__age": float(np.float64(3))}]}).encode()
    assert service.post("/invocations", text).status_code == 200
    check_problem(service.post("/invocations", b'{"instances": [{"form__age": Infinity}]}'), 400)
    check_problem(service.post("/invocations", b'{"instances": [{"form__age": 1e999}]}'), 422)


def test_every_prediction_is_logged_counted_and_comes_out_again(registered, frame, tmp_path):
    scorecard = registered.training.scorecard
    fill_cache(tmp_path, {1: scorecard, 2: vary(scorecard, base=scorecard.base + 0.5)},
               champion=1, challenger=2)  # fmt: skip
    log = tmp_path / "scores.db"
    rows = to_forms(frame.head(3))["dataframe_records"]
    rows[0]["lead_id"], rows[1]["lead_id"] = "L-1", 7
    body = {"dataframe_records": rows}
    with service_inside(tmp_path, log_scores=str(log), shadow=True, log_requests=True) as service:
        answer = service.post("/invocations", body, X_Request_ID="table-1")
        service.get("/livez")  # the loop turns once more, for the shadow
        told = [line for line in service.logger.events if line["event"] == "shadow"]
        counted = service.get("/metrics").text
    predictions = answer.json()["predictions"]
    with open_for_reading(log) as store:
        kept = store.execute(
            "SELECT request_id, item, lead_id, log_odds, band FROM scores ORDER BY item"
        ).fetchall()
    assert kept == [
        ("table-1", place, name, predictions[place]["log_odds"], predictions[place]["band"])
        for place, name in enumerate(["L-1", "", ""])
    ]
    report = replay(log, Wanted(request_id="table-1"))
    assert (report.recomputed, report.all_equal) == (3, True)
    assert [line["item"] for line in told] == [0, 1, 2]
    assert [line["log_odds_gap"] for line in told] == pytest.approx([0.5] * 3)
    total = re.findall(r"^leadscore_leads_scored_total\{.*\} (\S+)$", counted, re.MULTILINE)
    assert sum(map(float, total)) == 3.0
