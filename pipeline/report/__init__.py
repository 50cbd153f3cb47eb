"""The report of one training: one HTML file that opens anywhere, offline."""
