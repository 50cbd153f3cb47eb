"""The SQL engine behind one door."""
