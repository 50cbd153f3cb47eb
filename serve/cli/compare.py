"""``leadscore compare``."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from leadscore.serve.cli.context import CommandContext, CommandResult, with_options
from leadscore.serve.cli.terminal import print_line, print_list, print_paragraph, print_table

if TYPE_CHECKING:
    from leadscore.pipeline.comparison.records import Breakdown, Comparison, Pair


@with_options("where", "data", "store", "memory_limit", "as_json", extra="report")
def compare(
    context: CommandContext,
    names: Annotated[
        list[str] | None,
        Argument(
            metavar="VERSION",
            help="Two or more versions: predictive, rules, close_rate, champion, challenger, 3, "
            "rules:2. Default: one version of every registered kind.",
        ),
    ] = None,
    capacity: Annotated[
        float | None,
        Option(help="Leads that sales can call in a week. Default: the value in training.yaml."),
    ] = None,
    capacity_share: Annotated[
        float | None,
        Option(help="Share of the new leads that sales can call, instead of --capacity."),
    ] = None,
    gain: Annotated[
        str, Option(help="Smallest gain in wins that the experiment should find.")
    ] = "20%",
    plan_experiment: Annotated[
        bool, Option("--plan-experiment", help="Show how to set up a randomised experiment.")
    ] = False,
    swaps_csv: Annotated[
        Path | None,
        Option(
            help="Write the leads that only one of the two would call into this CSV file. It holds "
            "lead ids."
        ),
    ] = None,
) -> CommandResult:
    """Compare models and rule sheets on later leads.

    The comparison counts the wins that each version reaches with the calls that sales can make,
    and tests whether the difference is proven. It writes a page with pictures.
    """
    from leadscore.pipeline.comparison.compare import Question
    from leadscore.pipeline.comparison.compare import compare as compare_contenders
    from leadscore.pipeline.comparison.experiment import read_gain
    from leadscore.pipeline.workflows.compare import find_contenders, record_comparison

    question = Question(capacity, capacity_share, read_gain(gain), swaps_csv)
    project = context.project
    context.progress("opening the store")
    contenders = find_contenders(context.store, project, names or ())
    comparison = compare_contenders(project, contenders, question, context.progress)
    context.progress("tracking")
    kept = record_comparison(context.store, comparison)
    return CommandResult(
        partial(show_comparison, comparison, kept.page, plan_experiment),
        {**comparison.to_json(), "page": str(kept.page), "run_id": kept.run_id},
    )


_MEASURES = ("auc", "auc_within", "average_precision", "log_loss_equal", "ece_equal")


def show_comparison(found: "Comparison", page: Path, with_plan: bool) -> None:
    """Show a comparison, and the plan of an experiment where it is wanted."""
    for line in (*found.verdict, *found.remarks):
        print_line(line)
        print_line()
    print_line(f"{found.leads:,} leads from {found.begins} on ({found.basis}), "
        f"new to all contenders; {found.snapshots:,} snapshots; {found.capacity_text}, "
        f"{found.weeks_text}.")  # fmt: skip
    _show_standings(found)
    for pair in found.pairs:
        _show_pair(pair, {s.key: s.name for s in found.standings})
    _show_measures(found)
    _show_families(found)
    for breakdown in found.breakdowns:
        _show_breakdown(found, breakdown)
    print_line()
    print_list("note", found.caveats)
    print_paragraph(f"The full comparison, with pictures: {page}")
    if with_plan:
        _show_plan(found)


def _show_standings(found: "Comparison") -> None:
    by_chance = dict(zip(found.calls, found.by_chance, strict=True))[found.capacity]
    print_table(
        (("contender", ""), ("alias", ""), ("wins reached", ",.0f"), ("of the calls", ".1%"),
         ("lift", ".2f")),
        [
            *((standing.name, ", ".join(standing.aliases),
               *(standing.metrics[f"{name}_at_capacity"] for name in ("wins", "precision", "lift")))
              for standing in found.standings),
            ("by chance", "", by_chance, None, 1.0),
        ],
    )  # fmt: skip


def _show_pair(pair: "Pair", names: Mapping[str, str]) -> None:
    swaps, one, other = pair.swaps, names[pair.one], names[pair.other]
    groups = {
        "both": swaps.both, f"only the {one}": swaps.only_one,
        f"only the {other}": swaps.only_other, "neither": swaps.neither,
    }  # fmt: skip
    print_table(
        (("called by", ""), ("leads", ",.0f"), ("won", ",.0f"), ("share", ".1%")),
        [
            (name, of.leads, of.wins, of.wins / of.leads if of.leads >= 0.5 else None)
            for name, of in groups.items()
        ],
        title=f"Leads that the {one} and the {other} would call:",
    )
    for trait in swaps.traits[:5]:
        what = trait.name if trait.level is None else f"share with {trait.name} = {trait.level}"
        form = ".3g" if trait.level is None else ".0%"
        print_line(f"  {what}: {trait.one:{form}} if only the {one} calls, "
            f"{trait.other:{form}} if only the {other} calls")  # fmt: skip


def _show_measures(found: "Comparison") -> None:
    from leadscore.pipeline.evaluation.metrics import COMPARISON_WORDS

    print_table(
        (("measure", ""), *((standing.name, ".3f") for standing in found.standings)),
        [
            (COMPARISON_WORDS[name].name, *(s.metrics[name] for s in found.standings))
            for name in _MEASURES
        ],
        title="Further measures (95 % intervals, not corrected for their number):",
    )


def _show_families(found: "Comparison") -> None:
    families = list(dict.fromkeys(c.family for s in found.standings for c in s.families))
    costs = [{cost.family: cost.wins for cost in s.families} for s in found.standings]
    print_table(
        (("without", ""), *((standing.name, "+,.0f") for standing in found.standings)),
        [(family, *(of.get(family) for of in costs)) for family in families],
        title="Change in wins reached without a family of signals (models not trained again):",
    )


def _show_breakdown(found: "Comparison", breakdown: "Breakdown") -> None:
    print_table(
        ((breakdown.column, ""), ("leads", ","), ("won", ","),
         *((standing.name, ",.0f") for standing in found.standings)),
        [
            (group.name[:40], group.leads, group.wins,
             *(group.reached[standing.key] for standing in found.standings))
            for group in breakdown.slices
        ],
        title=f"By {breakdown.description}:",
    )  # fmt: skip
    if breakdown.hidden:
        print_line(
            f"({breakdown.hidden} groups not shown: fewer than 30 leads, or not among the largest)"
        )


def _show_plan(found: "Comparison") -> None:
    plan = found.plan
    print_paragraph(f"A randomised experiment: {plan.one} against {plan.other}. {plan.summary}")
    for size in plan.shorter:
        weeks = "" if size.weeks is None else f", {size.weeks:,} weeks"
        print_line(
            f"  for a gain of {size.gain:.0%}: {size.calls_per_arm:,} calls in each arm{weeks}"
        )
    for number, step in enumerate(plan.steps, start=1):
        print_line(f"  {number}. {step}")
