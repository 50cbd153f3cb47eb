"""The history reader: the signals of many snapshots, by one SQL text."""
