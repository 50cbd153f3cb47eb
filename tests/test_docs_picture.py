"""docs/rooms.svg shows the rooms of today's code; its script keeps to the contract's order."""

import doctest
import importlib.util

import pytest
from support.real_data import ROOT

SCRIPT = ROOT / "docs" / "pictures" / "rooms.py"


@pytest.fixture(scope="module")
def rooms():
    spec = importlib.util.spec_from_file_location("rooms", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_picture_is_up_to_date(rooms):
    committed = rooms.TARGET.read_text(encoding="utf-8")
    assert rooms.draw_rooms() == committed, "the imports changed: run make docs-picture"


def test_every_room_of_the_pipeline_is_in_the_picture(rooms):
    committed = rooms.TARGET.read_text(encoding="utf-8")
    folders = {folder.parent.name for folder in (ROOT / "pipeline").glob("*/__init__.py")}
    assert "signals" in folders
    for room in folders:
        shown = f">{room}</text>" in committed or room in rooms.FOUNDATIONS
        assert shown, f"{room} is not in docs/rooms.svg: run make docs-picture"


def test_an_import_that_follows_from_others_is_not_drawn(rooms):
    imports = {"report": {"training", "audit"}, "training": {"audit"}, "audit": set()}
    assert rooms.reduce_imports(imports) == [("report", "training"), ("training", "audit")]


def test_rooms_that_import_each_other_are_an_error(rooms):
    with pytest.raises(ValueError, match="circle"):
        rooms.rank_rooms({"http", "auth"}, {"http": {"auth"}, "auth": {"http"}})


def test_the_examples_of_the_script_hold(rooms):
    found = doctest.testmod(rooms)
    assert (found.failed, found.attempted) == (0, 2)
