"""README.md and docs/*.md: every link, path and example in them is there and can be read."""

import json
import re
from pathlib import Path

import pytest
import yaml
from support.real_data import ROOT

from leadscore.models.bands import Bands
from leadscore.pipeline.config.data import DataConfig, FieldConfig, LeadsConfig, OutcomesConfig
from leadscore.pipeline.config.training import (
    ComparisonConfig,
    ModelConfig,
    ReportConfig,
    SnapshotsConfig,
    SplitConfig,
    TrainingConfig,
)
from leadscore.pipeline.config.yaml_io import read_yaml
from leadscore.pipeline.sheets.config import SheetConfig

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE_PATH = re.compile(r"`((?:models|pipeline|serve|tests|configs|docs)/[\w./-]+)`")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read_prose(page: Path) -> str:
    """Return a page without its fenced examples."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def find_anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", read_prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}


def find_broken_links(page: Path) -> list[str]:
    broken = []
    for link in LINK.findall(read_prose(page)):
        if re.match(r"https?:", link):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        if not target.exists() or (anchor and anchor not in find_anchors(target)):
            broken.append(link)
    return broken


def list_examples(language: str) -> list[tuple[str, str]]:
    return [
        (page.name, text)
        for page in PAGES
        for found, text in FENCE.findall(page.read_text(encoding="utf-8"))
        if found == language
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    assert LINK.search(read_prose(page)), "a page without any link is an island"
    assert find_broken_links(page) == []


def test_a_broken_link_and_a_broken_anchor_are_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One heading\n[a](#one-heading) [b](#other) [c](none.md) [d](page.md#one)\n")
    assert find_broken_links(page) == ["#other", "none.md", "page.md#one"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_of_the_code_exist(page):
    paths = CODE_PATH.findall(read_prose(page))
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_page_is_linked_from_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in PAGES[1:] if f"(docs/{page.name}" not in readme] == []


def test_yaml_examples_are_read_by_the_products_own_reader(tmp_path):
    examples = list_examples("yaml")
    assert len(examples) >= 10
    for number, (_, text) in enumerate(examples):
        file = tmp_path / f"example{number}.yaml"
        file.write_text(text, encoding="utf-8")
        assert read_yaml(file)


def test_yaml_and_json_in_a_line_can_be_read():
    """Examples in braces, such as `{sql: {fit: C}}`; a shape such as `{column, format}` too."""
    found = [text for page in PAGES for text in re.findall(r"`(\{.+?\})`", read_prose(page))]
    assert len(found) >= 20
    for text in found:
        assert yaml.safe_load(text.replace("[...]", "[]"))


def test_the_request_in_the_curl_example_is_json():
    (request,) = re.findall(r"--data '(\{.*?\})'", "".join(t for _, t in list_examples("sh")), re.S)
    assert json.loads(request)["profile"]


def test_every_room_stands_in_the_architecture():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    places = ("pipeline/*/__init__.py", "serve/cli/__init__.py", "serve/service/*/__init__.py")
    rooms = [file.parent.relative_to(ROOT) for place in places for file in ROOT.glob(place)]
    assert len(rooms) >= 20
    assert [str(room) for room in rooms if f"| `{room}`" not in page] == []


@pytest.mark.parametrize(
    ("page", "record"),
    [
        *(
            ("data-team.md", record)
            for record in (
                DataConfig, LeadsConfig, FieldConfig, OutcomesConfig, TrainingConfig, ModelConfig,
                SplitConfig, SnapshotsConfig, ReportConfig, ComparisonConfig, Bands,
            )
        ),
        ("rules.md", SheetConfig),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)  # fmt: skip
def test_every_key_of_the_yaml_files_stands_in_its_page(page, record):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    code = " ".join([*(found for _, found in FENCE.findall(text)), *re.findall("`[^`\n]+`", text)])
    keys = [field.alias or name for name, field in record.model_fields.items()]
    assert [key for key in keys if not re.search(rf"\b{key}\b", code)] == []
