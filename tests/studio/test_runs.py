import numpy as np
import pytest

from livos.studio.runs import from_runs, to_runs


def test_runs_come_back_as_the_same_labels():
    labels = np.random.default_rng(0).integers(0, 3, (7, 11)).astype(np.uint8)
    assert np.array_equal(from_runs(to_runs(labels), (7, 11)), labels)


def test_runs_are_pairs_of_id_and_length():
    labels = np.array([[0, 0, 5], [5, 0, 0]], np.uint8)
    assert np.frombuffer(to_runs(labels), "<u4").tolist() == [0, 2, 5, 2, 0, 2]


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([[0, 3]], "expected 4"),
        ([[0, 4], [1, 0]], "no pixels"),
        ([[256, 4]], "256"),
        ([[0, 2**32 - 1], [0, 2**32 - 1]], "expected 4"),
        ([], "bytes of runs"),
    ],
)
def test_runs_that_do_not_fill_the_frame_are_refused(pairs, said):
    with pytest.raises(ValueError, match=said):
        from_runs(np.array(pairs, "<u4").tobytes(), (2, 2))


def test_half_a_pair_is_refused():
    with pytest.raises(ValueError, match="pairs"):
        from_runs(b"\0" * 12, (2, 2))
