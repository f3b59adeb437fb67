import itertools

import numpy as np
import pytest

from ablation.report import palette

# Viénot, Brettel & Mollon 1999: what a dichromat sees of linear RGB.
PROTAN = np.array([[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]])
DEUTAN = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    """As WCAG 2 defines it."""
    light, dark = sorted((float(XYZ[1] @ linear(colour)) for colour in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    ratios = XYZ @ rgb / (XYZ @ np.ones(3))
    x, y, z = np.where(ratios > 0.008856, np.cbrt(np.clip(ratios, 0, None)), 7.787 * ratios + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


SCHEMES = [pytest.param(lambda colour: colour, id="light"), pytest.param(palette.DARK.__getitem__, id="dark")]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["ink", "muted", "blue", "orange", "teal", "ochre"])
@pytest.mark.parametrize("ground", ["paper", "shade"])
def test_text_stands_out_from_its_ground(scheme, name, ground):
    assert contrast(scheme(palette.NAMES[name]), scheme(palette.NAMES[ground])) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_marks_stand_out_from_paper(scheme):
    styles = palette.arm_styles([f"arm {at}" for at in range(7)], "arm 0").values()
    colours = {style.colour for style in styles} | {mark.colour for mark in palette.MARKS.values()}
    assert min(contrast(scheme(colour), scheme(palette.PAPER)) for colour in colours) >= 3


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("eye", [np.eye(3), PROTAN, DEUTAN], ids=["common", "protanope", "deuteranope"])
def test_helps_and_hurts_differ_for_every_eye(scheme, eye):
    helps, hurts = (lab(np.clip(eye @ linear(scheme(palette.MARKS[word].colour)), 0, 1)) for word in ("helps", "hurts"))
    assert np.linalg.norm(helps - hurts) > 40


def test_no_two_verdicts_or_arms_differ_by_colour_alone():
    assert len({mark.sign for mark in palette.MARKS.values()}) == len(palette.MARKS)
    assert len({mark.symbol for mark in palette.MARKS.values()}) == len(palette.MARKS)
    styles = list(palette.arm_styles([str(at) for at in range(40)], "0").items())
    for (one, first), (other, second) in itertools.combinations(styles, 2):
        assert first != second, (one, other)


def test_every_light_colour_has_a_partner_of_its_own():
    assert len(set(palette.dark_colours())) == 2 * len(palette.DARK)
    assert palette.wash(palette.BLUE) == "rgba(29,100,173,0.14)"
