"""The history reader: signals of many snapshots, by one SQL text."""
