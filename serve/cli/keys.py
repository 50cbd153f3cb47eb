"""The commands that look after API keys: keys create, list, revoke."""

import time
from pathlib import Path
from typing import Annotated

import typer

from leadscore.serve.cli.options import HOME, JsonOption, TracebackOption
from leadscore.serve.cli.terminal import handle_errors, print_json, print_line, print_table

KeysHomeOption = Annotated[Path, typer.Option("--home", help="Holds keys.json.")]

app = typer.Typer(
    help="API keys of the scoring service: create, list, revoke.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def create(
    name: Annotated[str, typer.Option("--name", help="Whose key it is.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="score (the default) or metrics; repeat it for both."),
    ] = None,
    days: Annotated[
        int | None,
        typer.Option("--days", min=1, max=36500, help="Until it expires; without it, never."),
    ] = None,
    home: KeysHomeOption = HOME,
    as_json: JsonOption = False,
    traceback: TracebackOption = False,
) -> None:
    """Make a key and show it, this once: only its digest is kept."""
    with handle_errors(traceback):
        from leadscore.serve.service.auth.key_file import create_key
        from leadscore.serve.service.auth.keys import FILE

        made = create_key(home / FILE, name, scope or ["score"], _now_us(), days)
    if as_json:
        print_json({"key": made.key, **made.record.to_json()})
        return
    expires = made.record.expires_at or "never"
    print_line(made.key)
    print_line()
    print_line(
        "Keep it now: it is not stored and cannot be shown again. Send it with every request:"
    )
    print_line("  Authorization: Bearer " + made.key)
    print_line(f"id {made.record.id}, scopes {', '.join(made.record.scopes)}, expires {expires}; "
        f"leadscore keys revoke {made.record.id} ends it.")  # fmt: skip


@app.command("list")
def list_keys(
    home: KeysHomeOption = HOME,
    as_json: JsonOption = False,
    traceback: TracebackOption = False,
) -> None:
    """List the keys: names, scopes and dates; the keys themselves nobody has."""
    with handle_errors(traceback):
        from leadscore.serve.service.auth.keys import FILE, read_keys

        now_us = _now_us()
        keys = read_keys(home / FILE)
    if as_json:
        print_json([{**key.to_json(), "state": key.state(now_us)} for key in keys])
        return
    rows = [
        (key.id, key.name, ", ".join(key.scopes), key.state(now_us), key.created_at[:10],
         (key.expires_at or "never")[:10])
        for key in keys
    ]  # fmt: skip
    print_table(("id", "name", "scopes", "state", "created", "expires"), rows, "llllll")


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="As keys list names it.")],
    home: KeysHomeOption = HOME,
    as_json: JsonOption = False,
    traceback: TracebackOption = False,
) -> None:
    """End a key: a running service refuses it within a second or so."""
    with handle_errors(traceback):
        from leadscore.serve.service.auth.key_file import revoke_key
        from leadscore.serve.service.auth.keys import FILE

        record = revoke_key(home / FILE, key_id, _now_us())
    if as_json:
        print_json(record.to_json())
    else:
        print_line(f"{record.id} ({record.name}) is revoked since {record.revoked_at}.")


def _now_us() -> int:
    return time.time_ns() // 1000
