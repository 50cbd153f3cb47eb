"""The YAML files of a project: read, checked, and turned into records."""
