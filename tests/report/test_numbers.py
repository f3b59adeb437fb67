import pytest

from ablation.report.numbers import UNITS, count, duration, fixed, probability, short, signed, spread


@pytest.mark.parametrize(("value", "said"), [(-0.0004, "0.00"), (-1.5, "−1.50"), (94.214, "94.21")])
def test_a_number_has_a_true_minus_and_no_negative_zero(value, said):
    assert fixed(value, 2) == said


def test_a_difference_shows_its_sign_and_unit():
    assert UNITS["accuracy"].difference(-0.0031) == "−0.31\u202fpp"
    assert UNITS["loss"].difference(0.0125) == "+0.013\u202fnats"
    assert UNITS["accuracy"].difference(None) == "–"
    assert UNITS["accuracy"].interval(-0.01, 0.002) == "[−1.00, +0.20]"
    assert UNITS["accuracy"].interval(None, 0.002) == "–"
    assert signed(0.0, 1) == "+0.0"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (8.44, "8.4\u202fs"),
        (200, "3\u202fmin 20\u202fs"),
        (7500, "2\u202fh 05\u202fmin"),
        (None, "–"),
        (3599.7, "1\u202fh 00\u202fmin"),
    ],
)
def test_a_duration_reads_as_people_say_it(seconds, said):
    assert duration(seconds) == said


@pytest.mark.parametrize(("value", "said"), [(0.00123, "0.00123"), (278_000, "278k"), (11_200_000, "11.2M"), (7, "7")])
def test_short_keeps_three_digits(value, said):
    assert short(value) == said


@pytest.mark.parametrize(("p", "said"), [(0.0004, "< 0.001"), (0.0546, "0.055"), (None, "–")])
def test_a_probability_has_three_digits(p, said):
    assert probability(p) == said


def test_one_value_has_no_spread():
    assert spread([0.5]) == (0.5, None)
    assert spread([1, 3]) == (2, pytest.approx(2**0.5))
    assert [count(1, "trial"), count(2, "trial")] == ["1 trial", "2 trials"]
