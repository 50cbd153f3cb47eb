"""The audit of columns: leaks, identifiers, proxies."""
