"""The command that compares: leadscore compare."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from leadscore.serve.cli.options import (
    HOME,
    DataOption,
    HomeOption,
    JsonOption,
    MemoryOption,
    ProjectOption,
    TracebackOption,
)
from leadscore.serve.cli.terminal import (
    handle_errors,
    print_json,
    print_line,
    print_table,
    show_progress,
)

if TYPE_CHECKING:
    from leadscore.pipeline.comparison.records import Breakdown, Comparison, Pair
    from leadscore.pipeline.evaluation.metrics import Estimate


def compare_versions(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Two or more: predictive, rules, close_rate, champion, challenger, 3, rules:2. "
            "By default every kind that is registered.",
        ),
    ] = None,
    config: ProjectOption = "demo",
    data: DataOption = None,
    home: HomeOption = HOME,
    capacity: Annotated[
        float | None,
        typer.Option("--capacity", help="Leads that sales can call a week; else training.yaml's."),
    ] = None,
    capacity_share: Annotated[
        float | None,
        typer.Option("--capacity-share", help="In its place: the share of leads that arrive."),
    ] = None,
    gain: Annotated[
        str, typer.Option("--gain", help="The smallest gain in wins worth finding.")
    ] = "20%",
    plan_test: Annotated[
        bool, typer.Option("--plan-test", help="Show how a randomised test would be set up.")
    ] = False,
    swaps: Annotated[
        Path | None,
        typer.Option("--swaps", help="Write the leads that swap into this CSV: it holds lead ids."),
    ] = None,
    as_json: JsonOption = False,
    memory_limit: MemoryOption = None,
    traceback: TracebackOption = False,
) -> None:
    """Compare versions on later leads: which wins more with your calls, and is it proven."""
    with handle_errors(traceback), show_progress() as progress:
        from leadscore.pipeline.comparison.compare import Question, compare
        from leadscore.pipeline.comparison.experiment import read_gain
        from leadscore.pipeline.config.folder import find_project
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.engine.duckdb_engine import Limits
        from leadscore.pipeline.tracking.store import open_store
        from leadscore.pipeline.workflows.compare import find_contenders, record_comparison

        project = read_project(find_project(config), data, Limits(memory_limit))
        question = Question(capacity, capacity_share, read_gain(gain), swaps)
        progress("opening the store")
        store = open_store(home)
        contenders = find_contenders(store, project, names or ())
        comparison = compare(project, contenders, question, progress)
        progress("tracking")
        kept = record_comparison(store, comparison, home)
    if as_json:
        print_json({**comparison.to_json(), "page": str(kept.page), "run_id": kept.run_id})
        return
    show_comparison(comparison, kept.page)
    if plan_test:
        show_plan(comparison)


_RANKED = ("auc", "auc_within", "average_precision")
_EQUAL = ("log_loss_equal", "ece_equal")


def show_comparison(found: "Comparison", page: Path) -> None:
    """Show a comparison."""
    for line in (*found.told, *found.beside):
        print_line(line)
        print_line()
    print_line(f"{found.leads:,} leads from {found.begins} on ({found.basis}), "
        f"new to all contenders; {found.snapshots:,} snapshots; {found.capacity_said}, "
        f"{found.weeks_said}.")  # fmt: skip
    print_line()
    _show_standings(found)
    for duel in found.duels:
        _show_duel(duel, {s.key: s.name for s in found.standings})
    _show_measures(found)
    _show_families(found)
    for breakdown in found.breakdowns:
        _show_breakdown(found, breakdown)
    print_line()
    for line in found.caveats:
        print_line(f"note: {line}")
    print_line()
    print_line(f"All of it, with pictures: {page}")


def _show_standings(found: "Comparison") -> None:
    rows = [
        (standing.name, ", ".join(standing.aliases),
         *(_estimate(standing.metrics[name], form) for name, form in (
             ("wins_at_capacity", ",.0f"), ("precision_at_capacity", ".1%"),
             ("lift_at_capacity", ".2f"))))
        for standing in found.standings
    ]  # fmt: skip
    by_chance = dict(zip(found.calls, found.by_chance, strict=True))[found.capacity]
    rows.append(("by chance", "", f"{by_chance:,.0f}", "", "1.00"))
    print_table(("contender", "alias", "wins reached", "of the calls", "lift"), rows, align="ll")


def _show_duel(duel: "Pair", names: Mapping[str, str]) -> None:
    swaps, one, other = duel.swaps, names[duel.one], names[duel.other]
    print_line()
    print_line(f"Who would be called by the {one}, and who by the {other}:")
    print_table(
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
        print_line(f"  {what}: {trait.one:{form}} where only the {one} calls, "
            f"{trait.other:{form}} where only the {other} does")  # fmt: skip


def _show_measures(found: "Comparison") -> None:
    from leadscore.pipeline.evaluation.metrics import COMPARISON_WORDS

    print_line()
    print_line(
        "Beside the verdict, each by itself (95 % intervals; not corrected for their number):"
    )
    names = [*_RANKED, *_EQUAL]
    print_table(
        ("measure", *(standing.name for standing in found.standings)),
        [
            (COMPARISON_WORDS[name].name,
             *(_estimate(standing.metrics[name], ".3f") for standing in found.standings))
            for name in names
        ],
    )  # fmt: skip


def _show_families(found: "Comparison") -> None:
    families = list(dict.fromkeys(c.family for s in found.standings for c in s.families))
    costs = [{cost.family: cost for cost in standing.families} for standing in found.standings]
    print_line()
    print_line("Wins reached without a family of signals, against with it (not trained again):")
    print_table(
        ("without", *(standing.name for standing in found.standings)),
        [
            (family, *(_estimate(of[family].wins, "+,.0f") if family in of else "-"
                       for of in costs))
            for family in families
        ],
    )  # fmt: skip


def _show_breakdown(found: "Comparison", breakdown: "Breakdown") -> None:
    print_line()
    print_line(f"By {breakdown.says}:")
    print_table(
        (breakdown.column, "leads", "won", *(standing.name for standing in found.standings)),
        [
            (group.name[:40], f"{group.leads:,}", f"{group.wins:,}",
             *(f"{group.reached[standing.key]:,.0f}" for standing in found.standings))
            for group in breakdown.slices
        ],
    )  # fmt: skip
    if breakdown.hidden:
        print_line(
            f"({breakdown.hidden} groups of fewer than 30 leads, or beyond the largest, not shown)"
        )


def show_plan(found: "Comparison") -> None:
    """Show how a randomised test between the two best would be set up."""
    plan = found.plan
    print_line()
    print_line(f"A randomised test of {plan.one} against {plan.other}. {plan.said}")
    for size in plan.shorter:
        weeks = "" if size.weeks is None else f", {size.weeks:,} weeks"
        print_line(
            f"  for a gain of {size.gain:.0%}: {size.calls_per_arm:,} calls in each arm{weeks}"
        )
    for number, step in enumerate(plan.steps, start=1):
        print_line(f"  {number}. {step}")


def _estimate(estimate: "Estimate", form: str) -> str:
    return f"{estimate.value:{form}} ({estimate.low:{form}} to {estimate.high:{form}})"
