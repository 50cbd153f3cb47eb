"""The live reader: signals of one request, in plain Python."""
