"""API keys, and who may ask what."""
