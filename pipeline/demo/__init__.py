"""A small synthetic table of leads whose truth is known, and a tour that uses it."""
