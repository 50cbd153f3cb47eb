"""The scorecard: the record that training makes and that everything else reads."""

import hashlib
import json
from collections import Counter
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from leadscore.models.axes import Axes, find_members
from leadscore.models.bands import Band, Bands, SheetBands
from leadscore.models.errors import ScorecardError
from leadscore.models.schema_upgrade import upgrade_schema_1
from leadscore.models.shapes import Frozen, Shape, Table, Weight

SCHEMA_VERSION: Literal[2] = 2
_READABLE = (1, SCHEMA_VERSION)
MOST_TERMS = 2_000
Kind = Literal["predictive", "rules", "close_rate"]

LogOdds = Annotated[float, Field(allow_inf_nan=False)]
"""A sum of weights, which may be larger than any one of them."""


class Term(Frozen):
    """What one signal's values are worth.

    `signal` is the column ``family__name``. `by` names a categorical signal (the channel, say):
    where its value is a key of `variants`, that shape is used in place of `shape`. `group` names
    the cap that the term falls under. `mean` is the term's average worth over the training rows,
    from which reasons are counted.
    """

    signal: str
    family: str
    shape: Shape
    by: str | None = None
    variants: dict[str, Shape] = Field(default_factory=dict)
    group: str | None = None
    mean: Weight = 0.0

    @model_validator(mode="after")
    def _check_variants(self) -> Self:
        if self.variants and self.by is None:
            raise ValueError(f"term {self.signal} has variants but no signal to choose them by")
        return self

    def rescaled(self, factor: float) -> Self:
        """Return the term with all its weights multiplied by `factor`."""
        return self.model_copy(
            update={
                "shape": self.shape.rescaled(factor),
                "variants": {k: shape.rescaled(factor) for k, shape in self.variants.items()},
                "mean": factor * self.mean,
            }
        )


class Cap(Frozen):
    """The limits of a group's partial sum, in log-odds."""

    low: Weight
    high: Weight

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low ({self.low}) lies above high ({self.high})")
        return self


def _sort(caps: dict[str, Cap]) -> dict[str, Cap]:
    """Bring caps into the order of their JSON, since the order fixes the last bit of the sum."""
    return dict(sorted(caps.items()))


class Points(Frozen):
    """The scale people add up: ``points = offset + per_log_odds * log_odds``.

    A sheet is written in points, which must come out as they were written. There
    ``points = (log_odds - log_odds_at_zero) / log_odds_per_point``. That is exact where both have
    few binary digits (see ``rule_sheet.round_to_binary``).
    """

    per_log_odds: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
    offset: Weight = 0.0
    log_odds_per_point: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None = None
    log_odds_at_zero: Weight = 0.0

    def total(self, log_odds: Any) -> Any:
        """Return the points of a lead's log-odds; of a float or an array, as given."""
        if self.log_odds_per_point is None:
            return self.offset + self.per_log_odds * log_odds
        return (log_odds - self.log_odds_at_zero) / self.log_odds_per_point

    def part(self, log_odds: Any) -> Any:
        """Return the points of a contribution; of a float or an array, as given."""
        if self.log_odds_per_point is None:
            return self.per_log_odds * log_odds
        return log_odds / self.log_odds_per_point


class GoldenLead(Frozen):
    """A made-up lead and the answer every reader of the scorecard must give for it."""

    signals: dict[str, str | float | None]
    log_odds: LogOdds
    band: Band


