"""The registered model that MLflow loads: source code and scorecard.json, without unpickling.

MLflow runs this file when it loads a version: by ``mlflow models serve``, ``load_model`` or
``spark_udf``.
"""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from leadscore.models.golden_leads import check_golden_leads
from leadscore.models.score_frame import score_frame
from leadscore.models.scorecard import read_scorecard


class ScorecardModel(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined,unused-ignore]
    """Score a frame of signals with the version's scorecard."""

    def load_context(self, context: Any) -> None:
        """Read and check scorecard.json, one of the version's artifacts."""
        path = Path(context.artifacts["scorecard"])
        self._scorecard = read_scorecard(path.read_text(encoding="utf-8"))
        check_golden_leads(self._scorecard)

    def predict(self, context: Any, model_input: pd.DataFrame) -> pd.DataFrame:  # noqa: ARG002
        """Score n rows.

        Columns in: the signals' ``family__name``; one that is absent counts as missing. Columns
        out: probability, score (100 x probability), band, log_odds. Grain: one row per row in.
        """
        frame = model_input.reindex(columns=list(self._scorecard.columns))
        scores = score_frame(self._scorecard, frame)
        return pd.DataFrame(
            {
                "probability": scores.probability,
                "score": 100.0 * scores.probability,
                "band": scores.band,
                "log_odds": scores.log_odds,
            },
            index=model_input.index,
        )


mlflow.models.set_model(ScorecardModel())
