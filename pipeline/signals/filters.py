"""The filters of activities, in the form that both readers use."""

from collections.abc import Mapping
from dataclasses import dataclass

from leadscore.pipeline.signals.kinds import ActivityFilter, Condition
from leadscore.pipeline.values.fields import FieldSpec, Normalised, make_normaliser

Group = str | tuple[str, str, Normalised]
"""The activities of a kind; or those of a kind with one value of a property (kind, name, value)."""


@dataclass(frozen=True)
class PropertyTest:
    """One condition on one property, with values normalised as the property's own values.

    Either one of `values`, or from `low` to `high`, both included. A missing value never passes.
    """

    property: str
    values: tuple[str | float, ...] | None = None
    low: float | None = None
    high: float | None = None

    def passes(self, value: Normalised) -> bool:
        """Return whether a normalised value passes."""
        if value is None:
            return False
        if self.values is not None:
            return value in self.values
        if isinstance(value, str):
            return False
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


@dataclass(frozen=True)
class Filter:
    """Activities of one of `kinds` (any, if None) that pass all `tests`."""

    kinds: tuple[str, ...] | None
    tests: tuple[PropertyTest, ...]

    def groups(self) -> tuple[Group, ...] | None:
        """Return the groups whose union the filter is; None if it has to test each activity."""
        if self.kinds is None or len(self.tests) > 1:
            return None
        if not self.tests:
            return self.kinds
        (test,) = self.tests
        if test.values is None:
            return None
        return tuple((kind, test.property, value) for kind in self.kinds for value in test.values)

    def passes(self, kind: str, properties: Mapping[str, Normalised]) -> bool:
        """Return whether an activity passes."""
        if self.kinds is not None and kind not in self.kinds:
            return False
        return all(test.passes(properties.get(test.property)) for test in self.tests)


def read_filter(declared: ActivityFilter, properties: Mapping[str, FieldSpec]) -> Filter:
    """Return the normal form of a declared filter, in which equal filters are equal.

    Raises ValueError if a property is not among `properties`, or a condition does not fit its type.
    """
    kinds = None
    if declared.activity is not None:
        if "" in declared.activity:
            raise ValueError("activity: a kind is blank")
        kinds = tuple(sorted(set(declared.activity)))
    tests = []
    for name, condition in sorted(declared.where.items()):
        if name not in properties:
            known = ", ".join(properties) or "none is declared"
            raise ValueError(f"where.{name}: no such property of activities; known: {known}")
        try:
            tests.append(_read_test(name, condition, properties[name]))
        except ValueError as error:
            raise ValueError(f"where.{name}: {error}") from error
    return Filter(kinds, tuple(tests))


def _read_test(name: str, condition: Condition, spec: FieldSpec) -> PropertyTest:
    if condition.values is None:
        if spec.type != "number":
            raise ValueError(f"min and max need a property of type number, found {spec.type}")
        return PropertyTest(name, low=condition.min, high=condition.max)
    normalise = make_normaliser(spec)
    values = {
        float(value) if isinstance(value, bool) and spec.type == "flag" else normalise(value)
        for value in condition.values
    }
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        raise ValueError("one of the values is blank, but a missing property never passes")
    return PropertyTest(name, values=tuple(sorted(known, key=lambda v: (isinstance(v, str), v))))
