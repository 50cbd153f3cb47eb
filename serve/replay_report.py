"""How a replay is shown."""

from serve.replay import ReplayReport
from serve.terminal import say, say_table


def show_replay(report: ReplayReport) -> None:
    """Print the report for people."""
    say(f"{report.recomputed:,} answers recomputed; {report.differing:,} differ, "
        f"{report.failed:,} could not be recomputed.")  # fmt: skip
    if report.versions:
        say_table(
            ("model", "version", "fingerprint", "recomputed"),
            [(m, str(v), sha256[:12], f"{n:,}") for (m, v, sha256), n in report.versions],
            "lrlr",
        )
    if report.differences:
        say()
        say_table(
            ("request", "item", "field", "logged", "recomputed"),
            [
                (d.request_id, "" if d.item is None else str(d.item), d.field, str(d.logged),
                 str(d.recomputed))
                for d in report.differences
            ],
            "lrlrr",
        )  # fmt: skip
    if report.failures:
        say()
        say_table(
            ("could not be recomputed since", "answers", "first request"),
            [(f.reason, f"{f.answers:,}", f.first_request_id) for f in report.failures],
            "lrl",
        )
