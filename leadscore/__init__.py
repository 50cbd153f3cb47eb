"""Predictive lead scoring: learn from closed-won history, score with reasons."""
