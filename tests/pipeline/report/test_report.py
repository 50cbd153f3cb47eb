"""The report: its numbers are those of the evaluation, and it shows nothing of a single person."""

import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files

import numpy as np
import pytest
from support.projects import AGED, ORDERED_BY_ROW, WITHOUT_TIMES, lead, make_leads, write_leads
from support.projects import write_project as write_files

from leadscore.models.score_frame import score_frame, to_probabilities
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.errors import GAP, ConfigError
from leadscore.pipeline.evaluation.close_rates import MIN_GROUP_LEADS, make_group, share_interval
from leadscore.pipeline.evaluation.metrics import group_by_score, lift_at_10
from leadscore.pipeline.ingest.files import Reject
from leadscore.pipeline.ingest.notes import Note
from leadscore.pipeline.report import charts, html_pages, pictures
from leadscore.pipeline.report.figures import Grid, make_grid
from leadscore.pipeline.report.html_pages import write_training_page
from leadscore.pipeline.report.pictures import read_bundle
from leadscore.pipeline.report.training_report import make_report
from leadscore.pipeline.training.train import train
from leadscore.pipeline.workflows.reports import fetch_report, report_path

HOSTILE = "</script><img src=x onerror=alert(1)>\u2028{{ 7 * 7 }}<!-- & '"


