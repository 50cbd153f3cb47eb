"""The report in a real browser: every chart drawn, no error, nothing loaded, fit for a phone."""

import pytest
from support.browser import DESK, DRAWN, PHONE, SHAPES
from support.projects import make_leads, write_leads, write_project

from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.report.html_pages import write_training_page
from leadscore.pipeline.report.training_report import make_report
from leadscore.pipeline.training.train import train

pytestmark = pytest.mark.proof


@pytest.fixture(scope="module", params=["demo", "hostile"])
def report(request, registered, tmp_path_factory):
    """Two reports: of the demo, and of a project whose levels try to be scripts."""
    folder = tmp_path_factory.mktemp(request.param)
    project, training = registered.project, registered.training
    if request.param == "hostile":
        leads = make_leads(900)
        for row in leads:
            if row["country"] == "ES":
                row["country"] = "</script><img src=x onerror=alert(1)>\u2028{{1}}"
            if row["country"] == "FR":
                row["country"] = "a very long level " * 20
        by = {"report": {"group_by": ["demographic__country"]}}
        write_leads(write_project(folder / "mine", training=by), leads)
        project = read_project(folder / "mine")
        training = train(project)
    path = folder / "report.html"
    path.write_text(write_training_page(make_report(project, training), folder), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_the_report_in_a_browser(browser, report, scheme, size):
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": size[0], "height": size[1]}, offline=True
    )
    page = context.new_page()
    said, asked, dialogs = [], [], []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(report.as_uri())
    page.wait_for_function(DRAWN, timeout=60_000)
    charts = page.evaluate(SHAPES)
    assert said == []
    assert dialogs == []
    assert [url for url in asked if not url.startswith("data:")] == [report.as_uri()]
    assert len(charts) == int(page.evaluate(DRAWN)) > 5
    for chart in charts:
        assert chart["width"] > 100, chart
        assert chart["height"] > 30, chart
        assert chart["over"] < 1.0, chart
        assert chart["marks"] > 0, chart
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    mark = page.evaluate("getComputedStyle(document.querySelector('.mark-symbol path')).fill")
    assert (paper, mark) == {
        "light": ("rgb(255, 255, 255)", "rgb(31, 95, 168)"),
        "dark": ("rgb(20, 23, 26)", "rgb(108, 176, 242)"),
    }[scheme]
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 600, "height": 900})
    page.wait_for_timeout(100)
    assert all(chart["over"] < 1.0 for chart in page.evaluate(SHAPES))
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == "rgb(255, 255, 255)"
    context.close()


def test_without_javascript_the_tables_tell_it(browser, report):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(report.as_uri())
    assert page.locator("noscript p").is_visible()
    assert page.locator("#bands tbody tr").count() == 3
    context.close()
