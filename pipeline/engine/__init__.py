"""The SQL engine; other rooms do not import it directly."""
