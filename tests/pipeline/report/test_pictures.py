"""Pictures of a training and of a score: what they show, and the same bytes for the same input."""

import re

import pytest
import vl_convert
from support.scorecards import make_scorecard, make_term

from leadscore.models.score_lead import Scorer, explain_lead
from leadscore.models.shapes import Curve, Table
from leadscore.pipeline.errors import ConfigError
from leadscore.pipeline.report.pictures import draw_explanation, draw_training
from leadscore.pipeline.report.training_report import make_report


def explained(signals=20):
    """Return the explanation of a lead with `signals` visits and a title that XML has to escape."""
    visits = [
        make_term(Curve(knots=(0.0, 9.0), values=(0.0, 7.3), missing=-3.1), f"web__v{n:02}")
        for n in range(signals)
    ]
    title = Table(levels={"<&\"'>": 30.4, "b": -1.0}, missing=0.0, other=0.0)
    scorecard = make_scorecard(*visits, make_term(title, "form__title"))
    lead = {f"web__v{n:02}": None if n % 3 else float(n + 1) for n in range(signals)}
    return explain_lead(Scorer(scorecard), {**lead, "form__title": "<&\"'>"})


def texts_of(path):
    """Return the texts; the axis writes a minus as U+2212, the bars as a hyphen."""
    found = re.findall(r"<text[^>]*>(.*?)</text>", path.read_text(encoding="utf-8"))
    return [text.strip() for text in found]


@pytest.mark.parametrize("signals", [0, 1, 20])
def test_what_is_written_at_the_bars_adds_up(tmp_path, signals):
    explanation = explained(signals)
    draw_explanation(explanation, "the average lead", tmp_path / "a.svg")
    texts = texts_of(tmp_path / "a.svg")
    steps = [int(text) for text in texts if re.fullmatch(r"[+-]\d+", text)]
    assert round(explanation.average_points) == 0
    assert sum(steps) == round(explanation.points)
    assert len(steps) == min(signals + 1, 13)
    assert any("this lead" in text for text in texts)
    assert any("form__title = &lt;&amp;" in text for text in texts)
    assert ("9 more signals" in texts) == (signals > 12)


def test_the_same_score_is_the_same_picture(tmp_path):
    for name in ("a.svg", "b.svg", "a.png", "b.png"):
        draw_explanation(explained(), "the average lead", tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_another_ending_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"written as \.svg or \.png"):
        draw_explanation(explained(), "the average lead", tmp_path / "a.pdf")
    assert not list(tmp_path.iterdir())


def test_a_training_is_drawn_with_the_charts_of_its_report(registered, tmp_path, monkeypatch):
    report = make_report(registered.project, registered.training)
    paths = draw_training(report, tmp_path)
    assert [path.name for path in paths] == ["gain_and_lift.png", "calibration.png", "terms.png"]
    sizes = set()
    for path in paths:
        picture = path.read_bytes()
        assert picture.startswith(b"\x89PNG")
        sizes.add(tuple(int.from_bytes(picture[at : at + 4]) for at in (16, 20)))
    assert len(sizes) == 3
    assert min(min(size) for size in sizes) > 400

    def to_svg(spec, scale):
        return vl_convert.vegalite_to_svg(spec).encode()

    monkeypatch.setattr(vl_convert, "vegalite_to_png", to_svg)
    gain, calibration, terms = draw_training(report, tmp_path)
    for path in (gain, calibration):
        assert any(text.startswith(report.basis) for text in texts_of(path))
    assert {"Gain", "Lift", "share of wins found"} <= set(texts_of(gain))
    signals = [text for text in texts_of(terms) if text in {f.column for f in report.signals}]
    assert len(signals) == 12
    drawn = gain.read_text() + calibration.read_text() + terms.read_text()
    assert "var(--" not in drawn
    assert {"#1f5fa8", "#b3402a"} <= set(re.findall("#[0-9a-f]{6}", drawn))
