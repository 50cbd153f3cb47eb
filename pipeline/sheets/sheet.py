"""Read a rule sheet and check it against the project; report all its mistakes at once."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from leadscore.models.axes import ENGAGEMENT, FIT
from leadscore.models.errors import ScorecardError
from leadscore.models.rule_sheet import PointBands, PointCutoffs, to_terms
from leadscore.models.scorecard import Cap, Term
from leadscore.models.shapes import LARGEST_WEIGHT
from leadscore.pipeline.config.checks import check_activities, check_fields, check_sensitive
from leadscore.pipeline.config.folder import find_files, find_rules
from leadscore.pipeline.config.project import Project
from leadscore.pipeline.config.signals import declare_signals, make_catalog
from leadscore.pipeline.config.yaml_io import describe_mistakes, read_yaml
from leadscore.pipeline.errors import ConfigError
from leadscore.pipeline.sheets.config import Criterion, CutoffsConfig, SheetConfig
from leadscore.pipeline.sheets.criteria import to_shape
from leadscore.pipeline.signals.catalog import Signal, UnknownSignalError, find_signal


@dataclass(frozen=True)
class Sheet:
    """A rule sheet, read and checked.

    `project` is the project with the signals that the sheet reads, those of its own included.
    `rules` has what each criterion says, by its name, in the file's order; `terms` what they come
    to, one per signal. All of it is in points.
    """

    path: Path
    config: SheetConfig
    project: Project
    rules: Mapping[str, Term]
    terms: tuple[Term, ...]
    bands: PointBands

    @property
    def caps(self) -> dict[str, Cap]:
        """The limits of each group; one that is not given is as far as weights reach."""
        return {
            name: Cap(
                low=-LARGEST_WEIGHT if cap.low is None else cap.low,
                high=LARGEST_WEIGHT if cap.high is None else cap.high,
            )
            for name, cap in self.config.caps.items()
        }


def find_sheet(project: Project) -> Sheet | None:
    """Return the project's rule sheet, or None if it has no rules.yaml.

    Raises ConfigError as ``read_sheet``.
    """
    return None if find_rules(project.folder) is None else read_sheet(project)


def read_sheet(project: Project, path: Path | None = None) -> Sheet:
    """Read and check a rule sheet.

    `path` is by default rules.yaml in the project's folder. Raises ConfigError with one line per
    mistake: file, key, what was found, what was expected.
    """
    path = path or find_rules(project.folder) or project.folder / "rules.yaml"
    if not path.is_file():
        raise ConfigError(
            f"{path}: no such file; write the team's rule sheet there (see docs/rules.md), or let "
            "leadscore rules learn count one from history"
        )
    try:
        config = SheetConfig.model_validate(read_yaml(path))
    except ValidationError as error:
        lines = describe_mistakes(error, SheetConfig)
        raise ConfigError("\n".join(f"{path}: {line}" for line in lines)) from error
    return check_sheet(project, path, config)


def check_sheet(project: Project, path: Path, config: SheetConfig) -> Sheet:
    """Check a rule sheet's configuration against the project; `path` is for the messages.

    Raises ConfigError as ``read_sheet``.
    """
    return _Reading(project, path, config).finish()


class _Reading:
    """One sheet being read: its mistakes, and the signals it has come to use."""

    def __init__(self, project: Project, path: Path, config: SheetConfig) -> None:
        self._project, self._path, self._config = project, path, config
        self._mistakes: list[str] = []
        declared = declare_signals(f"{path}: signals", config.signals, self._mistakes)
        inline = {
            name: criterion.declaration
            for name, criterion in config.criteria.items()
            if criterion.activity is not None
        }
        self._inline = {
            signal.name: signal
            for signal in declare_signals(f"{path}: criteria", inline, self._mistakes)
        }
        self._own = [*declared, *self._inline.values()]
        self._known = [*project.catalog.signals, *self._own]
        self._used: dict[str, Signal] = {}

    def finish(self) -> Sheet:
        """Check everything and return the sheet, or raise with all mistakes."""
        self._check_own()
        rules = {
            name: rule
            for name, criterion in self._config.criteria.items()
            if (rule := self._read_rule(name, criterion)) is not None
        }
        by = self._find_category(f"{self._path}: by", self._config.by)
        terms: list[Term] = []
        for signal in dict.fromkeys(rule.signal for rule in rules.values()):
            try:
                terms += to_terms(rule for rule in rules.values() if rule.signal == signal)
            except ScorecardError as error:
                self._mistakes.append(f"{self._path}: criteria: {error}")
        self._check_caps()
        self._check_axes(rules)
        if self._mistakes:
            raise ConfigError("\n".join(dict.fromkeys(self._mistakes)))
        catalog = make_catalog(list(self._used.values()), self._project.data)
        project = replace(self._project, catalog=catalog)
        levels = self._config.overrides.items()
        bands = PointBands(
            _to_cutoffs(self._config),
            None if by is None else by.column,
            {level: _to_cutoffs(cutoffs) for level, cutoffs in levels},
            self._config.minimums,
        )
        return Sheet(self._path, self._config, project, rules, tuple(terms), bands)

    def _check_own(self) -> None:
        files = {**find_files(self._project.folder), "signals": self._path}
        names = [signal.name for signal in self._known]
        for name in sorted({s.name for s in self._own if names.count(s.name) > 1}):
            self._mistakes.append(
                f"{self._path}: {name}: a signal of this name is declared already; choose another, "
                "or score that one with `signal`"
            )
        self._mistakes += check_fields(files, self._own, self._project.data)
        self._mistakes += check_activities(files, self._own, self._project.data)
        if not self._project.training.allow_sensitive:
            self._mistakes += check_sensitive(self._path, self._own, self._project.data)

    def _read_rule(self, name: str, criterion: Criterion) -> Term | None:
        where = f"{self._path}: criteria.{name}"
        if criterion.signal is None:
            signal = self._inline.get(name)
        else:
            signal = self._find(f"{where}.signal", criterion.signal)
        by = self._find_category(f"{where}.by", criterion.by)
        if signal is None or (criterion.by is not None and by is None):
            return None
        self._used.setdefault(signal.column, signal)
        try:
            shape = to_shape(criterion, signal)
            variants = {
                level: to_shape(effect, signal) for level, effect in criterion.overrides.items()
            }
        except ValueError as error:
            self._mistakes.append(f"{where}: {error}")
            return None
        family, column = signal.declaration.family, None if by is None else by.column
        return Term(
            signal=signal.column, family=family, shape=shape, by=column, variants=variants,
            group=criterion.group,
        )  # fmt: skip

    def _find(self, where: str, name: str) -> Signal | None:
        try:
            signal = find_signal(name, self._known)
        except UnknownSignalError as error:
            self._mistakes.append(
                f"{where}: no signal {name!r} in signals.yaml or under `signals`; {error.hint}"
            )
            return None
        self._used.setdefault(signal.column, signal)
        return signal

    def _find_category(self, where: str, name: str | None) -> Signal | None:
        signal = None if name is None else self._find(where, name)
        if signal is not None and not signal.is_category:
            self._mistakes.append(
                f"{where}: {name!r} holds numbers; a signal with levels is needed"
            )
        return signal

    def _check_caps(self) -> None:
        groups = {c.group for c in self._config.criteria.values() if c.group is not None}
        for name in sorted(groups - set(self._config.caps)):
            self._mistakes.append(f"{self._path}: caps: the group {name!r} has no cap; give it one")
        for name in sorted(set(self._config.caps) - groups):
            self._mistakes.append(f"{self._path}: caps.{name}: no criterion is of this group")

    def _check_axes(self, rules: Mapping[str, Term]) -> None:
        families = {rule.family for rule in rules.values()}
        for name, axis in (("fit", FIT), ("engagement", ENGAGEMENT)):
            if families & axis:
                continue
            asked = getattr(self._config.axes, name) is not None
            for key, is_asked in (
                ("axes", asked),
                ("minimums", name in self._config.minimums.axes),
            ):
                if is_asked:
                    self._mistakes.append(
                        f"{self._path}: {key}: asks for {name}, but no criterion is of "
                        f"{' or '.join(sorted(axis))}"
                    )


def _to_cutoffs(config: CutoffsConfig) -> PointCutoffs:
    return PointCutoffs(config.mql, config.sql, config.hysteresis)
