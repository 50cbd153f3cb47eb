"""Write a synthetic table of leads, with the true probability of each beside it.

Two years of leads; a lead's chance depends on who it is and what it did before it was created, by
log-odds that add up; wins arrive with a delay, so some are still open when the data is taken.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv
from scipy.stats import lognorm

from pipeline.values import DAY_US, format_time

HORIZON_DAYS = 60.0
_BEGIN_US = 1_704_067_200_000_000  # 2024-01-01
_DAYS = 730
_WIN_DELAY = lognorm(s=0.8, scale=20.0)
_LOSS_DELAY = lognorm(s=0.7, scale=45.0)
_CENTRE = -4.2

_SENIORITY = {"owner": 0.9, "executive": 0.7, "manager": 0.4, "staff": 0.0, "student": -1.6}
_INDUSTRY = {"software": 0.5, "manufacturing": 0.3, "retail": 0.0, "health": 0.2, "public": -0.5}
_SOURCE = {"search": 0.2, "partner": 0.8, "webinar": 0.5, "advert": -0.3, "list": -0.9}
_COUNTRY = {"ES": 0.1, "MX": 0.0, "FR": 0.1, "GB": 0.2, "US": 0.3}
_MAIL = {"business": 0.5, "free": -0.4, "disposable": -2.0}
_SHARES = {
    "seniority": (0.08, 0.12, 0.25, 0.45, 0.10),
    "industry": (0.3, 0.2, 0.2, 0.15, 0.15),
    "source": (0.35, 0.1, 0.15, 0.25, 0.15),
    "country": (0.3, 0.2, 0.15, 0.15, 0.2),
    "mail_kind": (0.6, 0.35, 0.05),
}
_WORTH = {
    "seniority": _SENIORITY,
    "industry": _INDUSTRY,
    "source": _SOURCE,
    "country": _COUNTRY,
    "mail_kind": _MAIL,
}
_MISSING = {"seniority": 0.15, "industry": 0.1, "employees": 0.2}


@dataclass(frozen=True)
class World:
    """What was written."""

    leads: int
    wins: int
    leads_path: Path
    truth_path: Path


def write_world(folder: Path, leads: int, seed: int) -> World:
    """Write ``leads.csv`` and ``truth.csv`` into a folder, which is made if absent.

    Columns of leads.csv: those that the demo project's data.yaml describes. Columns of truth.csv:
    lead_id and true_prob, the probability that the lead is won within 60 days of its creation,
    given everything about it, values that leads.csv does not tell included.

    Parameters
    ----------
    folder : Path
    leads : int
    seed : int
        The same seed writes the same bytes.

    Returns
    -------
    World
    """
    random = np.random.default_rng(seed)
    created = _BEGIN_US + np.sort(random.integers(0, _DAYS * DAY_US, leads))
    facts, log_odds = _draw_facts(random, leads)
    wins = random.random(leads) < 1.0 / (1.0 + np.exp(-log_odds))
    days = np.where(
        wins,
        _WIN_DELAY.rvs(leads, random_state=random),
        _LOSS_DELAY.rvs(leads, random_state=random),
    )
    closed = created + (np.maximum(days, 0.1) * DAY_US).astype(np.int64)
    dropped = ~wins & (random.random(leads) < 0.15)  # nobody ever wrote down that these were lost
    is_open = (closed > _BEGIN_US + _DAYS * DAY_US) | dropped
    status = np.where(is_open, "open", np.where(wins, "won", "lost"))
    ids = [f"L{number:07d}" for number in range(1, leads + 1)]
    columns: dict[str, object] = {
        "lead_id": ids,
        "created_at": [format_time(moment) for moment in created.tolist()],
        **{name: _blank(random, name, values) for name, values in facts.items()},
        "status": status.tolist(),
        "closed_at": [
            None if still else format_time(moment)
            for still, moment in zip(is_open.tolist(), closed.tolist(), strict=True)
        ],
        "closing_remark": np.where(
            is_open, "", np.where(wins, "contract signed", "no answer")
        ).tolist(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    leads_path, truth_path = folder / "leads.csv", folder / "truth.csv"
    true_prob = 1.0 / (1.0 + np.exp(-log_odds)) * _WIN_DELAY.cdf(HORIZON_DAYS)
    pa_csv.write_csv(pa.table(columns), leads_path)
    pa_csv.write_csv(pa.table({"lead_id": ids, "true_prob": true_prob}), truth_path)
    return World(leads, int((status == "won").sum()), leads_path, truth_path)


def _draw_facts(
    random: np.random.Generator, leads: int
) -> tuple[dict[str, npt.NDArray[np.generic]], npt.NDArray[np.float64]]:
    """Draw every lead's facts and add up what they are worth."""
    facts: dict[str, npt.NDArray[np.generic]] = {}
    log_odds = np.full(leads, _CENTRE) + random.normal(0.0, 0.4, leads)
    for name, worth in _WORTH.items():
        levels = np.array(list(worth))
        codes = random.choice(len(levels), leads, p=_SHARES[name])
        facts[name] = levels[codes]
        log_odds += np.array(list(worth.values()))[codes]
    interest = random.normal(0.0, 1.0, leads)
    employees = np.exp(random.normal(4.0, 1.5, leads)).round() + 1.0
    facts["employees"] = employees
    log_odds += 0.5 * np.exp(-(((np.log(employees) - 5.0) / 1.3) ** 2))
    for name, rate, worth_each, most in (
        ("email_opens", 3.0, 0.05, 8.0),
        ("email_clicks", 0.8, 0.35, 4.0),
        ("site_visits", 4.0, 0.06, 12.0),
        ("pricing_views", 0.5, 0.6, 3.0),
        ("careers_views", 0.2, -0.7, 2.0),
        ("social_shares", 0.3, 0.4, 2.0),
    ):
        counts = random.poisson(rate * np.exp(0.5 * interest)).astype(np.float64)
        facts[name] = counts
        log_odds += worth_each * np.minimum(counts, most)
    filled = random.beta(4.0, 2.0, leads).round(2)
    facts["form_filled"] = filled
    log_odds += 1.2 * (filled - 0.6)
    spam = random.random(leads) < 0.06
    facts["name_without_capitals"] = np.where(spam, "yes", "no")
    log_odds -= 2.5 * spam
    return facts, log_odds


def _blank(random: np.random.Generator, name: str, values: npt.NDArray[np.generic]) -> list[object]:
    share = _MISSING.get(name, 0.0)
    gone = random.random(len(values)) < share
    return [None if blank else value for blank, value in zip(gone, values.tolist(), strict=True)]