class Scorecard(Frozen):
    """A base plus terms, and all that a service needs to answer with it.

    Attributes
    ----------
    base : float
        Log-odds before any term.
    terms : tuple of Term
        Added in this order, which fixes the last bit of the sum.
    caps : dict of str to Cap
        By group name.
    quantiles : tuple of float
        Log-odds at 0, 1, ..., 100 per cent of the leads of the later period; may be empty.
    axes : Axes
        Where the grades of fit and engagement begin.
    definitions : dict
        What the live reader needs to compute the signals; this package does not look inside.
    training : dict
        The fingerprint of the training: data digests, configuration digest, versions.
    sha256 : str
        Over everything but itself, in canonical JSON.
    """

    schema_version: Literal[2] = SCHEMA_VERSION
    project: str
    kind: Kind
    horizon_days: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None
    base: Weight
    terms: Annotated[tuple[Term, ...], Field(strict=False, max_length=MOST_TERMS)]
    caps: Annotated[dict[str, Cap], AfterValidator(_sort)] = Field(default_factory=dict)
    points: Points
    bands: Bands | SheetBands
    quantiles: Annotated[tuple[LogOdds, ...], Field(strict=False)] = ()
    axes: Axes = Axes()
    definitions: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    golden: Annotated[tuple[GoldenLead, ...], Field(strict=False)] = ()
    sha256: str = ""

    @model_validator(mode="after")
    def _check_groups(self) -> Self:
        named = {term.group for term in self.terms if term.group is not None}
        if named != set(self.caps):
            raise ValueError(f"groups of terms {sorted(named)} and caps {sorted(self.caps)} differ")
        counted = Counter(term.signal for term in self.terms)
        twice = sorted(signal for signal, count in counted.items() if count > 1)
        if twice:
            raise ValueError(f"more than one term for {', '.join(twice)}")
        lacking = [n for n in sorted(self.bands.minimums.axes) if getattr(self.axes, n) is None]
        if lacking:
            raise ValueError(
                f"bands have a minimum of {', '.join(lacking)}, of which there are no cut points"
            )
        return self

    @property
    def columns(self) -> dict[str, bool]:
        """Every column that is read, in order, and whether it holds text."""
        read = {term.signal: isinstance(term.shape, Table) for term in self.terms}
        read |= {term.by: True for term in self.terms if term.by is not None}
        return read if self.bands.by is None else {**read, self.bands.by: True}

    @property
    def fingerprint(self) -> str:
        """The first twelve digits of the hash, as shown to people."""
        return self.sha256[:12]

    @property
    def axis_members(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The places of the contributions that make up fit, and of those of engagement."""
        families, groups = (t.family for t in self.terms), (t.group for t in self.terms)
        return find_members(families, groups, self.caps)

    def rescaled(self, factor: float, shift: float) -> "Scorecard":
        """Return the scorecard whose log-odds are ``factor * log_odds + shift``.

        Points, quantiles, axes and bands are left as they are: they belong to whoever recalibrates.

        Raises
        ------
        ScorecardError
            If `factor` is not above 0, which would turn the ranking round, or a weight would become
        larger than a scorecard holds.
        """
        if not factor > 0.0:
            raise ScorecardError(f"a recalibration needs a factor above 0, found {factor}")
        try:
            caps = {k: Cap(low=factor * c.low, high=factor * c.high) for k, c in self.caps.items()}
            scorecard = self.model_copy(
                update={
                    "base": factor * self.base + shift,
                    "terms": tuple(term.rescaled(factor) for term in self.terms),
                    "caps": caps,
                    "golden": (),
                    "sha256": "",
                }
            )
            return Scorecard.model_validate(scorecard.model_dump())
        except ValidationError as error:
            raise ScorecardError(
                f"recalibrated by {factor} and {shift}, a weight is beyond what a scorecard holds"
            ) from error

    def sealed(self) -> "Scorecard":
        """Return the scorecard with its hash filled in."""
        return self.model_copy(update={"sha256": _hash(self._document())})

    def to_json(self) -> str:
        """Return the canonical text: keys sorted, floats in shortest form, one space of indent.

        Raises
        ------
        ScorecardError
            If the scorecard was changed after it was sealed, or never sealed.
        """
        document = self._document()
        if _hash(document) != self.sha256:
            raise ScorecardError("the scorecard is not sealed: call sealed() before writing it")
        return json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False) + "\n"

    def _document(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def read_scorecard(text: str) -> Scorecard:
    """Read a scorecard from its JSON and check version, types, finiteness and hash.

    A scorecard of schema 1 is checked against its own hash, then gets the names of schema 2; it
    keeps its hash, by which registry and logs know it.

    Raises
    ------
    ScorecardError
        If the text is no JSON, is of an unknown schema version, has unknown or missing keys,
        weights that are not finite, or a hash that does not fit its content.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ScorecardError(f"scorecard.json is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ScorecardError("scorecard.json must hold one object")
    version = document.get("schema_version")
    if type(version) is not int or version not in _READABLE:
        raise ScorecardError(
            f"scorecard.json has schema version {version!r}, this program reads 1 and 2"
        )
    if version == 1:
        _check_hash(document)
        text = json.dumps(upgrade_schema_1(document))
    try:
        scorecard = Scorecard.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"] if "[" not in str(part))
        raise ScorecardError(f"scorecard.json: {where}: {first['msg']}") from error
    if version != 1:
        _check_hash(document)
    return scorecard


def _check_hash(document: dict[str, Any]) -> None:
    try:
        fits = _hash(document) == document.get("sha256")
    except RecursionError as error:
        raise ScorecardError("scorecard.json is nested too deep") from error
    if not fits:
        raise ScorecardError("scorecard.json does not match its sha256: it was changed or cut off")


def _hash(document: dict[str, Any]) -> str:
    content = {key: value for key, value in document.items() if key != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
