"""What text tells: one function per fact, used at ingestion and per request alike."""
