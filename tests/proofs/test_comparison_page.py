"""The page of a comparison in a real browser: three contenders, one of them hostile."""

import pytest
from support.browser import DESK, DRAWN, PHONE, SHAPES
from support.projects import make_leads, write_leads, write_project
from support.scorecards import make_term
from support.worlds.rival_contenders import contender, country_sheet, newsletter_sheet, rule_sheet

from leadscore.models.shapes import Table
from leadscore.pipeline.comparison.compare import Question, compare
from leadscore.pipeline.config.project import read_project
from leadscore.pipeline.report.html_pages import write_comparison_page

pytestmark = pytest.mark.proof
HOSTILE = "</script><img src=x onerror=alert(1)>\u2028{{1}}"


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    leads = make_leads(1200)
    for row in leads:
        if row["country"] == "ES":
            row["country"] = HOSTILE
        if row["country"] == "FR":
            row["country"] = "a very long level " * 20
    training = {"report": {"group_by": ["demographic__country"]}}
    write_leads(write_project(folder / "mine", training=training), leads)
    project = read_project(folder / "mine")
    spain = make_term(Table(levels={HOSTILE: 1.0}, missing=0.0, other=0.0), "demographic__country")
    cards = (country_sheet(project), newsletter_sheet(project), rule_sheet(project, spain))
    versions = [contender(card, number) for number, card in enumerate(cards, start=1)]
    found = compare(project, versions, Question(calls=8.0))
    path = folder / "page.html"
    path.write_text(write_comparison_page(found, folder), encoding="utf-8")
    return path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_chart_is_drawn_and_nothing_is_loaded(browser, page_file, scheme, size):
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": size[0], "height": size[1]}, offline=True
    )
    page = context.new_page()
    said, asked, dialogs = [], [], []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(page_file.as_uri())
    page.wait_for_function(DRAWN, timeout=60_000)
    charts = page.evaluate(SHAPES)
    assert (said, dialogs) == ([], [])
    assert [url for url in asked if not url.startswith("data:")] == [page_file.as_uri()]
    assert len(charts) == int(page.evaluate(DRAWN)) == 8
    for chart in charts:
        assert chart["width"] > 100, chart
        assert chart["height"] > 30, chart
        assert chart["over"] < 1.0, chart
        assert chart["marks"] > 0, chart
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    verdict = page.locator(".verdict").bounding_box()
    assert verdict["y"] + verdict["height"] < size[1], "the verdict is in sight at once"
    context.close()


def test_without_javascript_the_tables_tell_it(browser, page_file):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator("noscript p").is_visible()
    assert page.locator("#swaps tbody tr").count() >= 12
    context.close()
