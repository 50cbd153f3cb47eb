"""The history reader: signals of many snapshots, by one SQL text.

`totals` is no third reader: it adds up the aggregates of this one in numpy, from the activities
that the SQL selects, since that is faster than grouping them in the engine.
"""
