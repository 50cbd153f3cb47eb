"""The message of ``leadscore serve`` once it is known what the service serves."""

import http.client
import json
import time
from typing import Any

from leadscore.serve.cli.terminal import print_line
from leadscore.serve.service.settings import Settings

_WAIT_S = 60.0
_NOT_ASKED = "registry_not_asked"
_ASK_EVERY_S = 0.3
_SURE_S = 3.0
"""Seconds without a model until the message says so: a worker may be a moment behind."""


class StartupMessage:
    """Print once what is served and where.

    Parameters
    ----------
    address : str
        Host and port of the service.
    settings : Settings
    """

    def __init__(self, address: str, settings: Settings) -> None:
        self._address = address
        self._settings = settings
        self._began = time.monotonic()
        self._next_ask = 0.0
        self._without_model_since: float | None = None
        self._printed = False

    def print_when_known(self) -> None:
        """Ask the service what it serves, and print the message if that is certain."""
        now = time.monotonic()
        if self._printed or now < self._next_ask:
            return
        self._next_ask = now + _ASK_EVERY_S
        found = _ask(self._address)
        if found is None:
            return
        if self._without_model_since is None and _NOT_ASKED not in found["degraded"]:
            self._without_model_since = now
        since = self._without_model_since
        is_sure = (since is not None and now - since >= _SURE_S) or now - self._began > _WAIT_S
        if found["model"] is not None or is_sure:
            self._printed = True
            self._print(found)

    def _print(self, found: dict[str, Any]) -> None:
        model, settings = found["model"], self._settings
        url = f"http://{self._address}"
        if model is None:
            print_line(f"{url} answers, but there is no version of {settings.project} to serve "
                "yet. Make a champion with leadscore promote VERSION.")  # fmt: skip
        else:
            print_line(f"{model['name']} version {model['version']} ({model['fingerprint']}) is "
                f"served at {url}; documentation at {url}/docs")  # fmt: skip
        trouble = [code for code in found["degraded"] if code != _NOT_ASKED]
        if trouble:
            print_line(f"Problems: {', '.join(trouble)}; see the log and GET /v1/model.")
        if settings.keys is None:
            print_line("No API key is required.")
        elif settings.keys_from_when_made:
            print_line(f"No API key is required until there is one in {settings.keys}.")
        else:
            print_line(f"An API key from {settings.keys} is required.")


def _ask(address: str) -> dict[str, Any] | None:
    connection = http.client.HTTPConnection(address, timeout=1.0)
    try:
        connection.request("GET", "/readyz")
        found: dict[str, Any] = json.loads(connection.getresponse().read())
        return found if "degraded" in found else None
    except (OSError, ValueError, http.client.HTTPException):
        return None
    finally:
        connection.close()
