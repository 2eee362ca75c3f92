"""Pasted objects move as the settings say, and start where they are."""

import numpy as np
import pytest

from livos.config.schema import FlightConfig
from livos.training.data.clips import Clip
from livos.training.data.flight import Flight, crossing_flight, flown, middle_of, random_flight


def flights(**settings) -> list[Flight]:
    return [random_flight(8, 100, FlightConfig(**settings), np.random.default_rng(seed)) for seed in range(40)]


def clip_with_square() -> Clip:
    """Four frames of 60 x 60 pixels with a white square of 10 x 10 around (25, 35)."""
    labels = np.zeros((4, 60, 60), dtype=np.uint8)
    labels[:, 30:40, 20:30] = 1
    return Clip(np.repeat(255 * labels[..., None], 3, axis=-1), labels, 1, "square")


def test_a_flight_begins_where_the_object_is():
    for flight in flights():
        assert not flight.shifts[0].any() and flight.turns[0] == 0 and flight.zooms[0] == 1


def test_no_object_flies_faster_turns_or_grows_more_than_the_settings_allow():
    for flight in flights(speed=[0.1, 0.2], spin=30.0, growth=1.15, return_probability=0.0):
        assert np.linalg.norm(np.diff(flight.shifts, axis=0), axis=1).max() <= 20 + 1e-9
        assert np.abs(np.diff(flight.turns)).max() <= 30
        assert np.abs(np.diff(np.log(flight.zooms))).max() <= np.log(1.15) + 1e-9
        assert np.abs(flight.shifts).max() <= 50 + 1e-9


def test_a_returning_object_leaves_the_frame_and_comes_back():
    for flight in flights(return_probability=1.0):
        assert np.linalg.norm(flight.shifts, axis=1).max() > 80
        assert np.linalg.norm(flight.shifts[-1]) < 1e-6


def test_a_crossing_object_is_on_its_mark_at_the_meeting():
    way = np.array([12.0, -7.0])
    flight = crossing_flight(8, 100, 3, way, FlightConfig(speed=[0.1, 0.2]), np.random.default_rng(0))
    np.testing.assert_allclose(flight.shifts[3], way)
    assert 10 <= np.linalg.norm(flight.shifts[4] - flight.shifts[3]) <= 20


def test_objects_are_shifted_and_zoomed_about_their_middle():
    shifts = np.array([[0, 0], [10, 0], [0, -20], [100, 100]])
    result = flown(clip_with_square(), Flight(shifts, np.array([0, 90, 0, 0]), np.array([1, 1, 2, 1])))
    middles = [middle_of(labels) for labels in result.labels[:3]]
    np.testing.assert_allclose(middles, [[24.5, 34.5], [34.5, 34.5], [24.5, 14.5]], atol=0.6)
    assert [np.count_nonzero(labels) for labels in result.labels] == pytest.approx([100, 100, 400, 0], abs=45)
    assert (result.images[result.labels > 0] > 100).all()


def test_the_smear_of_a_frame_is_a_part_of_its_motion():
    flight = Flight(np.array([[0, 0], [10, 0], [20, 0], [30, 0]]), np.zeros(4), np.ones(4))
    np.testing.assert_allclose(flight.smears(0.5), [[5, 0]] * 4)
