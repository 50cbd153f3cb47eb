"""The commands as a user types them."""

import csv
import json
import re
import shutil
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from support.cli import run, run_process


@pytest.fixture(scope="module")
def store_folder(registered, tmp_path_factory):
    """A copy of the registered store, with its champion promoted from the command line."""
    store_folder = tmp_path_factory.mktemp("cli") / "store"
    shutil.copytree(registered.store_folder, store_folder)
    moved = run("promote", "-p", "demo", 1, "--store", store_folder)
    assert moved.returncode == 6
    assert len(moved.stderr.strip().splitlines()) == 1
    assert "leadscore doctor --relocate" in moved.stderr
    assert run("doctor", "--relocate", "--store", store_folder).returncode == 0
    assert "is in order" in run("doctor", "--store", store_folder).stdout
    done = run("promote", "-p", "demo", "challenger", "--store", store_folder)
    assert "is now champion" in done.stdout, done.stderr
    return store_folder


def test_check_train_models_evaluate_as_json(registered, store_folder, tmp_path):
    data = registered.store_folder / "demo"
    checked = run("check", "-p", "demo", "--data", data, "--json")
    report = json.loads(checked.stdout)
    assert report["problems"] == []
    assert report["leads"] == 2500
    trained = run("train", "-p", "demo", "--data", data, "--store", store_folder, "--json")
    training = json.loads(trained.stdout)
    assert training["version"] == 2
    assert training["fingerprint"] == registered.version.fingerprint
    assert set(training["metrics"]["auc"]) == {"value", "low", "high"}
    assert training["report"] == str(store_folder / "reports" / "demo-v2.html")
    assert Path(training["report"]).stat().st_size < 2_000_000
    listed = json.loads(run("versions", "-p", "demo", "--store", store_folder, "--json").stdout)
    assert [(v["version"], v["aliases"]) for v in listed] == [
        (2, ["challenger"]),
        (1, ["champion"]),
    ]
    judged = json.loads(
        run("evaluate", "-p", "demo", "--data", data, "--store", store_folder, "--json").stdout
    )
    assert judged["version"] == 1
    assert judged["metrics"] == training["metrics"]


def test_the_tables_say_on_what_the_figures_stand(registered, store_folder):
    shown = run(
        "evaluate",
        "-p",
        "demo",
        "--data",
        registered.store_folder / "demo",
        "--store",
        store_folder,
    ).stdout
    assert "demo.predictive version 1, later period, time-ordered" in shown
    assert "95 % intervals, leads resampled" in shown
    assert (
        "later period, time-ordered"
        in run("versions", "-p", "demo", "--store", store_folder).stdout
    )


def test_the_report_of_a_version_is_written_and_its_place_told(registered, store_folder):
    path = store_folder / "reports" / "demo-v1.html"
    before = path.read_bytes()
    path.unlink()
    done = run("report", "-p", "demo", "champion", "--store", store_folder)
    assert done.stdout.strip() == str(path), done.stderr
    assert path.read_bytes() == before
    missing = run("report", "-p", "demo", "99", "--store", store_folder)
    assert missing.returncode == 5
    assert "no version '99'" in missing.stderr


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_is_scored_in_its_own_order(registered, store_folder, tmp_path, ending):
    target = tmp_path / f"scored.{ending}"
    leads = registered.store_folder / "demo" / "leads.csv"
    done = run("score", leads, target, "-p", "demo", "--data", leads.parent,
               "--store", store_folder, "--as-of", "2026-01-01T00:00:00Z", "--json")  # fmt: skip
    report = json.loads(done.stdout)
    assert report["scored"] == report["rows"] == 2500
    rows = (
        list(csv.DictReader(target.open(encoding="utf-8")))
        if ending == "csv"
        else pq.read_table(target).to_pylist()
    )
    with leads.open(encoding="utf-8") as stream:
        assert [row["lead_id"] for row in rows] == [r["lead_id"] for r in csv.DictReader(stream)]
    assert {row["model"] for row in rows} == {"demo.predictive:1"}
    assert {row["fingerprint"] for row in rows} == {registered.version.fingerprint}
    assert {row["as_of"] for row in rows} == {"2026-01-01T00:00:00Z"}
    assert all(0.0 < float(row["probability"]) < 1.0 for row in rows)
    first = json.loads(
        run(
            "explain",
            "-p",
            "demo",
            "--lead",
            rows[0]["lead_id"],
            "--data",
            leads.parent,
            "--store",
            store_folder,
            "--as-of",
            "2026-01-01T00:00:00Z",
            "--json",
        ).stdout
    )
    assert first["probability"] == float(rows[0]["probability"])
    best = first["reasons"][0]
    assert rows[0]["reason_1"] == f"{best['signal']} {best['points']:+.1f}"


def test_explain_adds_up_on_the_screen_to_the_digit(registered, store_folder):
    data = registered.store_folder / "demo"
    shown = run(
        "explain", "-p", "demo", "--lead", "L0000007", "--data", data, "--store", store_folder
    ).stdout
    table = [re.split(r"  +", line.strip()) for line in shown.splitlines() if "  " in line]
    figures = [
        [Decimal(cell) for cell in row if re.fullmatch(r"[+-]\d+\.\d+", cell)] for row in table
    ]
    rows = [pair for pair in figures if len(pair) == 2]
    assert len(rows) == 1 + len(registered.training.scorecard.terms) + 1
    *parts, total = rows
    assert sum(points for points, _ in parts) == total[0]
    assert sum(log_odds for _, log_odds in parts) == total[1]


