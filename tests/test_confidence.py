"""The confidence of a mask: its inputs, and that a segmenter gives it for every object."""

import numpy as np
import pytest
import torch
from tiny_network import tiny_network

from livos import VideoSegmenter, load_weights, save_weights
from livos.masks.confidence_notes import confidence_note, read_confidence
from livos.masks.label_maps import read_labels, write_labels
from livos.segmenter.confidence import FEATURES, PLAIN, ConfidenceModel, new_history, observe


def blob(top: int, left: int, inside: float = 0.99, side: int = 32) -> torch.Tensor:
    """Probabilities (2, 96, 96) of one object: `inside` in a square, and 0.01 elsewhere."""
    p = torch.full((96, 96), 0.01)
    p[top : top + side, left : left + side] = inside
    return torch.stack([1 - p, p])


def cells(top: int, left: int, side: int = 32) -> torch.Tensor:
    return torch.nn.functional.avg_pool2d((blob(top, left, side=side)[1:] > 0.5).float(), 16)


def features(
    probabilities: torch.Tensor, before: torch.Tensor, history: torch.Tensor | None = None
) -> dict[str, float]:
    history = new_history(len(before)) if history is None else history
    return dict(zip(FEATURES, observe(probabilities, before, history)[0][0].tolist(), strict=True))


def test_a_sharp_mask_that_stays_is_trusted_more_than_a_doubtful_one():
    sharp, doubtful = (features(blob(32, 32, inside), cells(32, 32)) for inside in (0.99, 0.6))
    assert sharp["overlap"] > doubtful["overlap"] and sharp["inside"] > doubtful["inside"]
    assert sharp["edge"] < doubtful["edge"]
    assert sharp["kept"] == pytest.approx(1) and sharp["growth"] == pytest.approx(0, abs=1e-5) == sharp["jump"]


def test_a_mask_that_jumps_or_grows_shows_in_the_features():
    jumped = features(blob(64, 64), cells(0, 0))
    assert jumped["kept"] == 0 and jumped["jump"] == pytest.approx(np.hypot(64, 64) / 32, rel=1e-3)
    grown = features(blob(0, 0, side=64), cells(0, 0))
    assert grown["growth"] == pytest.approx(np.log(16.25 / 4.25), rel=1e-3)


def test_an_object_nearby_that_is_nearly_as_likely_shows_as_a_rival():
    p = torch.full((3, 96, 96), 0.01)
    p[1, :32, :32], p[2, :32, :32] = 0.6, 0.39
    p[0] = 1 - p[1] - p[2]
    before = torch.nn.functional.avg_pool2d((p[1:] > 0.5).float(), 16)
    assert observe(p, before, new_history(2))[0][0, FEATURES.index("rival")] == pytest.approx(0.39)


def test_doubts_of_the_past_are_remembered_and_an_empty_mask_is_reported():
    history = new_history(1)
    for inside in (0.55, 0.99, 0.99):
        _, history = observe(blob(32, 32, inside), cells(32, 32), history)
    after = features(blob(32, 32), cells(32, 32), history)
    assert after["least"] < after["recent"] < features(blob(32, 32), cells(32, 32))["recent"]
    assert after["time"] == pytest.approx(np.log(4))
    empty = features(blob(0, 0, 0.3), cells(0, 0))
    assert empty["empty"] == 1 and empty["jump"] == 0 and np.isfinite(list(empty.values())).all()


def test_coefficients_survive_the_metadata_of_a_file_of_weights(tmp_path):
    model = ConfidenceModel(tuple(k / 8 for k in range(len(FEATURES) + 1)))
    network = tiny_network()
    network.notes = {"confidence": model.to_text()}
    save_weights(network, tmp_path / "a.safetensors", short_side=32)
    loaded = load_weights(tiny_network(), tmp_path / "a.safetensors")
    assert VideoSegmenter(loaded, "cpu").confidence_model == model
    assert loaded.notes["short_side"] == "32"
    assert VideoSegmenter(tiny_network(), "cpu").confidence_model is PLAIN


@pytest.mark.parametrize("text", ["no JSON", "[1, 2]", '{"overlap": 1}'])
def test_coefficients_of_something_else_are_refused(text):
    with pytest.raises(ValueError, match="expected coefficients of overlap, inside"):
        ConfidenceModel.from_text(text)


def frames(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 256, (count, 48, 64, 3), dtype=np.uint8))


def labels_of(*ids: int) -> np.ndarray:
    labels = np.zeros((48, 64), np.int32)
    for place, value in enumerate(ids):
        labels[8:24, 4 + 20 * place : 20 + 20 * place] = value
    return labels


def test_a_segmenter_is_sure_of_what_was_given_and_has_a_number_for_the_rest():
    segmenter = VideoSegmenter(tiny_network(), "cpu")
    first, second, third, fourth = frames(4)
    assert segmenter.step(first).confidence == {}
    assert segmenter.step(second, labels_of(7, 3)).confidence == {3: 1.0, 7: 1.0}
    found = segmenter.step(third, labels_of(0, 0, 5)).confidence
    assert [*found] == [3, 7, 5] and found[5] == 1.0
    assert all(0 < found[i] < 1 for i in (3, 7))
    segmenter.remove([3])
    assert [*segmenter.step(fourth).confidence] == [7, 5]


def test_confidence_continues_from_a_saved_state_as_if_uninterrupted(tmp_path):
    one, other = (VideoSegmenter(tiny_network(), "cpu") for _ in range(2))
    *begin, last = frames(4)
    for t, frame in enumerate(begin):
        one.step(frame, labels_of(1, 2) if t == 0 else None)
    one.state().save(tmp_path / "state.pt")
    other.restore(type(one.state()).load(tmp_path / "state.pt"))
    assert one.step(last).confidence == other.step(last).confidence


def test_a_mask_file_keeps_the_confidence_and_others_have_none(tmp_path):
    write_labels(tmp_path / "a.png", labels_of(1, 2), note=confidence_note({1: 0.51234, 2: 1.0}))
    assert read_confidence(tmp_path / "a.png") == {1: 0.512, 2: 1.0}
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png").labels, labels_of(1, 2))
    write_labels(tmp_path / "b.png", labels_of(1), note=confidence_note({}))
    assert read_confidence(tmp_path / "b.png") == {}
