"""The page of a comparison: its verdict, and the pictures that show why."""

from collections.abc import Iterator
from pathlib import Path

from pipeline.comparison.records import Comparison, Duel
from pipeline.comparison.trial import DESCRIBED
from pipeline.groups import FEWEST
from pipeline.report.drawings import Drawing, Rows
from pipeline.report.html import render_page
from pipeline.report.words import COMPARISON_WORDS

_RANKING = ("auc", "auc_within", "average_precision")
_CALIBRATION = ("log_loss", "log_loss_equal", "ece", "ece_equal")


def write_comparison_page(found: Comparison, cache: Path) -> str:
    """Return the page of a comparison; the same comparison gives the same text.

    It names no lead, and tells nothing of groups of fewer than ``FEWEST`` leads.

    Parameters
    ----------
    found : Comparison
    cache : Path
        Folder where the bundle of JavaScript is kept between pages.
    """
    from pipeline.report.comparison_charts import (  # Altair takes half a second
        COLOURS,
        make_comparison_specs,
    )

    by_week = found.plan.weeks is not None
    return render_page(
        "comparison.html.j2",
        [drawing for drawing in _draw(found, len(COLOURS)) if drawing.rows],
        make_comparison_specs("calls a week" if by_week else "calls a stretch"),
        cache,
        found=found,
        names={standing.key: standing.name for standing in found.standings},
        hues=len(COLOURS),
        words=COMPARISON_WORDS,
        ranking=_RANKING,
        calibration=_CALIBRATION,
        families=list(dict.fromkeys(c.family for s in found.standings for c in s.families)),
        few=FEWEST,
        described=DESCRIBED,
    )


def _draw(found: Comparison, hues: int) -> Iterator[Drawing]:
    names = {standing.key: standing.name for standing in found.standings}
    hue = {standing.key: place % hues for place, standing in enumerate(found.standings)}
    yield Drawing("chart-reach", "reach", list(_reach_rows(found, hues)),
                  "Wins reached against calls a week (or stretch), by contender")  # fmt: skip
    yield Drawing(
        "chart-gains", "gains",
        [{"name": _against(duel, names), **duel.gain.wins._asdict()} for duel in found.duels],
        "Wins gained by each contender over each other, with the 95 % interval",
    )  # fmt: skip
    for number, duel in enumerate(found.duels):
        yield Drawing(f"chart-swaps-{number}", "swaps", _swap_rows(duel, names, hue),
                      "Leads called by both and by one only, and how many of them won")  # fmt: skip
    duel = found.duels[0]
    for number, breakdown in enumerate(found.breakdowns):
        rows: Rows = [
            {"name": group.name[:40], **group.gains[0]._asdict()} for group in breakdown.slices
        ]
        yield Drawing(f"chart-by-{number}", "gains", rows,
                      f"{_against(duel, names)}: wins gained, by {breakdown.column}")  # fmt: skip
    costs: Rows = [
        {"name": cost.family, "who": standing.name, "place": hue[standing.key],
         **cost.wins._asdict()}
        for standing in found.standings for cost in standing.families
    ]  # fmt: skip
    yield Drawing("chart-costs", "costs", costs,
                  "Wins lost or gained when a family of signals is left out")  # fmt: skip


def _reach_rows(found: Comparison, hues: int) -> Iterator[dict[str, object]]:
    curves = [
        ("by chance", -1, found.by_chance),
        *((s.name, place % hues, s.curve) for place, s in enumerate(found.standings)),
    ]
    for name, place, curve in curves:
        for calls, wins in zip(found.calls, curve, strict=True):
            yield {"name": name, "place": place, "calls": round(calls, 3), "wins": round(wins, 2),
                   "capacity": found.capacity}  # fmt: skip


def _swap_rows(duel: Duel, names: dict[str, str], hue: dict[str, int]) -> Rows:
    one, other, swaps = names[duel.one], names[duel.other], duel.swaps
    groups = (("both", 3, swaps.both), (f"only {one}", hue[duel.one], swaps.only_one),
              (f"only {other}", hue[duel.other], swaps.only_other))  # fmt: skip
    end = 1.3 * max(group.leads for _, _, group in groups)
    return [
        {"name": name, "place": place, "leads": round(group.leads, 2), "wins": round(group.wins, 2),
         "end": round(end, 2),
         "told": f"{group.wins:,.0f} of {group.leads:,.0f} won"}
        for name, place, group in groups
    ]  # fmt: skip


def _against(duel: Duel, names: dict[str, str]) -> str:
    return f"{names[duel.one]} − {names[duel.other]}"
