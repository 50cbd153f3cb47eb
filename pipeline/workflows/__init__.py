"""One workflow per command: they open the store and join the rooms."""