class Page(HTMLParser):
    """A page's tables by caption, its text, its tags and the rows of its charts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.tables, self.text = [], {}, []
        self._row, self._cell, self._caption, self._open = [], None, None, []
        self.feed(text)
        found = re.search(r'id="charts">(.*?)</script>', text, re.DOTALL)
        charts = json.loads(found.group(1))
        self.charts = {chart["place"]: chart["rows"] for chart in charts["charts"]}

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)
        if tag == "table":
            self._caption = ""
        elif tag == "tr":
            self._row = []
        elif tag in ("td", "th"):
            self._row.append("")

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass
        if tag == "caption":
            self.tables[self._caption] = []
        elif tag == "tr":
            self.tables[self._caption].append(self._row)

    def handle_data(self, data):
        if "script" in self._open or "style" in self._open:
            return
        self.text.append(data)
        if "caption" in self._open:
            self._caption += data
        elif {"td", "th"} & set(self._open) and "small" not in self._open:
            self._row[-1] += data

    def table(self, beginning):
        return next(rows for name, rows in self.tables.items() if name.startswith(beginning))

    def rows(self, beginning):
        header, *rows = self.table(beginning)
        return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def train_on(folder, leads, training=None, **files):
    files["training"] = {"model": {"penalties": [0.3]}, **(training or {})}
    write_leads(write_files(folder, **files), leads)
    project = read_project(folder)
    return project, train(project)


def read(project, training, cache):
    return Page(write_training_page(make_report(project, training), cache))


@pytest.fixture(scope="module")
def page(registered, cache):
    return read(registered.project, registered.training, cache)


def test_the_figures_are_those_of_the_evaluation(registered, page):
    evaluation = registered.training.evaluation
    measures = {row[0]: row[1:] for row in page.table("Figures and")}
    auc, won = evaluation.metrics["auc"], evaluation.metrics["base_rate"]
    assert measures["AUC"] == [f"{auc.value:.3f}", f"{auc.low:.3f} to {auc.high:.3f}"]
    assert measures["share that won"][0] == f"{won.value:.1%}"
    assert len(measures) == 1 + len(evaluation.metrics)
    for line in [verdict.text for verdict in evaluation.verdicts]:
        assert line in page.text
    assert all(evaluation.basis in name for name in page.tables if name.startswith("By "))
    for row, band in zip(page.rows("Bands"), evaluation.bands, strict=True):
        assert (row["band"], row["won"]) == (band.band, f"{band.wins:,}")
        assert row["snapshots"] == f"{band.snapshots:,}"
        assert row["share won"] == f"{band.wins / band.snapshots:.1%}"
        assert row["predicted"] == f"{band.expected_wins / band.snapshots:.1%}"
    for row, period in zip(page.rows("By the month"), evaluation.periods, strict=True):
        assert (row["month"], row["won"]) == (period.begins[:7], f"{period.wins}")
        assert row["snapshots"] == f"{period.snapshots}"
        assert row["share won"] == f"{period.base_rate:.1%}"
    parts = {row[0]: row[1:] for row in page.table("A snapshot is")}
    assert parts["evaluated on"][2] == f"{evaluation.wins:,}"
    for row, found in zip(page.table("Calibration")[1:], evaluation.calibration, strict=True):
        assert row[:2] == [f"{found.mean_prob:.1%}", f"{found.win_rate:.1%}"]


def test_gain_and_lift_are_those_of_the_measures(registered, page):
    log_odds = registered.training.later_log_odds
    leads = group_by_score(log_odds, to_probabilities(log_odds), registered.training.later.label)
    rows = {row[0]: row for row in page.table("Gain")}
    assert rows["10 %"][2] == f"{lift_at_10(leads):.2f}"
    assert page.charts["chart-gain"][-1]["gained"] == 1.0


def test_what_a_signal_is_worth_is_what_the_scorecard_says(registered, page):
    scorecard = registered.training.scorecard
    scale = scorecard.points.per_log_odds
    term = next(term for term in scorecard.terms if term.signal == "web__source")
    rows = {row[0]: row[1:] for row in page.table("web__source, points")}
    earlier = registered.training.earlier
    for level, worth in term.shape.levels.items():
        points = f"{scale * (worth - term.mean):+.1f}".replace("-", "−")
        leads = np.unique(earlier.lead[earlier.signals["web__source"] == level])
        assert rows[level] == [points, f"{len(leads):,}"]
    curve = next(t for t in scorecard.terms if t.signal == "web__pricing_views")
    read_curve = curve.shape.reader()
    for row in page.charts["chart-web__pricing_views"]:
        worth = scale * (read_curve(row["x"]) - curve.mean)
        assert row["points"] == pytest.approx(worth, abs=0.001)
    values = earlier.signals["web__pricing_views"].to_numpy()
    for place, beyond in ((0, np.less_equal), (-1, np.greater_equal)):
        end = page.charts["chart-web__pricing_views"][place]["x"]
        assert len(np.unique(earlier.lead[beyond(values, end)])) >= MIN_GROUP_LEADS


def test_fit_and_engagement_divide_the_leads_of_the_evaluation(registered):
    training = registered.training
    grid = make_grid(training)
    assert isinstance(grid, Grid)
    cells = [cell for row in grid.rows for cell in row]
    assert [cell.name for cell in cells[:5]] == ["A1", "A2", "A3", "A4", "B1"]
    shown = [cell for cell in cells if not cell.is_few]
    hidden = len(training.later) - sum(cell.snapshots for cell in shown)
    ages = len(np.unique(training.later.age_days))
    assert 0 <= hidden <= ages * (MIN_GROUP_LEADS - 1) * (len(cells) - len(shown))
    worth = score_frame(training.scorecard, training.later.signals).contributions
    fit = sum(
        worth[:, place] - term.mean
        for place, term in enumerate(training.scorecard.terms)
        if term.family in ("demographic", "firmographic")
    )
    scale = training.scorecard.points.per_log_odds
    assert grid.fit_cuts == pytest.approx(scale * np.quantile(fit, [0.25, 0.5, 0.75]))
    best = (fit * scale >= grid.fit_cuts[2] - 1e-9).sum()
    assert sum(cell.snapshots for cell in grid.rows[0]) <= best


def test_one_axis_alone_makes_no_matrix(tmp_path, cache):
    signals = {"country": {"family": "demographic", "kind": "category"},
               "employees": {"family": "firmographic", "kind": "number"}}  # fmt: skip
    page = read(*train_on(tmp_path / "one", make_leads(900), signals=signals), cache)
    assert any("only one axis" in text for text in page.text)
    assert not any(name.startswith("Share won by grade") for name in page.tables)


def test_small_groups_are_silent(tmp_path, cache):
    leads = make_leads(1200)
    for number, row in enumerate(leads):
        row["country"] = "RARE" if number % 50 == 0 else row["country"]  # 17 early, 7 late
    folder = tmp_path / "rare"
    project, training = train_on(
        folder, leads, training={"report": {"group_by": ["demographic__country"]}}
    )
    assert "RARE" in training.scorecard.to_json()
    text = write_training_page(make_report(project, training), cache)
    assert "RARE" not in text
    page = Page(text)
    assert [row[1] for row in page.table("By demographic__country") if "other" in row[0]] == [
        f"fewer than {MIN_GROUP_LEADS} leads"
    ]
    assert any("1 further levels" in part for part in page.text)
    few = make_group("few", MIN_GROUP_LEADS - 1, 40, 20, 0.5)
    assert few.is_few
    assert (few.snapshots, few.wins, few.rate, few.mean_prob) == (None,) * 4
    enough = make_group("enough", MIN_GROUP_LEADS, 40, 20, 0.5)
    low, _ = share_interval(np.array([0.5]), np.array([float(MIN_GROUP_LEADS)]))
    assert enough.low == low[0]  # the leads count, not their snapshots


def test_nobody_is_named(registered, cache):
    training = registered.training
    rejects = tuple(
        Reject("leads.csv", 7, "employees", f"no number, found {GAP}", (f"ana{n}@example.com",))
        for n in range(3)
    )
    text = f"3 activities of leads that are not in the table, for example {GAP}"
    notes = (Note("orphan activities", text, 3, "activities", ("ana@example.com",)),)
    tables = replace(training.tables, rejects=rejects)
    told = replace(training, tables=tables, notes=notes)
    text = write_training_page(make_report(registered.project, told), cache)
    page = Page(text)
    assert page.table("Rows rejected")[1] == ["leads.csv", "employees", "3"]
    assert "example.com" not in text
    assert not set(re.findall(r"L\d{7}", text))
    assert any("are not in the table, for example […]" in part for part in page.text)


def test_hostile_levels_do_no_harm(tmp_path, cache):
    leads = make_leads(900)
    for row in leads:
        row["country"] = HOSTILE if row["country"] == "ES" else row["country"]
    project, training = train_on(
        tmp_path / "hostile",
        leads,
        training={"report": {"group_by": ["demographic__country"]}},
        data={"excluded": {"<b>remark</b>": "<script>alert(2)</script>"}},
    )
    text = write_training_page(make_report(project, training), cache)
    page = Page(text)
    assert "img" not in [tag for tag, _ in page.tags]
    assert "<b>remark" not in text
    assert [tag for tag, _ in page.tags].count("script") == 2
    document = re.search(r'id="charts">(.*?)</script>', text).group(1)
    assert not set("<>&'\u2028") & set(document), "no text of a level can end the script element"
    assert html.escape(HOSTILE[:30]) in text
    assert any(row[0] == HOSTILE for row in page.table("By demographic__country"))
    assert any(row["name"].startswith("</script>") for row in page.charts["chart-by-0"])


def test_the_page_is_one_file_that_loads_nothing(registered, cache, page):
    report = make_report(registered.project, registered.training)
    text = write_training_page(report, cache)
    assert text == write_training_page(make_report(registered.project, registered.training), cache)
    assert len(text.encode()) < 2_000_000
    assert not [a for _, a in page.tags if a.get("src")]
    links = [a["href"] for _, a in page.tags if a.get("href")]
    assert all(link.startswith(("#", "data:,")) for link in links)
    ids = {a["id"] for _, a in page.tags if "id" in a}
    assert {link[1:] for link in links if link.startswith("#")} <= ids
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL).group(1)
    assert "@import" not in style
    assert "url(" not in style
    assert ("html", {"lang": "en"}) in page.tags
    policy = next(a["content"] for _, a in page.tags if a.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "<noscript>" in text
    charts = [a for _, a in page.tags if "chart" in a.get("class", "").split()]
    assert {a["id"] for a in charts} == set(page.charts)
    assert all(a["role"] == "img" and a["aria-label"] for a in charts)


def test_projects_without_times_have_a_report(tmp_path, cache):
    undated = {"horizon_days": None}
    for name, data in (("none", WITHOUT_TIMES), ("rows", ORDERED_BY_ROW)):
        leads = [{**row, "status": row["status"].replace("open", "lost")}
                 for row in make_leads(900)]  # fmt: skip
        page = read(*train_on(tmp_path / name, leads, data=data, training=undated), cache)
        text = " ".join(page.text)
        if name == "none":
            assert "cross-validated by lead, NOT time-ordered" in text
            assert "no order in time" in text
            assert "so the cells look better than they are" in text
        else:
            assert [row[0] for row in page.table("By order of arrival")[1:]] == [
                f"{number} of 6" for number in range(1, 7)
            ]


def test_several_ages_are_told_apart(tmp_path, cache):
    project, training = train_on(
        tmp_path / "aged", make_leads(900), signals=AGED,
        training={"snapshots": {"ages_days": [0, 7, 14]}},
    )  # fmt: skip
    page = read(project, training, cache)
    rows = page.table("By age")[1:]
    assert [row[0] for row in rows] == ["0", "7", "14"]
    assert [int(row[2]) for row in rows] == [a.snapshots for a in training.evaluation.ages]
    band = page.table("Bands")[1]
    assert int(band[3].replace(",", "")) < int(band[4].replace(",", ""))  # leads, snapshots


def test_what_is_shown_leaves_the_model_alone(tmp_path):
    leads = make_leads(600)
    _, plain = train_on(tmp_path / "a" / "mine", leads)
    by = {"report": {"group_by": ["demographic__country"]}}
    _, shown = train_on(tmp_path / "b" / "mine", leads, training=by)
    assert plain.scorecard.sha256 == shown.scorecard.sha256


def test_a_training_leaves_its_report_in_run_and_folder(registered):
    path = report_path(registered.store_folder, registered.version)
    assert path == registered.store_folder / "reports" / "demo-v1.html"
    kept = path.read_bytes()
    assert kept.startswith(b"<!DOCTYPE html>")
    path.unlink()
    fetched = fetch_report(registered.store_folder, registered.project, "1")
    assert fetched == path
    assert fetched.read_bytes() == kept


def test_a_harmed_bundle_is_made_anew(tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(pictures, "_make_bundle", lambda: made.append(1) or "window.x = 1;\r\n")
    for _ in range(2):
        read_bundle.cache_clear()
        assert read_bundle(tmp_path) == "window.x = 1;\r\n"
    assert len(made) == 1
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:-5])
    read_bundle.cache_clear()
    assert read_bundle(tmp_path) == "window.x = 1;\r\n"
    assert len(made) == 2
    read_bundle.cache_clear()


def test_colours_can_be_read_in_light_dark_and_print():
    style = (
        files("leadscore.pipeline.report")
        .joinpath("templates", "style.css")
        .read_text(encoding="utf-8")
    )
    palettes = [dict(re.findall(r"--(\w+): #(\w{6})", block))
                for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)]  # fmt: skip
    assert len(palettes) == 3
    for palette in palettes:
        for name in ("ink", "muted", "series", "predicted", "against"):
            for ground in ("paper", "panel"):
                assert contrast(palette[name], palette[ground]) >= 4.5, (name, ground, palette)


def test_the_charts_have_as_many_colours_as_the_page_of_a_comparison_counts():
    assert len(charts.COLOURS) == html_pages.HUES


def contrast(one, other):
    """The contrast of two colours, as WCAG 2.2 defines it."""
    light = []
    for colour in (one, other):
        parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        light.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(light) + 0.05) / (min(light) + 0.05)


def test_a_report_by_an_unknown_signal_is_a_mistake(tmp_path):
    folder = write_files(tmp_path / "mine", training={"report": {"group_by": ["web__nothing"]}})
    write_leads(folder, [lead("a")])
    with pytest.raises(
        ConfigError, match=r"report\.group_by: 'web__nothing' is no category signal"
    ):
        read_project(folder)
