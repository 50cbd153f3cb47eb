"""Draw docs/rooms.svg: the rooms of the code, and which room imports which.

The order of the pipeline's rooms is that of import-linter's contract in pyproject.toml. The arrows
are the imports that the code really has. An arrow that follows from others is not drawn: where
`report` imports `training` and `training` imports `audit`, an arrow from `report` to `audit` would
add nothing. Run it by ``make docs-picture``.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "docs" / "rooms.svg"

Imports = dict[str, set[str]]
"""The rooms that each room imports."""

FOUNDATIONS = {"errors", "progress", "values"}
"""Small rooms of the pipeline that every room may import: drawn in one line, without arrows."""

BESIDE = {"demo": "sheets", "tracking": "ingest"}
"""The layer in whose row a room next to the layers is drawn."""

BOX_WIDTH, BOX_HEIGHT = 140, 28
ROW = 58
CENTRE = 400
WIDTH = 840
LANE = 14
FLOOR_LEFT, FLOOR_RIGHT = 120, 680
STYLE = """
text { font: 14px system-ui, sans-serif; fill: #1c2733; text-anchor: middle }
.floor { fill: #f3f6f9; stroke: #b9c6d2 }
.floor-name { font-size: 16px; font-weight: 600; text-anchor: start }
.small { font-size: 12px; fill: #4b5b6b; text-anchor: start }
.room { fill: #ffffff; stroke: #4b6a88; stroke-width: 1.2 }
.import { fill: none; stroke: #4b6a88; stroke-width: 1.2; marker-end: url(#arrow) }
@media (prefers-color-scheme: dark) {
  text { fill: #e4ebf2 } .small { fill: #b4c2cf }
  .floor { fill: #1b242d; stroke: #45566a } .room { fill: #26323e; stroke: #8fb0d0 }
  .import { stroke: #8fb0d0 } #arrow path { fill: #8fb0d0 } .paper { fill: #11181f }
}
"""


@dataclass(frozen=True)
class Box:
    """A room in the picture: the middle of its box, and its row counted from the top."""

    x: float
    y: float
    row: int


def find_room(module: str) -> str | None:
    """Return the room of a module; None for what is in no room.

    Examples
    --------
    >>> find_room("leadscore.pipeline.signals.live.reader")
    'signals'
    >>> find_room("leadscore.serve.service.http.app")
    'service/http'
    """
    _, floor, *names = module.split(".") if module.count(".") else (module, "")
    if floor == "models":
        return "models"
    if floor == "serve" and names[:1] == ["service"]:
        return "service/" + names[1] if len(names) > 1 else None
    return names[0] if names else None


def read_imports() -> Imports:
    """Return the imports between rooms; a lone file of the service counts as a room."""
    graph = grimp.build_graph("leadscore", cache_dir=None)
    imports: Imports = {}
    for module in graph.modules:
        room = find_room(module)
        if room is not None:
            found = imports.setdefault(room, set())
            for imported in graph.find_modules_directly_imported_by(module):
                other = find_room(imported)
                if other is not None and other != room:
                    found.add(other)
    return imports


def read_layers() -> tuple[list[list[str]], list[str]]:
    """Return the pipeline's layers from the top, and its rooms next to the layers."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = (
        contract
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract.get("containers") == ["leadscore.pipeline"]
    )
    layers = [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]
    return layers, contract["exhaustive_ignores"]


def reduce_imports(imports: Imports) -> list[tuple[str, str]]:
    """Return the imports that follow from no others, in the order of their names."""

    def reach(rooms: Iterable[str]) -> set[str]:
        found: set[str] = set()
        waiting = list(rooms)
        while waiting:
            room = waiting.pop()
            if room not in found:
                found.add(room)
                waiting += imports[room]
        return found

    return sorted(
        (room, other)
        for room, others in imports.items()
        for other in others
        if other not in reach(others - {other})
    )


def rank_rooms(rooms: set[str], imports: Imports) -> list[list[str]]:
    """Return rooms in rows, each above everything that it imports."""
    rows: list[list[str]] = []
    left = set(rooms)
    while left:
        row = sorted(room for room in left if not any(room in imports[other] for other in left))
        if not row:
            raise ValueError(f"these rooms import each other in a circle: {sorted(left)}")
        rows.append(row)
        left -= set(row)
    return rows


def place_row(row: list[str], number: int, y: float) -> dict[str, Box]:
    """Place the rooms of one row around the centre."""
    step = BOX_WIDTH + 22
    first = CENTRE - step * (len(row) - 1) / 2
    return {room: Box(first + step * at, y, number) for at, room in enumerate(row)}


def draw_floor(name: str, notes: tuple[str, str], top: float, bottom: float) -> str:
    """Draw the ground of one floor, with its name and two lines of notes at the bottom."""
    left = FLOOR_LEFT + 14
    lines = "".join(
        f'<text class="small" x="{left}" y="{bottom - 26 + 16 * at:g}">{escape(note)}</text>'
        for at, note in enumerate(notes)
    )
    return (
        f'<rect class="floor" x="{FLOOR_LEFT}" y="{top:g}" width="{FLOOR_RIGHT - FLOOR_LEFT}" '
        f'height="{bottom - top:g}" rx="10"/>'
        f'<text class="floor-name" x="{left}" y="{top + 24:g}">{name}</text>{lines}'
    )


def draw_box(room: str, box: Box) -> str:
    """Draw one room."""
    return (
        f'<rect class="room" x="{box.x - BOX_WIDTH / 2:g}" y="{box.y - BOX_HEIGHT / 2:g}" '
        f'width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6"/>'
        f'<text x="{box.x:g}" y="{box.y + 5:g}">{escape(room)}</text>'
    )


class Lanes:
    """The vertical lanes left and right of the floors, in which long arrows run."""

    def __init__(self) -> None:
        self._taken: dict[bool, list[list[tuple[float, float]]]] = {False: [], True: []}

    def take(self, on_right: bool, top: float, bottom: float) -> float:
        """Return the x of the nearest lane that is free between two heights."""
        lanes = self._taken[on_right]
        number = 0
        while number < len(lanes) and any(
            top <= end and begin <= bottom for begin, end in lanes[number]
        ):
            number += 1
        if number == len(lanes):
            lanes.append([])
        lanes[number].append((top, bottom))
        away = LANE * (number + 1)
        return FLOOR_RIGHT + away if on_right else FLOOR_LEFT - away


def draw_arrows(arrows: list[tuple[str, str]], boxes: dict[str, Box]) -> list[str]:
    """Draw each import: straight between neighbouring rows, by a lane otherwise."""
    lanes, drawn = Lanes(), []
    used: dict[tuple[str, bool], int] = {}

    def slot(room: str, on_right: bool) -> float:
        """Return a height at the side of a box that no other arrow has."""
        at = used[room, on_right] = used.get((room, on_right), -1) + 1
        return boxes[room].y + (0, 6, -6, 10, -10)[at % 5]

    by_length = sorted(arrows, key=lambda arrow: boxes[arrow[1]].row - boxes[arrow[0]].row)
    for room, other in by_length:
        start, end = boxes[room], boxes[other]
        if end.row - start.row == 1:
            path = f"M{start.x:g} {start.y + BOX_HEIGHT / 2:g}L{end.x:g} {end.y - BOX_HEIGHT / 2:g}"
        else:
            on_right = max(start.x, end.x) > CENTRE and min(start.x, end.x) >= CENTRE
            side = BOX_WIDTH / 2 if on_right else -BOX_WIDTH / 2
            begin_y, end_y = slot(room, on_right), slot(other, on_right)
            lane = lanes.take(on_right, begin_y, end_y)
            path = f"M{start.x + side:g} {begin_y:g}H{lane:g}V{end_y:g}H{end.x + side:g}"
        drawn.append(
            f'<path class="import" d="{path}"><title>{room} imports {other}</title></path>'
        )
    return drawn


def draw_rooms() -> str:
    """Return the picture as SVG text."""
    imports = read_imports()
    layers, aside = read_layers()
    files = {room for room in imports if is_file(room)}
    drawn = {
        room: others - files - FOUNDATIONS
        for room, others in imports.items()
        if room not in files | FOUNDATIONS
    }
    serve = rank_rooms({room for room in drawn if room == "cli" or "/" in room}, drawn)
    rows = [[room for room in layer if room in drawn] for layer in layers]
    rows = [row for row in rows if row]
    boxes: dict[str, Box] = {}
    top = y = 44.0
    for number, row in enumerate(serve):
        boxes |= place_row(row, number, y + number * ROW)
    serve_bottom = y + len(serve) * ROW + 6
    pipeline_top = serve_bottom + 18
    y = pipeline_top + 44
    for number, row in enumerate(rows):
        boxes |= place_row(row, len(serve) + number, y + number * ROW)
    for room in aside:
        beside = boxes[BESIDE[room]]
        boxes[room] = Box(FLOOR_RIGHT - 76, beside.y, beside.row)
    pipeline_bottom = y + len(rows) * ROW + 6
    models_top = pipeline_bottom + 18
    last = len(serve) + len(rows)
    boxes |= place_row(["models"], last, models_top + 40)
    height = models_top + 90
    shared = ", ".join(sorted(room.removeprefix("service/") for room in files))
    foundations = ", ".join(sorted(FOUNDATIONS))
    parts = [
        draw_floor("serve", ("files next to the rooms:", shared), top - 32, serve_bottom),
        draw_floor("pipeline", ("every room may import:", foundations), pipeline_top,
                   pipeline_bottom),
        draw_floor("models", ("imports nothing", "of the other floors"), models_top, height - 8),
        *draw_arrows(reduce_imports(drawn), boxes),
        *(draw_box(room, box) for room, box in sorted(boxes.items())),
    ]  # fmt: skip
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" '
        f'width="{WIDTH}" height="{height:g}" role="img" aria-label="Rooms and their imports">\n'
        f"<style>{STYLE}</style>\n"
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#4b6a88"/></marker></defs>\n'
        f'<rect class="paper" width="{WIDTH}" height="{height:g}" fill="#ffffff"/>\n'
        f"{body}\n</svg>\n"
    )


def is_file(room: str) -> bool:
    """Return whether a room of the service is one file, not a folder."""
    return "/" in room and (ROOT / "serve" / f"{room}.py").is_file()


if __name__ == "__main__":
    TARGET.write_text(draw_rooms(), encoding="utf-8")
