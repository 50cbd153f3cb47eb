"""The audit of tables: duplicates, outcomes, months, sample size."""
