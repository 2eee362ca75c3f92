"""Frames in, masks out: objects are added, corrected and removed, and nothing depends on when results are read."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_network import tiny_network

from livos import SegmenterState, VideoSegmenter

STATES = Path(__file__).parent / "states"  # written before means took the place of sums over frames
SIZE = (34, 50)  # no multiples of 16


def frames(count: int = 6, size: tuple[int, int] = SIZE) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, *size, 3), dtype=np.uint8)


def mask(*boxes: tuple[int, int], size: tuple[int, int] = SIZE) -> np.ndarray:
    """(id, first column) of objects 10 pixels wide."""
    labels = np.zeros(size, dtype=np.int32)
    for object_id, column in boxes:
        labels[5:25, column : column + 10] = object_id
    return labels


@pytest.fixture
def segmenter(make) -> VideoSegmenter:
    return make()


def test_results_have_the_frame_size_and_the_callers_ids(segmenter):
    images = frames()
    result = segmenter.step(images[0], mask((300, 0), (7, 20)))
    assert result.object_ids == [7, 300]  # ascending when they come together
    result = segmenter.step(images[1])
    assert result.probabilities.shape == (3, *SIZE) and result.labels.shape == SIZE
    assert set(np.unique(result.labels)) <= {0, 7, 300}
    torch.testing.assert_close(result.probabilities.sum(dim=0), torch.ones(SIZE))


def test_without_objects_frames_are_background(segmenter):
    for image in frames(2):
        result = segmenter.step(image)
        assert result.object_ids == [] and (result.labels == 0).all() and (result.probabilities == 1).all()
    result = segmenter.step(frames(1)[0], np.zeros(SIZE, np.uint8))
    assert result.object_ids == []


def test_given_masks_are_the_result_pixel_for_pixel(make):
    segmenter = make(size=16)
    images = frames(4)
    labels = mask((1, 0), (2, 20))
    np.testing.assert_array_equal(segmenter.step(images[0], labels).labels, labels)
    segmenter.step(images[1])
    late = mask((9, 30))
    result = segmenter.step(images[2], late)
    assert result.object_ids == [1, 2, 9] and (result.labels[late == 9] == 9).all()
    correction = mask((2, 5))
    result = segmenter.step(images[3], correction)
    np.testing.assert_array_equal(result.labels == 2, correction == 2)
    torch.testing.assert_close(result.probabilities.sum(dim=0), torch.ones(SIZE))


def test_correction_is_what_is_remembered(segmenter):
    images = frames(3)
    segmenter.step(images[0], mask((1, 0)))
    segmenter.step(images[1], mask((1, 30)))
    remembered = segmenter.state().video.last_masks[0, 0]
    assert remembered[:, 2].sum() > remembered[:, 0].sum() == 0


def test_late_object_is_as_if_its_video_began_with_it(make):
    images = frames(5)
    late = make()
    for image in images[:2]:
        late.step(image)
    fresh = make()
    for segmenter in (late, fresh):
        segmenter.step(images[2], mask((4, 10)))
    for image in images[3:]:
        assert torch.equal(late.step(image).probabilities, fresh.step(image).probabilities)


def test_saved_state_resumes_bit_for_bit(segmenter, tmp_path, make):
    images = frames(6)
    segmenter.step(images[0], mask((1, 0)))
    segmenter.step(images[1], mask((5, 30)))
    segmenter.state().save(tmp_path / "state.pt")
    expected = [segmenter.step(image).probabilities for image in images[2:]]
    other = make()
    other.restore(SegmenterState.load(tmp_path / "state.pt"))
    assert other.object_ids == [1, 5]
    for image, probabilities in zip(images[2:], expected, strict=True):
        assert torch.equal(other.step(image).probabilities, probabilities)


def test_state_files_of_the_first_format_resume(segmenter):
    segmenter.restore(SegmenterState.load(STATES / "first-format.pt"))
    assert segmenter.object_ids == [1, 5, 7] and segmenter.state().video.memory.num_frames.tolist() == [[3, 2, 2]]
    with np.load(STATES / "first-format-next-frame.npz") as recorded:
        expected = torch.from_numpy(recorded["probabilities"]).float()
    torch.testing.assert_close(segmenter.step(frames()[3]).probabilities, expected, rtol=0, atol=1e-3)


def test_kept_state_rewinds(segmenter):
    images = frames(4)
    segmenter.step(images[0], mask((1, 0)))
    kept = segmenter.state()
    first = segmenter.step(images[1]).probabilities
    segmenter.step(images[2], mask((2, 20)))
    segmenter.restore(kept)
    assert torch.equal(segmenter.step(images[1]).probabilities, first)


def test_state_file_of_something_else_is_refused(tmp_path):
    torch.save({"a": 1}, tmp_path / "other.pt")
    with pytest.raises(ValueError, match=r"other\.pt does not contain a segmenter state"):
        SegmenterState.load(tmp_path / "other.pt")


def test_state_of_another_network_size_or_flip_is_refused(segmenter, make):
    segmenter.step(frames(1)[0], mask((1, 0)))
    state = segmenter.state()
    for other, complaint in (
        (VideoSegmenter(tiny_network(seed=1), device="cpu"), "network="),
        (make(size=16), "size=None, but this segmenter has size=16"),
        (make(flip=True), "flip=False, but this segmenter has flip=True"),
    ):
        with pytest.raises(ValueError, match=complaint):
            other.restore(state)
        assert other.object_ids == []


def test_damaged_state_files_are_refused_with_their_name(segmenter, tmp_path):
    segmenter.step(frames(1)[0], mask((1, 0), (2, 20)))
    path = tmp_path / "state.pt"
    segmenter.state().save(path)
    content = torch.load(path, weights_only=True)
    old = torch.load(STATES / "first-format.pt", weights_only=True)
    damaged = [
        {key: value for key, value in content.items() if key != "video"},
        {**content, "ids": [1]},
        {**content, "ids": [1, 2, 3]},
        {**content, "size": 7},
        {**content, "video": {**content["video"], "sensory": content["video"]["sensory"].half()}},
        {**content, "video": {**content["video"], "state": content["video"]["state"][0]}},
        {**content, "video": {**content["video"], "num_frames": torch.ones(1, 3)}},
        {**old, "video": {**old["video"], "groups": [0, 9, 9]}},
        {**old, "video": {**old["video"], "groups": [0, -1, 0]}},
        [1, 2],
    ]
    for entries in damaged:
        torch.save(entries, path)
        with pytest.raises(ValueError, match=r"state\.pt does not contain a segmenter state"):
            SegmenterState.load(path)
    path.write_bytes(b"something else")
    with pytest.raises(ValueError, match=r"state\.pt does not contain a segmenter state"):
        SegmenterState.load(path)


def test_removed_objects_are_gone_and_may_come_back(segmenter):
    images = frames(5)
    segmenter.step(images[0], mask((1, 0), (2, 20), (3, 35)))
    segmenter.step(images[1])
    segmenter.remove([2])
    assert segmenter.step(images[2]).object_ids == [1, 3]
    assert segmenter.step(images[3], mask((2, 20))).object_ids == [1, 3, 2]
    segmenter.remove([1, 2, 3])
    assert (segmenter.step(images[4]).labels == 0).all()
    with pytest.raises(ValueError, match=r"no objects \[8\] to remove"):
        segmenter.remove([8])


def test_a_removal_leaves_what_is_remembered_of_the_others(segmenter):
    images = frames(3)
    segmenter.step(images[0], mask((1, 0), (2, 20), (3, 35)))
    segmenter.step(images[1])
    before = segmenter.state().video
    segmenter.remove([2])
    after = segmenter.state().video
    assert torch.equal(after.memory.state, before.memory.state[:, [0, 2]])
    assert torch.equal(after.sensory, before.sensory[:, [0, 2]])
    assert torch.equal(after.object_memory, before.object_memory[:, [0, 2]])


def test_reset_forgets_all(segmenter):
    images = frames(3)
    segmenter.step(images[0], mask((1, 0)))
    segmenter.reset()
    assert segmenter.object_ids == []
    segmenter.step(frames(1, (20, 30))[0])  # another size is another video


def test_encoding_ahead_changes_nothing(segmenter, make):
    images = frames(4)
    other = make()
    for t, encoded in enumerate(other.encode(list(images))):
        labels = mask((1, 0)) if t == 0 else None
        ahead, straight = other.step(encoded, labels), segmenter.step(images[t], labels)
        torch.testing.assert_close(ahead.probabilities, straight.probabilities, rtol=1e-3, atol=1e-4)


def test_float_tensors_and_arrays_are_the_same_image(segmenter, make):
    images = frames(2)
    other = make()
    for t, image in enumerate(images):
        labels = mask((1, 0)) if t == 0 else None
        tensor = torch.from_numpy(image).permute(2, 0, 1).float() / 255
        assert torch.equal(segmenter.step(image, labels).probabilities, other.step(tensor, labels).probabilities)


def test_mirrored_average_is_symmetric(make):
    images = frames(2)
    probabilities = []
    for mirror in (False, True):
        segmenter = make(flip=True)
        # a multiple of 16, so that the padding is symmetric, too
        views = [np.ascontiguousarray(x[:32, :48][:, :: -1 if mirror else 1]) for x in (*images, mask((1, 3)))]
        segmenter.step(views[0], views[2])
        probabilities.append(segmenter.step(views[1]).probabilities)
    torch.testing.assert_close(probabilities[0], probabilities[1].flip(-1), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_lower_precision_keeps_state_and_probabilities_in_float32(precision):
    segmenter = VideoSegmenter(tiny_network(), device="cpu", precision=precision)
    images = frames(3)
    segmenter.step(images[0], mask((1, 0)))
    probabilities = segmenter.step(images[1]).probabilities
    video = segmenter.state().video
    assert {x.dtype for x in (probabilities, video.sensory, video.memory.state, video.object_memory)} == {torch.float32}
    reference = VideoSegmenter(tiny_network(), device="cpu")
    reference.step(images[0], mask((1, 0)))
    assert (reference.step(images[1]).probabilities - probabilities).abs().max() < 0.1


def test_ids_beyond_a_byte_and_many_objects(segmenter):
    labels = np.zeros(SIZE, np.int64)
    ids = 1000 * np.arange(1, 301)
    labels.ravel()[: len(ids)] = ids
    result = segmenter.step(frames(1)[0], labels)
    assert result.object_ids == ids.tolist()
    np.testing.assert_array_equal(result.labels, labels)


def test_compiled_parts_give_the_same_masks():
    images = frames(3)
    plain, compiled = (VideoSegmenter(tiny_network(), device="cpu", compile=flag) for flag in (False, True))
    for part in compiled.network.modules():
        if part._compiled_call_impl is not None:
            part.compile(backend="aot_eager")  # traced as for inductor, without the minutes and the C++ compiler
    for t, image in enumerate(images):
        labels = mask((1, 0), (2, 20)) if t == 0 else None
        expected = plain.step(image, labels).probabilities
        torch.testing.assert_close(compiled.step(image, labels).probabilities, expected, rtol=1e-3, atol=1e-4)


def test_last_frame_is_not_remembered(segmenter):
    images = frames(2)
    segmenter.step(images[0], mask((1, 0)))
    before = segmenter.state().video.memory.state
    segmenter.step(images[1], last=True)
    assert torch.equal(segmenter.state().video.memory.state, before)


@pytest.mark.parametrize(
    ("image", "labels", "message"),
    [
        (np.zeros((*SIZE, 4), np.uint8), None, r"expected an \(H, W, 3\) uint8 array"),
        (np.zeros((*SIZE, 3), np.float32), None, r"float32: expected an \(H, W, 3\) uint8"),
        (torch.zeros(*SIZE, 3), None, r"expected a \(3, H, W\) float tensor"),
        (np.zeros((*SIZE, 3), np.uint8), np.zeros((3, 3), int), r"labels have shape \(3, 3\)"),
        (np.zeros((*SIZE, 3), np.uint8), np.zeros(SIZE, np.float32), "integer object ids"),
        (np.zeros((*SIZE, 3), np.uint8), np.full(SIZE, -1), "the id -1"),
    ],
)
def test_wrong_input_is_refused_and_leaves_the_state(segmenter, image, labels, message):
    segmenter.step(frames(1)[0], mask((1, 0)))
    before = segmenter.state()
    with pytest.raises(ValueError, match=message):
        segmenter.step(image, labels)
    assert segmenter.state() is before


def test_frames_of_another_size_are_refused(segmenter):
    segmenter.step(frames(1)[0])
    with pytest.raises(ValueError, match="reset"):
        segmenter.step(frames(1, (20, 30))[0])


def test_wrong_settings_are_refused():
    with pytest.raises(ValueError, match="float8"):
        VideoSegmenter(tiny_network(), precision="float8")
    with pytest.raises(ValueError, match="size=0"):
        VideoSegmenter(tiny_network(), size=0)
    with pytest.raises(ValueError, match="device=gpu"):
        VideoSegmenter(tiny_network(), device="gpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_a_step_on_the_gpu_never_waits_for_it():
    segmenter = VideoSegmenter(tiny_network(), device="cuda")
    images = frames(4)
    segmenter.step(images[0], mask((1, 0)))
    tensors = [torch.from_numpy(x).permute(2, 0, 1).cuda().float() / 255 for x in images]
    segmenter.step(tensors[1])
    torch.cuda.set_sync_debug_mode("error")
    try:
        segmenter.step(tensors[2])
    finally:
        torch.cuda.set_sync_debug_mode("default")
