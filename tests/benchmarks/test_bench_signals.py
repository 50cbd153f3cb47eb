"""Speed of the two readers, as ratios to a floor in the same run; `make bench` prints them.

A million snapshots, seventy signals over ten kinds of activities. The floor is reading the columns
that the signals need from the same Parquet file, once.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from yardstick import time_once, time_yardstick

from leadscore.pipeline.engine.duckdb_engine import Limits, run_sql
from leadscore.pipeline.signals.catalog import Catalog
from leadscore.pipeline.signals.history.reader import History, read_history
from leadscore.pipeline.signals.live.activities import Activity
from leadscore.pipeline.signals.live.reader import LiveReader
from leadscore.pipeline.values.times import DAY_US

pytestmark = pytest.mark.bench
LEADS = 1_000_000
KINDS = [f"kind {number}" for number in range(10)]
WINDOWS = (7, 30, 90)
HALF_LIFE = 14
NOW = 1_767_225_600_000_000
ONE = Limits(threads=1)
REPEATS = 3


def catalog(days: bool = True) -> Catalog:
    """Declare per kind three windows, a total, a decayed count, days since and, if so, days."""
    kinds = {
        **{f"{w}d": {"kind": "count", "window_days": w} for w in WINDOWS},
        "total": {"kind": "count"},
        "decayed": {"kind": "decayed", "half_life_days": HALF_LIFE},
        "since": {"kind": "days_since"},
        **({"days": {"kind": "active_days"}} if days else {}),
    }
    signals = [
        {"name": f"k{n}_{name}", "declaration": {"family": "web", "activity": kind, **declared}}
        for n, kind in enumerate(KINDS)
        for name, declared in kinds.items()
    ]
    return Catalog.model_validate({"signals": signals})


def write_activities(path: Path, count: int, parts: int) -> None:
    """Write normalised activities, sorted as ingestion sorts them: by lead, then time."""
    random = np.random.default_rng(0)
    names, leads = pa.array(KINDS), lead_ids()
    with pq.ParquetWriter(path, _schema()) as writer:
        for part in range(parts):
            size = count // parts
            lead = part * (LEADS // parts) + np.sort(random.integers(0, LEADS // parts, size))
            at = NOW - random.integers(0, 365 * DAY_US, size)
            order = np.lexsort((at, lead))
            kind = pa.DictionaryArray.from_arrays(
                pa.array(random.integers(0, 10, size, dtype=np.int8)), names
            )
            recorded = at[order] + random.integers(0, DAY_US, size)
            table = pa.table(
                [
                    leads.take(pa.array(lead)), kind.cast(pa.string()),
                    pa.array(at[order]), pa.array(recorded),
                    pa.array(np.arange(part * size, (part + 1) * size)),
                ],
                schema=_schema(),
            )  # fmt: skip
            writer.write_table(table, row_group_size=200_000)


def _schema() -> pa.Schema:
    return pa.schema(
        [
            ("lead_id", pa.string()), ("kind", pa.string()), ("occurred_us", pa.int64()),
            ("recorded_us", pa.int64()), ("place", pa.int64()),
        ]
    )  # fmt: skip


def lead_ids() -> pa.Array:
    return pa.array(np.char.mod("L%07d", np.arange(LEADS)))


def snapshots() -> pa.Table:
    random = np.random.default_rng(1)
    return pa.table(
        {
            "snapshot_id": pa.array(range(LEADS), pa.int64()),
            "lead_id": lead_ids(),
            "as_of_us": pa.array(NOW - random.integers(0, 60 * DAY_US, LEADS)),
        }
    )


def by_pandas(path: Path, looks: pa.Table) -> pd.DataFrame:
    """Compute the signals but for the distinct days as one would in pandas."""
    table = pd.read_parquet(path, columns=["lead_id", "kind", "occurred_us", "recorded_us"])
    table = table.merge(looks.to_pandas(), on="lead_id")
    at = table["as_of_us"]
    table = table[(table["occurred_us"] <= at) & (table["recorded_us"] <= at)]
    age = table["as_of_us"] - table["occurred_us"]
    columns = {f"{w}d": (age < w * DAY_US).astype("int8") for w in WINDOWS}
    columns["total"] = pd.Series(np.int8(1), index=table.index)
    columns["decayed"] = np.exp(-np.log(2.0) / (HALF_LIFE * DAY_US) * age)
    columns["since"] = age / DAY_US
    wide = pd.DataFrame({**columns, "snapshot_id": table["snapshot_id"], "kind": table["kind"]})
    how = dict.fromkeys([*(f"{w}d" for w in WINDOWS), "total", "decayed"], "sum") | {"since": "min"}
    found = wide.groupby(["snapshot_id", "kind"]).agg(how).unstack("kind")
    return found.reindex(range(LEADS))


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measured(work) -> tuple[float, object]:
    begin = cpu()
    result = work()
    return cpu() - begin, result


def say(text: str) -> None:
    print(f"\n{text}")  # noqa: T201 - what a benchmark is for


def spread(values: list[float]) -> str:
    return f"{np.median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "activities.parquet"
    write_activities(path, 20_000_000, parts=4)
    return path


SCAN = (
    "SELECT COUNT(lead_id), COUNT(kind), SUM(occurred_us), SUM(recorded_us), "
    "MAX(LENGTH(lead_id)) FROM activities"
)


def test_a_million_snapshots_from_twenty_million_activities(log):
    looks = snapshots()
    history = History(looks.select(["lead_id"]), log)
    floors = [measured(lambda: run_sql(SCAN, {"activities": log}, ONE))[0] for _ in range(REPEATS)]
    floor = float(np.median(floors))
    say(f"scan floor: {spread(floors)} s of CPU, for comparison of machines only")
    times = {}
    for name, days in (("without distinct days", False), ("with distinct days", True)):
        runs = [
            measured(lambda days=days: read_history(catalog(days), looks, history, ONE))
            for _ in range(REPEATS)
        ]
        times[name], frame = [seconds for seconds, _ in runs], runs[-1][1]
        say(f"signals {name}: {spread([t / floor for t in times[name]])} x the scan")
    seconds, oracle = measured(lambda: by_pandas(log, looks))
    ratio = [seconds / t for t in times["without distinct days"]]
    say(f"idiomatic pandas without distinct days: {spread(ratio)} x our time")
    for number, kind in enumerate(KINDS):
        for name in (*(f"{w}d" for w in WINDOWS), "total", "decayed", "since"):
            theirs = oracle[(name, kind)].to_numpy(dtype=float)
            theirs = theirs if name == "since" else np.nan_to_num(theirs)
            np.testing.assert_allclose(
                frame[f"web__k{number}_{name}"].to_numpy(), theirs, rtol=1e-9, atol=1e-9
            )


CHILD = """
import sys, time
sys.path.insert(0, sys.argv[1])
import test_bench_signals as bench
from pathlib import Path
begin = time.perf_counter()
looks = bench.snapshots()
frame = bench.read_history(
    bench.catalog(False), looks, bench.History(looks.select(["lead_id"]), Path(sys.argv[2])),
    bench.Limits(memory=sys.argv[3]),
)
status = Path("/proc/self/status").read_text()  # ru_maxrss would remember the parent's
peak = int(status.split("VmHWM:")[1].split()[0]) / 2**20
print(len(frame), round(time.perf_counter() - begin, 1), round(peak, 2))
"""


def test_a_hundred_million_activities_stay_under_four_gigabytes(tmp_path):
    path = tmp_path / "activities.parquet"
    write_activities(path, 100_000_000, parts=20)
    begin = time.perf_counter()
    run_sql(SCAN, {"activities": path})
    scan = time.perf_counter() - begin
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(Path(__file__).parent), str(path), "2GB"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows, seconds, peak = done.stdout.splitlines()[-1].split()
    say(
        f"100 million activities, --memory-limit 2GB: {float(seconds) / scan:.1f} x the scan in "
        f"wall time, {peak} GiB at the most, {rows} rows"
    )
    assert float(peak) < 4.0


def test_one_lead_with_two_hundred_activities():
    random = np.random.default_rng(2)
    rows = [
        {
            "activity_id": f"id{number}",
            "kind": KINDS[random.integers(10)],
            "occurred_at": "2026-01-01T00:00:00Z",
            "recorded_at": "2026-01-01T00:00:00Z",
        }
        for number in range(200)
    ]
    activities = []
    for row in rows:
        at = NOW - int(random.integers(200 * DAY_US))
        activities.append(Activity(row["kind"], at, at, row["activity_id"]))
    text, reader = json.dumps(rows), LiveReader(catalog())
    parsed, read, yardstick = [], [], []
    for _ in range(20):
        parsed.append(time_once(lambda: json.loads(text), 100))
        read.append(time_once(lambda: reader.read_signals({}, activities, as_of_us=NOW), 100))
        yardstick.append(time_yardstick())
    say(
        f"70 signals of 200 activities, live: {min(read) / min(parsed):.2f} x parsing them as "
        f"JSON, {min(read) / min(yardstick):.2f} of the yardstick"
    )
