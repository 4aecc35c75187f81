# SPDX-License-Identifier: Apache-2.0
"""The bench computes what it says: medians of pairs, spreads, and a second look when the baseline is restless."""

from bench.figures import Figure, Result, quantile, shown
from bench.pairs import alternate


def scripted(seconds, calls, name):
    """A side that takes the given seconds, one after the other, and notes in which order it was called."""
    left = iter(seconds)

    def side(number):
        calls.append((name, number))
        return next(left)

    return side


def test_a_ratio_is_the_median_of_pairs():
    """Each pair is divided by itself: a slow moment that hits both of a pair changes no ratio."""
    calls = []
    ours = scripted([2.0, 3.0, 8.0, 2.0, 2.6], calls, "ours")
    baseline = scripted([1.0, 1.2, 1.4, 1.0, 1.3], calls, "baseline")

    figure = alternate(baseline, ours).figure(at_most=2.0)

    assert 2.0 == figure.value
    assert (2.0, 8.0 / 1.4) == (figure.lowest, figure.highest)
    assert figure.met


def test_each_second_pair_is_in_the_other_order():
    """Neither side always comes after the other."""
    calls = []

    alternate(scripted([1.0] * 3, calls, "baseline"), scripted([1.0] * 3, calls, "ours"), pairs=3)

    assert [
        ("baseline", 0),
        ("ours", 0),
        ("ours", 1),
        ("baseline", 1),
        ("baseline", 2),
        ("ours", 2),
    ] == calls


def test_a_restless_baseline_is_measured_again():
    """A run whose baseline varies by over 1.5 gives way to a calm one."""
    calls = []
    baseline = scripted([1.0, 1.6, 1.0, 1.1], calls, "baseline")
    ours = scripted([9.0, 9.0, 2.0, 2.2], calls, "ours")

    pairs = alternate(baseline, ours, pairs=2)

    assert (2, (1.0, 1.1)) == (pairs.runs, pairs.baseline.samples)
    assert 2.0 == pairs.figure(at_most=2).value


def test_measuring_again_ends():
    """On a machine that never calms down the calmest run counts, and the figure says what it is worth."""
    calls = []
    baseline = scripted([1.0, 4.0, 1.0, 2.0, 1.0, 3.0], calls, "baseline")
    ours = scripted([1.0] * 6, calls, "ours")

    pairs = alternate(baseline, ours, pairs=2)

    assert (3, (1.0, 2.0)) == (pairs.runs, pairs.baseline.samples)
    assert "not a quiet machine" in pairs.figure(at_most=1).note


def test_one_figure_that_falls_short_makes_its_row_missed():
    """A row is met only if every figure of it is; one without a bound cannot fall short."""
    good, bad = Figure("a", 1.0, "s", at_most=2), Figure("b", 100.0, "MB/s", at_least=200)
    stated = Figure("c", 7.0, "s")

    statuses = [
        Result("r", "w", "", figures, 0.0, "", 0.0).status for figures in ([good, stated], [good, bad], [stated])
    ]

    assert ["met", "MISSED", "stated"] == statuses


def test_a_quantile_is_a_sample():
    """It is the sample that so many do not exceed, whatever their order."""
    assert (3.0, 5.0) == (quantile([5.0, 1.0, 3.0, 2.0, 4.0], 0.5), quantile([5.0, 1.0, 3.0, 2.0, 4.0], 0.99))


def test_numbers_are_shown_with_their_unit():
    """Bytes in the unit that fits; other numbers with three digits or so."""
    assert ["187 KiB", "61.4 bytes", "1.32 times", "47.1 ms", "1,234 ms", "2.00 s"] == [
        shown(187 * 1024, "bytes"),
        shown(61.4, "bytes"),
        shown(1.32, "times"),
        shown(47.12, "ms"),
        shown(1234.4, "ms"),
        shown(2, "s"),
    ]
