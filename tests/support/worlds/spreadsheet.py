"""The Spanish sheet of docs/data-team.md: its files as the page prints them, and leads for it."""

import csv
import random
import re
from datetime import date, timedelta
from pathlib import Path

from support.real_data import ROOT

PAGE = ROOT / "docs" / "data-team.md"
_FIRST = "Lucía Íñigo Begoña Andrés Ximena Núria Jesús Mónica Raúl Candela Óscar Pilar".split()
_LAST = "Ferrer Muñoz Etxeberria Peña Quiñones Bermúdez Ibáñez Gállego Cañas Vázquez".split()
_TITLES = ["Directora de compras", "Jefe de ventas", "Gerente", "Técnico de calidad", "Becaria",
           "Responsable de RR.HH.", "CEO", "Administrativo", "Dir. Gral.", "sin datos"]  # fmt: skip
_FIRMS = ["Talleres", "Construcciones", "Bodegas", "Transportes", "Cerámicas", "Viveros"]
_MESSAGES = ["Quisiera saber precios para nuestro equipo; somos 20", "¿Hacen demos?", "", "-"]


def write_sheet(folder: Path, leads: int = 900, seed: int = 5) -> Path:
    """Write the page's four files and a sheet of leads, as a Spanish Excel saves it."""
    folder.mkdir(parents=True)
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"<!-- file: hoja/(\w+\.yaml) -->\n```yaml\n(.*?)```", text, re.DOTALL)
    assert [name for name, _ in blocks] == [
        "data.yaml", "signals.yaml", "training.yaml", "bands.yaml",
    ]  # fmt: skip
    for name, content in blocks:
        (folder / name).write_text(content, encoding="utf-8")
    header = re.search(r"```text\n(ID;.*)\n", text)
    assert header is not None
    with (folder / "leads.csv").open("w", encoding="cp1252", newline="") as stream:
        writer = csv.writer(stream, delimiter=";")
        writer.writerow(header[1].split(";"))
        dice = random.Random(seed)
        writer.writerows(_row(dice, number, leads) for number in range(leads))
    return folder


def _row(dice: random.Random, number: int, leads: int) -> list[object]:
    came = date(2024, 1, 8) + timedelta(days=700 * number // leads)
    if dice.random() < 0.08:
        name = dice.choice(["asdfgh", "qwerty", "sdfgsdfg"])
        return [number, _day(came), name, name, f"{name}@yopmail.com", "", "", "12", "", "Web",
                "", "Descartado", _day(came + timedelta(days=2))]  # fmt: skip
    first, last = dice.choice(_FIRST), f"{dice.choice(_LAST)} {dice.choice(_LAST)}"
    firm, title = f"{dice.choice(_FIRMS)} {dice.choice(_LAST)}, S.L.", dice.choice(_TITLES)
    private = dice.random() < 0.3
    domain = "gmail.com" if private else f"{firm.split(',')[0].replace(' ', '').lower()}.es"
    source = dice.choice(["Feria", "Web", "Recomendación", "Anuncio"])
    chance = 0.08 + 0.2 * (title[:3] in ("Dir", "CEO", "Ger")) + 0.2 * (source == "Recomendación")
    won = dice.random() < chance * (0.5 if private else 1.0)
    closed = came + timedelta(days=dice.randrange(3, 50))
    status = "Ganado" if won else dice.choice(["Perdido", "Abierto", "Descartado"])
    return [
        number, _day(came), first, last, f"{first}.{last.split()[0]}@{domain}".lower(), firm, title,
        dice.choice([f"+34 600 {number:06}", "N/D"]), dice.choice(["12,0", "45", "-", "230"]),
        source, dice.choice(_MESSAGES), status, "" if status == "Abierto" else _day(closed),
    ]  # fmt: skip


def _day(day: date) -> str:
    return day.strftime("%d/%m/%Y")
