"""``leadscore keys``: create, list and revoke API keys."""

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Argument, Option

from leadscore.serve.cli.context import KEYS, CommandResult, with_options
from leadscore.serve.cli.terminal import print_line, print_paragraph, print_table, write_command

if TYPE_CHECKING:
    from leadscore.serve.service.auth.keys import NewKey

KeysOption = Annotated[
    Path, Option("--keys", help="File of the API keys; serve reads it by default.")
]


@with_options("as_json")
def create_key(
    name: Annotated[str, Option(help="Name of the key's owner.")],
    scope: Annotated[
        list[str] | None,
        Option(
            metavar="SCOPE",
            help="Scope of the key: score (the default) or metrics. Repeat the option for both.",
        ),
    ] = None,
    days: Annotated[
        int | None, Option(min=1, max=36500, help="Days until the key expires. Default: never.")
    ] = None,
    keys: KeysOption = KEYS,
) -> CommandResult:
    """Create an API key and show it once.

    The file keeps only the digest of the key, so nobody can show it again.
    """
    from leadscore.serve.service.auth.keys import create_key

    made = create_key(keys, name, scope or ["score"], _now_us(), days)
    return CommandResult(partial(_show_key, made, keys), {"key": made.key, **made.record.to_json()})


def _show_key(made: "NewKey", keys: Path) -> None:
    record = made.record
    file = [] if keys == KEYS else ["--keys", str(keys)]
    print_line(made.key)
    print_paragraph(
        "Copy it now: it is not stored and cannot be shown again. Send it with each request:"
    )
    print_line("  Authorization: Bearer " + made.key)
    print_line(f"id {record.id}, scopes {', '.join(record.scopes)}, "
        f"expires {record.expires_at or 'never'}. Revoke it with: "
        + write_command("keys", "revoke", record.id, *file))  # fmt: skip


@with_options("as_json")
def list_keys(keys: KeysOption = KEYS) -> CommandResult:
    """List the API keys with their names, scopes and dates."""
    from leadscore.serve.service.auth.keys import read_keys

    now_us = _now_us()
    found = read_keys(keys)
    document = [{**key.to_json(), "state": key.state(now_us)} for key in found]
    rows = [
        (key.id, key.name, ", ".join(key.scopes), key.state(now_us), key.created_at[:10],
         (key.expires_at or "never")[:10])
        for key in found
    ]  # fmt: skip
    columns = [(name, "") for name in ("id", "name", "scopes", "state", "created", "expires")]
    return CommandResult(partial(print_table, columns, rows, apart=False), document)


@with_options("as_json")
def revoke_key(
    key_id: Annotated[str, Argument(metavar="ID", help="Id of the key, as keys list shows it.")],
    keys: KeysOption = KEYS,
) -> CommandResult:
    """Revoke an API key.

    A running service refuses the key within about a second.
    """
    from leadscore.serve.service.auth.keys import revoke_key

    record = revoke_key(keys, key_id, _now_us())
    text = f"{record.id} ({record.name}) is revoked since {record.revoked_at}."
    return CommandResult(partial(print_line, text), record.to_json())


def _now_us() -> int:
    return time.time_ns() // 1000
