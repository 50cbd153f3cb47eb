"""Read facts from texts: one function per fact, which ingestion and every request share."""
