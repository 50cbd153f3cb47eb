"""``leadscore serve``."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated

from typer import Option

from leadscore.pipeline.errors import ConfigError
from leadscore.serve.cli.context import CommandContext, CommandResult, with_options


@with_options("where", "store")
def serve(
    context: CommandContext,
    host: Annotated[str, Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, Option(min=0, max=65535, help="Port to listen on. 0 takes a free port.")
    ] = 8000,
    workers: Annotated[int, Option(min=1, max=64, help="Number of worker processes.")] = 1,
    keys: Annotated[
        Path | None,
        Option(help="File of the API keys. Default: keys.json in the folder of the store."),
    ] = None,
    insecure: Annotated[bool, Option("--insecure", help="Do not require an API key.")] = False,
    log_scores: Annotated[
        Path | None, Option(help="Log every score in this SQLite file, for replay.")
    ] = None,
    log_requests: Annotated[
        bool, Option("--log-requests", help="Also log the requests, with personal fields.")
    ] = False,
    shadow: Annotated[
        bool,
        Option("--shadow", help="Let the challenger score every lead too; answers do not show it."),
    ] = False,
    cors_origin: Annotated[
        list[str] | None,
        Option(
            metavar="ORIGIN",
            help="Allow requests from pages of this origin. Repeat the option for several.",
        ),
    ] = None,
    access_log: Annotated[
        bool, Option("--access-log", help="Log every request, not only failures.")
    ] = False,
    poll: Annotated[
        float, Option(min=0.1, max=3600.0, help="Seconds between two checks of the registry.")
    ] = 1.0,
) -> CommandResult:
    """Serve scores over HTTP.

    The service answers with the champion of the registry and follows a promotion within seconds.
    """
    from leadscore.pipeline.config.folder import name_project
    from leadscore.serve.cli.startup_message import StartupMessage
    from leadscore.serve.service.logs import make_logger
    from leadscore.serve.service.processes.supervisor import Supervisor, bind
    from leadscore.serve.service.settings import Settings

    if log_requests and log_scores is None:
        raise ConfigError("--log-requests needs --log-scores, which names the file")
    if log_scores is not None and not log_scores.resolve().parent.is_dir():
        raise ConfigError(f"--log-scores: {log_scores.resolve().parent}: no such folder")
    keys_path, later = _find_keys(keys, context.store, host, insecure)
    settings = Settings(
        str(context.store.resolve()), name_project(context.folder),
        None if keys_path is None else str(keys_path.resolve()), later,
        None if log_scores is None else str(log_scores.resolve()),
        log_requests, shadow, access_log, tuple(cors_origin or ()),
    )  # fmt: skip
    listening = bind(host, port)
    address = f"{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
    message = StartupMessage(address, settings)
    supervisor = Supervisor(settings, listening, workers, poll, make_logger("supervisor"))
    return CommandResult(exit_code=supervisor.run(message.print_when_known))


def _find_keys(
    keys: Path | None, store: Path, host: str, insecure: bool
) -> tuple[Path | None, bool]:
    """Return the file of keys to require, None for none, and whether it may be created later."""
    if insecure:
        if keys is not None:
            raise ConfigError("--insecure and --keys contradict each other; give one of them")
        return None, False
    path = store / "keys.json" if keys is None else keys
    if keys is not None or path.is_file():
        return path, False
    if not _is_loopback(host):
        raise ConfigError(
            f"--host {host} can be reached from other machines, and there are no API keys in "
            f"{path}; create one with leadscore keys create --name NAME --keys {path}, or give "
            "--insecure"
        )
    return path, True


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
