"""What a comparison shows on the terminal: the verdict first, then what it rests on."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.comparison.records import Breakdown, Comparison, Duel
from pipeline.metrics import Estimate
from pipeline.report.words import COMPARISON_WORDS
from serve.terminal import say, say_table

_RANKED = ("auc", "auc_within", "average_precision")
_EQUAL = ("log_loss_equal", "ece_equal")


def show_comparison(found: Comparison, page: Path) -> None:
    """Show a comparison."""
    for line in (*found.told, *found.beside):
        say(line)
        say()
    say(f"{found.leads:,} leads from {found.begins} on ({found.basis}), new to all contenders; "
        f"{found.snapshots:,} snapshots; {found.capacity_said}, "
        f"{found.weeks_said}.")  # fmt: skip
    say()
    _show_standings(found)
    for duel in found.duels:
        _show_duel(duel, {s.key: s.name for s in found.standings})
    _show_measures(found)
    _show_families(found)
    for breakdown in found.breakdowns:
        _show_breakdown(found, breakdown)
    say()
    for line in found.caveats:
        say(f"note: {line}")
    say()
    say(f"All of it, with pictures: {page}")


def _show_standings(found: Comparison) -> None:
    rows = [
        (standing.name, ", ".join(standing.aliases),
         *(_estimate(standing.metrics[name], form) for name, form in (
             ("wins_at_capacity", ",.0f"), ("precision_at_capacity", ".1%"),
             ("lift_at_capacity", ".2f"))))
        for standing in found.standings
    ]  # fmt: skip
    by_chance = dict(zip(found.calls, found.by_chance, strict=True))[found.capacity]
    rows.append(("by chance", "", f"{by_chance:,.0f}", "", "1.00"))
    say_table(("contender", "alias", "wins reached", "of the calls", "lift"), rows, align="ll")


def _show_duel(duel: Duel, names: Mapping[str, str]) -> None:
    swaps, one, other = duel.swaps, names[duel.one], names[duel.other]
    say()
    say(f"Who would be called by the {one}, and who by the {other}:")
    say_table(
        ("called by", "leads", "won", "share"),
        [
            (name, f"{group.leads:,.0f}", f"{group.wins:,.0f}",
             f"{group.wins / group.leads:.1%}" if group.leads >= 0.5 else "-")
            for name, group in (
                ("both", swaps.both), (f"only the {one}", swaps.only_one),
                (f"only the {other}", swaps.only_other), ("neither", swaps.neither),
            )
        ],
    )  # fmt: skip
    for trait in swaps.traits[:5]:
        what = trait.name if trait.level is None else f"share with {trait.name} = {trait.level}"
        form = ".3g" if trait.level is None else ".0%"
        say(f"  {what}: {trait.one:{form}} where only the {one} calls, "
            f"{trait.other:{form}} where only the {other} does")  # fmt: skip


def _show_measures(found: Comparison) -> None:
    say()
    say("Beside the verdict, each by itself (95 % intervals; not corrected for their number):")
    names = [*_RANKED, *_EQUAL]
    say_table(
        ("measure", *(standing.name for standing in found.standings)),
        [
            (COMPARISON_WORDS[name].name,
             *(_estimate(standing.metrics[name], ".3f") for standing in found.standings))
            for name in names
        ],
    )  # fmt: skip


def _show_families(found: Comparison) -> None:
    families = list(dict.fromkeys(c.family for s in found.standings for c in s.families))
    costs = [{cost.family: cost for cost in standing.families} for standing in found.standings]
    say()
    say("Wins reached without a family of signals, against with it (not trained again):")
    say_table(
        ("without", *(standing.name for standing in found.standings)),
        [
            (family, *(_estimate(of[family].wins, "+,.0f") if family in of else "-"
                       for of in costs))
            for family in families
        ],
    )  # fmt: skip


def _show_breakdown(found: Comparison, breakdown: Breakdown) -> None:
    say()
    say(f"By {breakdown.says}:")
    say_table(
        (breakdown.column, "leads", "won", *(standing.name for standing in found.standings)),
        [
            (group.name[:40], f"{group.leads:,}", f"{group.wins:,}",
             *(f"{group.reached[standing.key]:,.0f}" for standing in found.standings))
            for group in breakdown.slices
        ],
    )  # fmt: skip
    if breakdown.hidden:
        say(f"({breakdown.hidden} groups of fewer than 30 leads, or beyond the largest, not shown)")


def show_plan(found: Comparison) -> None:
    """Show how a randomised test between the two best would be set up."""
    plan = found.plan
    say()
    say(f"A randomised test of {plan.one} against {plan.other}. {plan.said}")
    for size in plan.shorter:
        weeks = "" if size.weeks is None else f", {size.weeks:,} weeks"
        say(f"  for a gain of {size.gain:.0%}: {size.calls_per_arm:,} calls in each arm{weeks}")
    for number, step in enumerate(plan.steps, start=1):
        say(f"  {number}. {step}")


def _estimate(estimate: Estimate, form: str) -> str:
    return f"{estimate.value:{form}} ({estimate.low:{form}} to {estimate.high:{form}})"
