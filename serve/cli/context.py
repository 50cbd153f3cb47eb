"""The context of a command: the options that several commands share, and what they lead to."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property, wraps
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, get_type_hints

from typer import Exit, Option

from leadscore.pipeline.errors import ConfigError
from leadscore.pipeline.progress import Progress
from leadscore.serve.cli.terminal import handle_errors, print_json, show_progress, write_command

if TYPE_CHECKING:
    from leadscore.pipeline.config.project import Project

STORE = Path("var")
"""The default folder of the store, below the current folder."""
KEYS = STORE / "keys.json"
"""The default file of API keys."""
Extra = Literal["serve", "report"]
_EXTRAS: dict[Extra, tuple[str, ...]] = {
    "serve": ("cachetools", "fastapi", "fastapi_offline", "httptools", "prometheus_client",
              "structlog", "uvicorn", "uvloop"),
    "report": ("altair", "jinja2", "vl_convert"),
}  # fmt: skip
"""The packages that an extra of pyproject.toml installs, under the names that code imports."""


class CommandResult(NamedTuple):
    """The result of a command: how to show it, if there is anything, its JSON, the exit code."""

    show: Callable[[], None] | None = None
    document: Any = None
    exit_code: int = 0


@dataclass(frozen=True)
class CommandContext:
    """The shared options of one call of a command; its fields declare their names and texts."""

    progress: Progress
    where: Annotated[
        str | None,
        Option(
            "-p",
            "--project",
            help="Folder of the project, or the name of a shipped one. Default: the current folder "
            "if it is a project.",
        ),
    ] = None
    data: Annotated[
        Path | None, Option(help="Folder of the data. Default: the folder in data.yaml.")
    ] = None
    store: Annotated[
        Path,
        Option(
            help="Folder of the MLflow store, reports and caches. MLFLOW_TRACKING_URI, if set, "
            "names another store for MLflow."
        ),
    ] = STORE
    model: Annotated[
        str,
        Option(
            help="Version of the predictive model: champion, challenger or a number. For a sheet: "
            "rules, rules:3 or close_rate:challenger."
        ),
    ] = "champion"
    as_of: Annotated[
        str | None,
        Option(
            help="Moment to score at, for example 2026-01-31T00:00:00Z. Default: the extract date "
            "in data.yaml, else the last activity."
        ),
    ] = None
    allow_leak: Annotated[
        list[str] | None,
        Option(
            metavar="NAME",
            help="Use this signal, field or column although the audit reports a leak. Repeat the "
            "option for several. The run and its report record it.",
        ),
    ] = None
    memory_limit: Annotated[
        str | None,
        Option(help="Memory of the SQL engine, for example 4GB. Larger work spills to disk."),
    ] = None
    as_json: Annotated[bool, Option("--json", help="Print the result as JSON.")] = False
    traceback: Annotated[
        bool, Option("--traceback", help="Show the full traceback of an error.")
    ] = False

    @cached_property
    def folder(self) -> Path:
        """The folder of the project."""
        from leadscore.pipeline.config.folder import find_project

        return find_project(self.where)

    @cached_property
    def project(self) -> "Project":
        """The project, read and checked."""
        from leadscore.pipeline.config.project import read_project
        from leadscore.pipeline.engine.duckdb_engine import Limits

        return read_project(self.folder, self.data, Limits(self.memory_limit))

    def write_next(self, *words: str) -> str:
        """Return a next command on the same project and store, to be pasted."""
        project = [] if self.where is None else ["-p", self.where]
        store = [] if self.store == STORE else ["--store", str(self.store)]
        return write_command(*words, *project, *store)


def check_extra(extra: Extra) -> None:
    """Raise ConfigError if a package of an extra is not installed."""
    missing = [package for package in _EXTRAS[extra] if find_spec(package) is None]
    if missing:
        raise ConfigError(
            f"this command needs {', '.join(missing)}; run pip install 'leadscore[{extra}]'"
        )


def with_options(
    *names: str, extra: Extra | None = None
) -> Callable[[Callable[..., CommandResult]], Callable[..., None]]:
    """Turn a function of a context into a command that has some of the shared options.

    `names` are fields of ``CommandContext``; every command has ``traceback`` too. The function gets
    its own arguments and options by name, and the context if it has a parameter ``context``. The
    command begins only if all packages of `extra` are installed.
    """
    hints = get_type_hints(CommandContext, include_extras=True)
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(CommandContext)
        if field.name in (*names, "traceback")
    ]

    def decorate(function: Callable[..., CommandResult]) -> Callable[..., None]:
        own = dict(inspect.signature(function).parameters)
        has_context = own.pop("context", None) is not None

        @wraps(function)
        def command(**given: Any) -> None:
            values = {option.name: given.pop(option.name) for option in shared}
            with handle_errors(values["traceback"]), show_progress() as progress:
                if extra is not None:
                    check_extra(extra)
                if has_context:
                    given["context"] = CommandContext(progress, **values)
                result = function(**given)
            if values.get("as_json"):
                print_json(result.document)
            elif result.show is not None:
                result.show()
            if result.exit_code:
                raise Exit(result.exit_code)

        parameters = [*own.values(), *shared]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {option.name: option.annotation for option in parameters}
        return command

    return decorate
