"""The words of the measures, for every reader: what each is called and what it says."""

from typing import NamedTuple


class Word(NamedTuple):
    """A measure's name and, in one sentence, what it says; `share` is shown in per cent."""

    name: str
    says: str
    share: bool = False


MEASURE_WORDS: dict[str, Word] = {
    "auc": Word(
        "AUC",
        "How often a lead that won is scored above one that did not; 0.5 is chance, 1 is perfect.",
    ),
    "average_precision": Word(
        "average precision",
        "The share of winners among the best-scored leads, averaged over all winners; "
        "chance is the share that won.",
    ),
    "log_loss": Word("log loss", "How wrong the probabilities are, in nats a snapshot; 0 is best."),
    "brier": Word("Brier", "The mean squared distance of probability and outcome; 0 is best."),
    "ece": Word(
        "calibration error (ECE)",
        "How far the probabilities are from what happened, over ten groups of equal size; 0 is "
        "best, and noise only ever adds to it.",
    ),
    "calibration_slope": Word(
        "calibration slope",
        "1 is right; below 1 the model is too sure of itself, above 1 too timid.",
    ),
    "lift_at_10": Word(
        "lift at 10 %",
        "How many times more often the best-scored tenth won than all leads did.",
    ),
    "base_rate": Word("share that won", "What came.", share=True),
    "mean_prob": Word("mean prediction", "What the model said on average.", share=True),
}

COMPARISON_WORDS: dict[str, Word] = {
    **MEASURE_WORDS,
    "auc_within": Word(
        "AUC within a period",
        "The same among leads of one month (or stretch) only, so that nobody gains by following "
        "how the share of wins moves.",
    ),
    "log_loss_equal": Word(
        "log loss, treated alike",
        "How wrong they are once each score is scaled and shifted to fit the same earlier leads.",
    ),
    "ece_equal": Word(
        "calibration error, treated alike",
        "How far they are from what happened once each score fits the same earlier leads.",
    ),
}
"""What a comparison has besides."""
