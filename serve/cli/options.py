"""The options that several commands share, each with one meaning."""

from pathlib import Path
from typing import Annotated

import typer

ProjectOption = Annotated[
    str, typer.Option("-c", "--config", help="The project's folder, or the name of a shipped one.")
]
HomeOption = Annotated[
    Path, typer.Option("--home", help="Holds the MLflow store (unless MLFLOW_TRACKING_URI is set).")
]
DataOption = Annotated[
    Path | None, typer.Option("--data", help="In place of the data folder in data.yaml.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Report as JSON on stdout.")]
ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        help="champion, challenger or a version's number, of the predictive model; "
        "rules, rules:3, close_rate:challenger of a sheet.",
    ),
]
TracebackOption = Annotated[bool, typer.Option("--traceback", help="Show errors in full.")]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        help="Score as of this moment, 2026-01-31T00:00:00Z say; by default the extract "
        "in data.yaml, else where activities end.",
    ),
]
MemoryOption = Annotated[
    str | None,
    typer.Option("--memory-limit", help="Of the SQL engine, as 4GB; beyond it spills to disk."),
]
LeaksOption = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-leak",
        help="A signal, field or column to use though the audit says that it leaks; repeat it for "
        "each. Recorded in the run and in its report.",
    ),
]
HOME = Path("var")
