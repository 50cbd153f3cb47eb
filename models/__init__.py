"""What a score is: a base plus one term per signal, in log-odds."""
