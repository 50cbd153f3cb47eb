"""The live reader: the signals of one request, in plain Python."""
