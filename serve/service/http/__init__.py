"""HTTP: the ASGI app, bodies, and limits of the protocol."""
