"""Signals: declared once in YAML, read by history (SQL) and live (one lead)."""
