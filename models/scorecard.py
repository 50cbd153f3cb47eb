"""The scorecard: the record that training writes and every scorer reads."""

import hashlib
import json
from collections import Counter
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from leadscore.models.axes import ENGAGEMENT, FIT, Axes
from leadscore.models.bands import Band, Bands, SheetBands
from leadscore.models.errors import ScorecardError
from leadscore.models.schema_upgrade import upgrade_schema_1
from leadscore.models.shapes import Frozen, Shape, Table, Weight

SCHEMA_VERSION: Literal[2] = 2
_READABLE = (1, SCHEMA_VERSION)
MOST_TERMS = 2_000
Kind = Literal["predictive", "rules", "close_rate"]

LogOdds = Annotated[float, Field(allow_inf_nan=False)]
"""A sum of weights; it may be larger than any single weight."""


class Term(Frozen):
    """The contribution of one signal, by its value.

    `signal` is the column ``family__name``. `by` names a categorical signal, for example the
    channel. If its value is a key of `variants`, that shape replaces `shape`. `group` names the
    cap that limits the term. `mean` is the term's average contribution over the training rows;
    reasons are differences from it.
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
            raise ValueError(
                f"term {self.signal} has variants, but `by` names no signal to choose one"
            )
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
    """The lowest and highest partial sum of a group, in log-odds."""

    low: Weight
    high: Weight

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.low > self.high:
            raise ValueError(f"low ({self.low}) must not be above high ({self.high})")
        return self


def _sort(caps: dict[str, Cap]) -> dict[str, Cap]:
    """Sort caps as their JSON does, since the order fixes the last bit of the sum."""
    return dict(sorted(caps.items()))


class Points(Frozen):
    """The scale of points, ``points = offset + per_log_odds * log_odds``, for people to add up.

    A rule sheet is written in points, and these points must not change by rounding. So a sheet has
    ``points = (log_odds - log_odds_at_zero) / log_odds_per_point`` instead. That is exact if both
    constants have few binary digits (see ``rule_sheet.round_to_binary``).
    """

    per_log_odds: Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
    offset: Weight = 0.0
    log_odds_per_point: Annotated[float, Field(gt=0.0, allow_inf_nan=False)] | None = None
    log_odds_at_zero: Weight = 0.0

    def total(self, log_odds: Any) -> Any:
        """Return the points of log-odds, which are a float or an array."""
        if self.log_odds_per_point is None:
            return self.offset + self.per_log_odds * log_odds
        return (log_odds - self.log_odds_at_zero) / self.log_odds_per_point

    def part(self, log_odds: Any) -> Any:
        """Return the points of a contribution, which is a float or an array."""
        if self.log_odds_per_point is None:
            return self.per_log_odds * log_odds
        return log_odds / self.log_odds_per_point


class GoldenLead(Frozen):
    """A made-up lead and the score that every scorer must give it."""

    signals: dict[str, str | float | None]
    log_odds: LogOdds
    band: Band


class Scorecard(Frozen):
    """A base, terms, and everything else that a service needs to score with them.

    The terms are added to `base`, both in log-odds, in their order, which fixes the last bit of the
    sum. `caps` are by group. `quantiles` are the log-odds at 0, 1, ..., 100 per cent of the leads
    of the later period, or empty. `definitions` are those of the signals, for the live reader; this
    package does not read them. `training` identifies the training by digests and versions. `sha256`
    is the hash of everything else, in canonical JSON.
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
        groups = {term.group for term in self.terms if term.group is not None}
        if groups != set(self.caps):
            raise ValueError(
                f"groups of terms {sorted(groups)} and caps {sorted(self.caps)} differ"
            )
        counts = Counter(term.signal for term in self.terms)
        repeated = sorted(signal for signal, count in counts.items() if count > 1)
        if repeated:
            raise ValueError(f"more than one term for {', '.join(repeated)}")
        absent = [n for n in sorted(self.bands.minimums.axes) if getattr(self.axes, n) is None]
        if absent:
            raise ValueError(
                f"bands have a minimum of {', '.join(absent)}, but axes have no cut points of it"
            )
        return self

    @property
    def columns(self) -> dict[str, bool]:
        """All columns that scoring reads, in order, and whether each holds text."""
        columns = {term.signal: isinstance(term.shape, Table) for term in self.terms}
        columns |= {term.by: True for term in self.terms if term.by is not None}
        return columns if self.bands.by is None else {**columns, self.bands.by: True}

    @property
    def fingerprint(self) -> str:
        """The first twelve digits of the hash, as shown to people."""
        return self.sha256[:12]

    @property
    def axis_members(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The indices of the contributions to fit, and of those to engagement.

        A cap belongs to an axis if all terms of its group do.
        """

        def find(axis: frozenset[str]) -> tuple[int, ...]:
            others = {term.group for term in self.terms if term.family not in axis}
            terms = [index for index, term in enumerate(self.terms) if term.family in axis]
            caps = enumerate(self.caps, start=len(self.terms))
            return (*terms, *(index for index, name in caps if name not in others))

        return find(FIT), find(ENGAGEMENT)

    def rescaled(self, factor: float, shift: float) -> "Scorecard":
        """Return the scorecard whose log-odds are ``factor * log_odds + shift``.

        Points, quantiles, axes and bands stay as they are: the caller adapts them.

        Raises ScorecardError if `factor` is not above 0, which would reverse the ranking, or if a
        weight becomes larger than a scorecard can hold.
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
                f"with the factor {factor} and the shift {shift}, a weight is larger than a "
                "scorecard can hold"
            ) from error

    def sealed(self) -> "Scorecard":
        """Return the scorecard with its hash filled in."""
        return self.model_copy(update={"sha256": _hash(self._document())})

    def to_json(self) -> str:
        """Return the canonical text: sorted keys, floats in shortest form, one space of indent.

        Raises ScorecardError if the scorecard was never sealed, or was changed afterwards.
        """
        document = self._document()
        if _hash(document) != self.sha256:
            raise ScorecardError("the scorecard is not sealed: call sealed() before writing it")
        return json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False) + "\n"

    def _document(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def read_scorecard(text: str) -> Scorecard:
    """Read a scorecard from its JSON and check its version, types, numbers and hash.

    A scorecard of schema 1 is checked against its own hash, then gets the names of schema 2. It
    keeps its hash, because registry and logs identify it by that.

    Raises ScorecardError if the text is not JSON, has an unknown schema version, has unknown or
    missing keys, has weights that are not finite, or does not match its hash.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ScorecardError(f"scorecard.json is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ScorecardError(
            f"scorecard.json must hold one object, found {type(document).__name__}"
        )
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
        matches = _hash(document) == document.get("sha256")
    except RecursionError as error:
        raise ScorecardError("scorecard.json is nested too deeply") from error
    if not matches:
        raise ScorecardError("scorecard.json does not match its sha256: it was changed or cut off")


def _hash(document: dict[str, Any]) -> str:
    content = {key: value for key, value in document.items() if key != "sha256"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
