"""The history reader: the signals of many snapshots, by one SQL text.

`totals` is not another reader. It computes the aggregates of this one in numpy, from the activities
that the SQL selects, because that is faster than groups in the engine.
"""
