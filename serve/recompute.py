"""Make a logged answer again: from its signals, and those from the request where that was kept."""

import msgspec

from models.percentile import find_percentile
from models.scorecard import Scorecard
from models.scoring import AxesReader, Scorer
from serve.score_store import ScoreEntry, write_signals
from serve.service.requests import decode_lead
from serve.service.scoring import score_lead
from serve.service.served import ServedModel, VersionNote

_decoder = msgspec.json.Decoder(dict[str, object])


class Recomputer:
    """Makes answers again by one scorecard.

    Parameters
    ----------
    scorecard : Scorecard
    """

    def __init__(self, scorecard: Scorecard) -> None:
        self._scorecard = scorecard
        self._scorer = Scorer(scorecard)
        self._rate = AxesReader(scorecard).read
        self._served: ServedModel | None = None

    def make_again(self, row: ScoreEntry) -> dict[str, object]:
        """Return the fields of an answer, made again.

        Parameters
        ----------
        row : ScoreEntry

        Returns
        -------
        dict of str to object
            By the names of ``ScoreEntry``. Where the request was kept, ``signals`` are among them.

        Raises
        ------
        Problem
            If the request is none that the scorecard's signals can be read from.
        """
        score = self._scorer.score(_decoder.decode(row.signals), row.previous_band)  # type: ignore[arg-type]
        fit, engagement = self._rate(score.contributions)
        fields: dict[str, object] = {
            "log_odds": score.log_odds,
            "probability": score.probability,
            "band": score.band,
            "percentile": find_percentile(self._scorecard.quantiles, score.log_odds),
            "fit": fit,
            "engagement": engagement,
        }
        if row.request is not None:
            fields["signals"] = self._read_signals(row.request, row.as_of_us)
        return fields

    def _read_signals(self, request: bytes, as_of_us: int) -> str:
        if self._served is None:
            self._served = ServedModel(self._scorecard, "", VersionNote("", 0))
        scored = score_lead(self._served, decode_lead(request), as_of_us, strict=False)
        return write_signals(scored.signals)
