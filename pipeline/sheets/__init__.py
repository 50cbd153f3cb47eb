"""Rule sheets and close-rate sheets: read, learned, audited and registered."""