def test_export_gives_the_scorecard_and_its_sql(registered, store_folder):
    text = run("export", "-p", "demo", "json", "--store", store_folder).stdout
    assert text == registered.training.scorecard.to_json()
    sql = run(
        "export", "-p", "demo", "sql", "--store", store_folder, "--table", "my signals"
    ).stdout
    assert 'FROM "my signals"' in sql
    assert run("export", "-p", "demo", "xml", "--store", store_folder).returncode == 2


def test_rejected_rows_lie_beside_the_scored_file(registered, store_folder, tmp_path):
    lines = (registered.store_folder / "demo" / "leads.csv").read_text().splitlines()
    cells = lines[2].split(",")
    cells[lines[0].split(",").index('"employees"')] = "many"
    lines[2] = ",".join(cells)
    lines[4] += ",one cell more"
    source, target = tmp_path / "leads.csv", tmp_path / "out" / "scored.csv"
    source.write_text("\n".join(lines[:12]) + "\n")
    data = registered.store_folder / "demo"
    done = run("score", "-p", "demo", source, target, "--data", data, "--store", store_folder)
    assert done.returncode == 3, "two of eleven rows are more than max_reject_share"
    with Path(f"{target}.rejects.csv").open(encoding="utf-8") as stream:
        rejects = list(csv.DictReader(stream))
    assert [(r["line"], r["column"]) for r in rejects] == [("3", "employees"), ("5", "")]
    assert len(target.read_text().splitlines()) == 1 + 9
    assert not list(target.parent.glob("*.unfinished"))


def project_with(tmp_path: Path, registered, file: str, change) -> Path:
    folder = tmp_path / "mine"
    shutil.copytree(registered.project.folder, folder)
    path = folder / file
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content))
    return folder


def test_mistakes_come_all_at_once_with_exit_code_2(registered, tmp_path):
    folder = project_with(tmp_path, registered, "data.yaml", lambda c: c["leads"].pop("id"))
    (folder / "bands.yaml").write_text("mql: 0.9\nsqll: 0.5\n")
    done = run("check", "-p", folder)
    assert done.returncode == 2
    assert "data.yaml: leads.id: this key is needed" in done.stderr
    assert "bands.yaml: sqll: unknown key; did you mean 'sql'?" in done.stderr


def test_missing_data_is_exit_code_3_and_one_line(tmp_path):
    done = run_process("train", "-p", "demo", "--data", tmp_path, "--store", tmp_path / "store")
    assert done.returncode == 3
    assert len(done.stderr.strip().splitlines()) == 1
    assert "no such file" in done.stderr
    assert "Traceback" not in done.stderr
    assert (
        "Traceback" in run_process("train", "-p", "demo", "--data", tmp_path, "--traceback").stderr
    )


def test_too_few_wins_are_refused_with_exit_code_4(registered, tmp_path):
    change = {"min_wins": 5000}
    folder = project_with(tmp_path, registered, "training.yaml", lambda c: c.update(change))
    done = run(
        "train", "-p", folder, "--data", registered.store_folder / "demo", "--store", tmp_path
    )
    assert done.returncode == 4
    assert "at least 5,000" in done.stderr
    checked = run("check", "-p", folder, "--data", registered.store_folder / "demo")
    assert "Not ready to train" in checked.stdout
    assert checked.returncode == 4


def test_unknown_leads_and_versions_are_exit_code_5(registered, store_folder):
    data = registered.store_folder / "demo"
    assert (
        run(
            "explain", "-p", "demo", "--lead", "nobody", "--data", data, "--store", store_folder
        ).returncode
        == 5
    )
    done = run("promote", "-p", "demo", 17, "--store", store_folder)
    assert done.returncode == 5
    assert "there are" in done.stderr


def test_the_result_never_overwrites_the_leads(registered, store_folder):
    leads = registered.store_folder / "demo" / "leads.csv"
    done = run("score", "-p", "demo", leads, leads, "--store", store_folder)
    assert done.returncode == 3
    assert "overwrite" in done.stderr


def test_a_naive_as_of_is_refused(registered, store_folder, tmp_path):
    leads = registered.store_folder / "demo" / "leads.csv"
    for moment in ("2026-01-01", "2026-01-01T00:00:00", "soon"):
        done = run(
            "score",
            "-p",
            "demo",
            leads,
            tmp_path / "s.csv",
            "--store",
            store_folder,
            "--as-of",
            moment,
        )
        assert done.returncode == 2, moment
        assert "--as-of" in done.stderr


def test_a_file_of_rejects_ends_with_exit_code_3_and_other_endings_are_refused(
    registered, store_folder, tmp_path
):
    header, first, *_ = (registered.store_folder / "demo" / "leads.csv").read_text().splitlines()
    source = tmp_path / "leads.csv"
    source.write_text(f"{header}\n{first},one cell more\n")
    data = registered.store_folder / "demo"
    done = run(
        "score", "-p", "demo", source, tmp_path / "s.csv", "--data", data, "--store", store_folder
    )
    assert done.returncode == 3
    assert "MORE REJECTED" in done.stdout
    assert (
        run(
            "score",
            "-p",
            "demo",
            source,
            tmp_path / "s.csv.gz",
            "--data",
            data,
            "--store",
            store_folder,
        ).returncode
        == 3
    )
    assert run("doctor", "--store", tmp_path / "nowhere").returncode == 5
