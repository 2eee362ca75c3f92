"""Recall, decay, failures, intervals."""

import numpy as np
import pytest
from vos_benchmark.summaries import decay, first_failure, interval, recall, resampled_means


def test_recall_is_the_share_strictly_above_a_half():
    assert recall([0.5, 0.51, 1.0, 0.0]) == 0.5


def test_decay_is_first_quarter_minus_last_with_shared_edges():
    # n = 8: edges round(1, 2.75, 4.5, 6.25, 8) - 1 = 0, 2, 4, 5, 7 (4.5 + 1e-10 rounds up)
    values = [1.0, 0.9, 0.8, 0.5, 0.5, 0.4, 0.2, 0.0]
    assert decay(values) == pytest.approx((1.0 + 0.9 + 0.8) / 3 - (0.4 + 0.2 + 0.0) / 3)


@pytest.mark.parametrize("count", [1, 2, 3, 255, 256, 257, 300, 5000])
def test_decay_is_a_number_for_any_length(count):
    falling = decay(np.linspace(1, 0, count))
    assert np.isfinite(falling)
    assert falling > 0 or count == 1


def test_decay_of_long_videos_follows_their_decline():
    assert decay(np.linspace(1, 0, 1001)) == pytest.approx(0.75, abs=1e-3)


def test_failure_is_where_the_object_is_lost_for_good():
    assert first_failure([0.9, 0.05, 0.8, 0.09, 0.0]) == 3
    assert first_failure([0.9, 0.05, 0.1]) is None
    assert first_failure([0.0, 0.0]) == 0


def test_interval_holds_the_mean_and_narrows_with_more_objects():
    rng = np.random.default_rng(3)
    widths = []
    for count in (20, 2000):
        values = rng.normal(0.7, 0.1, (count, 1))
        low, high = interval(resampled_means([values]))[:, 0]
        assert low < values.mean() < high
        widths.append(high - low)
    # about 2 * 1.96 * 0.1 / sqrt(n)
    assert widths == pytest.approx([0.0877, 0.00877], rel=0.3)


def test_interval_averages_groups_and_not_objects():
    means = resampled_means([np.zeros((90, 1)), np.ones((10, 1))])
    assert set(means[:, 0]) == {0.5}


def test_resampling_in_blocks_draws_all_samples():
    many = np.random.default_rng(0).random((700, 2))
    assert resampled_means([many]).shape == (2000, 2)
