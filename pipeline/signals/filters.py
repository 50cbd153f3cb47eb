"""Which activities a signal means: the filter of signals.yaml in the form both readers work on."""

from collections.abc import Mapping
from dataclasses import dataclass

from leadscore.pipeline.signals.kinds import ActivityFilter, Condition
from leadscore.pipeline.values.fields import FieldSpec, Normalised, make_normaliser

Group = str | tuple[str, str, Normalised]
"""Activities of a kind; or those of a kind, by name and value of a property."""


@dataclass(frozen=True)
class PropertyTest:
    """One condition on one property, its values normalised as the property's own are.

    Either one of `values`, or from `low` to `high`, both included. A missing value never passes.
    """

    property: str
    values: tuple[str | float, ...] | None = None
    low: float | None = None
    high: float | None = None

    def passes(self, value: Normalised) -> bool:
        """Say whether a normalised value passes."""
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
        """Return the groups that it is the union of; None if it has to look at each activity."""
        if self.kinds is None or len(self.tests) > 1:
            return None
        if not self.tests:
            return self.kinds
        (test,) = self.tests
        if test.values is None:
            return None
        return tuple((kind, test.property, value) for kind in self.kinds for value in test.values)

    def passes(self, kind: str, properties: Mapping[str, Normalised]) -> bool:
        """Say whether an activity passes."""
        if self.kinds is not None and kind not in self.kinds:
            return False
        return all(test.passes(properties.get(test.property)) for test in self.tests)


def read_filter(declared: ActivityFilter, properties: Mapping[str, FieldSpec]) -> Filter:
    """Bring a declared filter into its normal form, so that equal filters are equal.

    Raises
    ------
    ValueError
        If a property is not among `properties`, or a condition does not fit its type.
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
    as_they_are = (bool,) if spec.type == "flag" else ()
    values = {
        float(value) if isinstance(value, as_they_are) else normalise(value)
        for value in condition.values
    }
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        raise ValueError("one of the values is blank, and a missing property never passes")
    return PropertyTest(name, values=tuple(sorted(known, key=lambda v: (isinstance(v, str), v))))
