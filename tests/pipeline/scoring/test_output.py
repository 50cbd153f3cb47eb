"""The rows of a scored file, from scores already made."""

import pandas as pd
import pyarrow as pa
from support.scorecards import make_scorecard, make_term

from leadscore.models.axes import Axes
from leadscore.models.score_frame import score_frame
from leadscore.models.shapes import Steps
from leadscore.pipeline.scoring.score_file import to_scored_table


def test_fit_and_engagement_are_texts_and_empty_where_nothing_is_said_of_them():
    clicks = Steps(edges=(1.0, 2.0, 3.0), values=(0.0, 1.0, 2.0, 3.0), missing=0.0)
    axes = Axes(engagement=(1.0, 2.0, 3.0))
    scorecard = make_scorecard(make_term(clicks, "email__clicks"), axes=axes)
    scores = score_frame(scorecard, pd.DataFrame({"email__clicks": [0.0, 1.0, 2.0, 3.0]}))
    leads = pa.table({"lead_id": list("abcd")})
    table = to_scored_table(scorecard, "hand:1", leads, scores, None)
    assert table.column_names == [
        "lead_id", "as_of", "probability", "score", "points", "band", "fit", "engagement",
        "model", "fingerprint", "reason_1", "reason_2", "reason_3",
    ]  # fmt: skip
    assert table["fit"].to_pylist() == [""] * 4
    assert table["engagement"].to_pylist() == ["4", "3", "2", "1"]
    assert table["engagement"].type == pa.string()
