"""An answer adds up to the digit, and every way of asking gives the same one."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.scorecards import LAW
from support.services import demo_lead
from support.services_in_process import check_problem, check_score, fill_cache, service_inside, vary

from leadscore.models.score_lead import AxesReader, Scorer, explain_lead, find_percentile
from leadscore.pipeline.signals.live.reader import LiveReader
from leadscore.pipeline.values.times import read_moment

DAYS = st.integers(0, 20).map(lambda day: f"2026-01-{day + 11:02}T09:30:00Z")
leads = st.fixed_dictionaries(
    {
        "lead_id": st.just("L"),
        "as_of": st.just("2026-01-31T00:00:00Z"),
        "profile": st.fixed_dictionaries(
            {},
            optional={
                "title": st.sampled_from(["CEO", "Head of Marketing", "intern", "VP of Sales"]),
                "country": st.sampled_from(["ES", "US", "DE", "nowhere"]),
                "industry": st.sampled_from(["software", "retail", "education"]),
                "source": st.sampled_from(["webinar", "referral", "ads"]),
                "employees": st.integers(0, 100_000) | st.floats(0, 1e6),
                "followers": st.integers(0, 10_000),
                "opt_in": st.booleans(),
                "email": st.sampled_from(["ana@acme.example", "x@gmail.com", "a@mailinator.com"]),
                "first_name": st.sampled_from(["Ana", "asdf", "x9x9"]),
                "company": st.sampled_from(["Acme", "qwerty"]),
                "message": st.sampled_from(["", "Please call me", "Quiero una demo"]),
            },
        ),
    },
    optional={
        "created_at": DAYS,
        "previous_band": st.sampled_from(["cold", "MQL", "SQL", None]),
        "activities": st.lists(
            st.fixed_dictionaries(
                {
                    "kind": st.sampled_from(
                        ["page_view", "click", "open", "reply", "trial_login", "attended"]
                    ),
                    "occurred_at": DAYS,
                    "properties": st.fixed_dictionaries(
                        {"page": st.sampled_from(["pricing", "demo", "careers", "product"])}
                    ),
                }
            ),
            max_size=30,
        ),
    },
)


@pytest.fixture(scope="module")
def scorecard(registered):
    return registered.training.scorecard


@pytest.fixture(scope="module")
def service(scorecard, tmp_path_factory):
    store_folder = tmp_path_factory.mktemp("answers")
    fill_cache(
        store_folder,
        {1: scorecard, 2: vary(scorecard, base=scorecard.base + 0.5), 3: few_terms(scorecard)},
        champion=1, challenger=2,
    )  # fmt: skip
    with service_inside(store_folder) as service:
        yield service


def few_terms(scorecard):
    """A scorecard of fewer terms than reasons are listed."""
    return vary(scorecard, terms=scorecard.terms[:4], caps={})


def total(answer: dict) -> Decimal:
    """Add up points as somebody with pen and paper does."""
    shown = [answer["average"], *answer["reasons"]]
    return sum((Decimal(str(part["points"])) for part in shown), Decimal(0))


def check_sums(answer: dict) -> None:
    parts = [answer["average"], *answer["reasons"]]
    assert sum(part["log_odds"] for part in parts) == pytest.approx(answer["log_odds"], abs=1e-9)
    assert total(answer) == Decimal(str(answer["points"]))
    assert all(round(part["points"], 1) == part["points"] for part in parts)


@settings(LAW, max_examples=150)
@given(leads, st.sampled_from(["", "?model=2", "?model=3"]))
def test_reasons_add_up_however_a_lead_is_asked_about(service, lead, model):
    scored = service.post(f"/v1/score{model}", lead).json()
    explained = service.post(f"/v1/explain{model}", lead).json()
    batch = service.post(f"/v1/score/batch{model}", {"leads": [lead, lead]}).json()
    check_score(scored)
    check_sums(scored)
    check_sums(explained)
    *listed, others = scored["reasons"]
    assert listed == explained["reasons"][: len(listed)]
    assert others["signal"] == "others"
    for name in scored.keys() - {"request_id", "reasons"}:
        assert scored[name] == explained[name], name
    del scored["request_id"]
    assert [result["answer"] for result in batch["results"]] == [scored, scored]
    assert batch["model"] == scored["model"]


@settings(LAW, max_examples=60)
@given(leads)
def test_every_number_is_the_scorecards_own(service, scorecard, registered, lead):
    served = {signal.column for signal in registered.project.catalog.signals}
    explained = service.post("/v1/explain", lead).json()
    signals = {r["signal"]: r["value"] for r in explained["reasons"] if r["signal"] in served}
    scorer = Scorer(scorecard)
    score = scorer.score(signals, lead.get("previous_band"))
    assert explained["log_odds"] == pytest.approx(score.log_odds, abs=1e-12)
    assert explained["probability"] == pytest.approx(score.probability, abs=1e-12)
    assert explained["band"] == score.band
    assert explained["percentile"] == find_percentile(scorecard.quantiles, explained["log_odds"])
    fit, engagement = AxesReader(scorecard).read(score.contributions)
    assert (explained["fit"], explained["engagement"]) == (fit, engagement)
    reasons = explain_lead(scorer, signals, score).reasons
    assert [r["signal"] for r in explained["reasons"]] == [reason.signal for reason in reasons]
    assert explained["horizon_days"] == scorecard.horizon_days
    assert explained["model"]["fingerprint"] == scorecard.fingerprint


def test_the_signals_of_an_answer_are_those_of_the_reader(service, registered):
    lead = demo_lead(activities=[])
    read = LiveReader(registered.project.catalog).read_signals(
        lead["profile"], [], as_of_us=read_moment(lead["as_of"]),
        created_us=read_moment(lead["created_at"]),
    )  # fmt: skip
    told = service.post("/v1/explain", lead).json()["reasons"]
    assert {r["signal"]: r["value"] for r in told} == {r["signal"]: read[r["signal"]] for r in told}


def test_a_query_picks_the_version(service):
    def version(query: str) -> int:
        answer = service.post(f"/v1/score{query}", demo_lead())
        assert answer.status_code == 200, answer.text
        return answer.json()["model"]["version"]

    assert version("") == version("?model=champion") == version("?model=1") == 1
    assert version("?model=challenger") == version("?model=2") == 2
    assert version("?model=predictive:3") == version("?model=demo.predictive:3") == 3
    assert version("?model=predictive") == 1
    check_problem(service.post("/v1/score?modle=3", demo_lead()), 422)
    first, second = (service.post(f"/v1/score?model={n}", demo_lead()).json() for n in (1, 2))
    assert second["log_odds"] - first["log_odds"] == pytest.approx(0.5)
    for unknown in ("4", "0", "-1", "rules", "rules:1", "other.predictive:1", "", "%00", "1;2"):
        for path in ("/v1/score", "/v1/score/batch", "/v1/explain", "/invocations"):
            check_problem(service.post(f"{path}?model={unknown}", demo_lead()), 404)
        check_problem(service.get(f"/v1/model?model={unknown}"), 404)


def test_an_alias_that_nobody_has_is_told_as_such(registered, tmp_path):
    fill_cache(tmp_path, {1: registered.training.scorecard}, champion=1)
    with service_inside(tmp_path) as alone:
        problem = alone.post("/v1/score?model=challenger", demo_lead())
        check_problem(problem, 404)
        assert "demo.predictive has no challenger" in problem.json()["detail"]
        check_problem(alone.post("/v1/score?model=2", demo_lead()), 404)


def test_one_lead_that_does_not_fit_leaves_the_others_of_a_batch_alone(service):
    batch = [demo_lead(), demo_lead(profile={"employees": "12"}), {"lead_id": 3}, demo_lead()]
    answer = service.post("/v1/score/batch", {"leads": batch}).json()
    assert (answer["scored"], answer["failed"]) == (2, 2)
    assert [r["index"] for r in answer["results"]] == [0, 1, 2, 3]
    assert [r["status"] for r in answer["results"]] == [200, 422, 422, 200]
    assert answer["results"][1]["problem"]["errors"][0]["pointer"] == "/profile/employees"
    assert answer["results"][0]["answer"] == answer["results"][3]["answer"]
