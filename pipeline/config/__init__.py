"""The configuration of a project: its YAML files, and the records that they become."""
