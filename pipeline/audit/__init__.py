"""The data audit: what may be learned from these data, and what must not."""
