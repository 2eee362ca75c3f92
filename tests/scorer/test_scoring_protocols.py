"""Which objects and frames count under each protocol, and what void means."""

import json

import numpy as np
import pytest
from mask_folders import MaskFolders, square
from vos_benchmark import Groups, Scorer, ScoringError, read_groups, score


def fed(scorer: Scorer, truth: list[np.ndarray], prediction: list[np.ndarray], video: str = "video") -> Scorer:
    for frame, (true, predicted) in enumerate(zip(truth, prediction, strict=True)):
        scorer.add(video, frame, true, predicted)
    return scorer


def both(*labels: np.ndarray) -> np.ndarray:
    return np.maximum.reduce(labels)


ONE, TWO, EMPTY = square(5, 5), square(25, 40, id=2), square(0, 0, size=0)


def test_object_counts_from_the_frame_that_first_shows_it():
    late = [ONE, ONE, ONE, both(ONE, TWO), both(ONE, TWO), ONE, ONE]
    one, two = fed(Scorer(), late, late).result().videos[0].objects
    assert one.frames == ("1", "2", "3", "4", "5")
    assert two.frames == ("3", "4", "5")


def test_object_predicted_too_early_counts_from_there():
    truth = [ONE, ONE, ONE, both(ONE, TWO), both(ONE, TWO), ONE]
    prediction = [ONE, ONE, both(ONE, TWO), both(ONE, TWO), both(ONE, TWO), ONE]
    two = fed(Scorer(), truth, prediction).result().videos[0].objects[1]
    assert (two.frames, two.J_per_frame) == (("2", "3", "4"), (0, 1, 1))


def test_object_only_predicted_is_not_scored_but_mentioned():
    result = fed(Scorer(), [ONE] * 5, [both(ONE, TWO)] * 5).result()
    assert [item.id for item in result.objects] == [1]
    assert result.notes == ("video: predicted ids that the truth never has: 2",)


def test_object_hidden_from_both_agrees():
    result = fed(Scorer(), [ONE, ONE, EMPTY, ONE, ONE], [ONE, ONE, EMPTY, ONE, ONE]).result()
    assert result.objects[0].J_per_frame == (1, 1, 1)


def test_davis2017_counts_all_ids_up_to_the_highest_of_the_first_frame():
    first = both(ONE, square(25, 40, id=3))
    result = fed(Scorer("davis2017"), [first] * 5, [first] * 5).result()
    assert [item.id for item in result.objects] == [1, 2, 3]
    assert result.notes == ("video: ids 2 are unused, which davis2017 scores as objects",)


def test_davis2017_leaves_out_late_objects_and_says_so():
    truth = [ONE, ONE, both(ONE, TWO), both(ONE, TWO), ONE]
    result = fed(Scorer("davis2017"), truth, [ONE] * 5).result()
    assert [item.id for item in result.objects] == [1]
    assert result.notes == ("video: davis2017 leaves out ids 2, new after the first frame",)


def test_davis2017_scores_an_object_that_is_never_predicted_as_empty():
    result = fed(Scorer("davis2017"), [both(ONE, TWO)] * 5, [ONE] * 5).result()
    assert [item.measures["J"] for item in result.objects] == [1, 0]


def test_davis2017_refuses_predicted_ids_above_the_highest():
    with pytest.raises(ScoringError, match="frame 1 of the prediction has id 2, above the 1 of the first true mask"):
        fed(Scorer("davis2017"), [ONE] * 4, [both(ONE, TWO)] * 4).result()


def with_void(labels: np.ndarray) -> np.ndarray:
    """The lower half of object 1 is void, and so is a strip next to it."""
    labels = labels.copy()
    labels[11:17, 5:20] = 255
    return labels


@pytest.mark.parametrize(
    ("policy", "region"),
    [
        ("background", 72 / (12 * 15)),  # the prediction covers 12 x 15, half of object 1 is true
        ("ignore", 72 / (6 * 15)),
        ("object", 72 / (12 * 15)),
    ],
)
def test_void_counts_as_the_policy_says(policy, region):
    prediction = square(5, 5)
    prediction[5:17, 5:20] = 1
    result = fed(Scorer(void=policy), [with_void(ONE)] * 4, [prediction] * 4).result()
    assert result.objects[0].measures["J"] == pytest.approx(region)
    assert [item.id for item in result.objects] == ([1, 255] if policy == "object" else [1])


def test_void_follows_the_protocol_and_is_reported(tmp_path):
    folders = MaskFolders(tmp_path)
    folders.add("video", [with_void(ONE)] * 5, [ONE] * 5)
    numbers = {}
    for protocol in ("vos-benchmark", "davis2017"):
        result = score(folders.truth, folders.prediction, protocol=protocol)
        numbers[protocol] = (result.settings["void"], len(result.objects), result.notes)
    told = "5 true masks have pixels of id 255: "
    as_object = "scored as an object like any other (--void background or --void ignore takes it for void)"
    as_void = "taken for void, background of the truth (--void object scores it, --void ignore leaves it out)"
    assert numbers["vos-benchmark"] == ("object", 2, (told + as_object,))
    assert numbers["davis2017"] == ("background", 1, (told + as_void,))


def test_masks_whose_only_id_is_255_are_reported_and_counted_alike_from_files_and_arrays(tmp_path):
    white = ONE * np.uint8(255)
    folders = MaskFolders(tmp_path)
    folders.add("video", [white, white, white, EMPTY, white])
    result = score(folders.truth, folders.prediction)
    assert [item.id for item in result.objects] == [255]
    (note,) = result.notes
    assert note.startswith("4 true masks have pixels of id 255, all of them no other id: scored as an object")
    scorer = Scorer()
    for frame in range(5):
        scorer.add("video", frame, EMPTY if frame == 3 else white, EMPTY if frame == 3 else white)
    assert scorer.result().notes == result.notes


def test_truth_that_is_all_void_says_how_to_score_it(tmp_path):
    white = ONE * np.uint8(255)
    folders = MaskFolders(tmp_path)
    folders.add("video", [white] * 5)
    with pytest.raises(ScoringError, match=r"nothing to score: .*id 255, which counts as void .*--void object"):
        score(folders.truth, folders.prediction, void="ignore")
    with pytest.raises(ScoringError, match=r"no id but 255, which is void here; --protocol vos-benchmark scores it"):
        score(folders.truth, folders.prediction, protocol="davis2017")
    assert score(folders.truth, folders.prediction, void="object").J_and_F == 1


def test_merged_scorers_remember_the_void_of_both():
    parts = Scorer(void="ignore"), Scorer(void="ignore")
    for part, video in zip(parts, ("one", "two"), strict=True):
        fed(part, [with_void(ONE)] * 4, [ONE] * 4, video)
    parts[0].merge(parts[1])
    (note,) = parts[0].result().notes
    assert note.startswith("8 true masks have pixels of id 255: taken for void, left out of truth and prediction")


@pytest.fixture
def four(tmp_path) -> MaskFolders:
    """Video `one` with a perfect object, `two` with a perfect one and one that is never found."""
    folders = MaskFolders(tmp_path)
    folders.add("one", [ONE] * 5)
    folders.add("two", [both(ONE, TWO)] * 5, [ONE] * 5)
    return folders


@pytest.mark.parametrize("protocol", ["lvos", "youtube"])
def test_four_numbers_and_their_mean(four, tmp_path, protocol):
    (tmp_path / "unseen.txt").write_text("two\n\n")
    result = score(four.truth, four.prediction, protocol=protocol, unseen=tmp_path / "unseen.txt")
    seen, unseen = result.group_measures["seen"], result.group_measures["unseen"]
    assert (seen["J"], seen["F"], unseen["J"], unseen["F"]) == (1, 1, 0.5, 0.5)
    assert result.J_and_F == 0.75  # the mean over the three objects would be 2 / 3


def test_groups_by_category_of_the_object(four, tmp_path):
    objects = {"one": {"1": "dog"}, "two": {"1": "dog", "2": "ferret"}}
    videos = {
        video: {"objects": {id: {"category": name, "frames": []} for id, name in ids.items()}}
        for video, ids in objects.items()
    }
    (tmp_path / "meta.json").write_text(json.dumps({"videos": videos}))
    (tmp_path / "seen.json").write_text('["dog"]')
    (tmp_path / "unseen.json").write_text('["ferret", "otter"]')
    result = score(
        four.truth,
        four.prediction,
        protocol="youtube",
        seen=tmp_path / "seen.json",
        unseen=tmp_path / "unseen.json",
        meta=tmp_path / "meta.json",
    )
    assert result.J_and_F == 0.5
    assert [item.group for item in result.objects] == ["seen", "seen", "unseen"]
    assert result.notes == ("listed as seen or unseen, but not scored: otter",)


def test_no_unseen_object_means_no_overall_score(four, tmp_path):
    result = score(four.truth, four.prediction, protocol="lvos", unseen=["otter"])
    assert np.isnan(result.J_and_F)
    assert result.group_measures["seen"]["J"] == pytest.approx(2 / 3)
    assert "no object is unseen, so there is no overall score" in result.notes


def test_lists_must_part_all_objects():
    groups = Groups(seen=frozenset({"one"}), unseen=frozenset({"two/2"}))
    assert (groups.group_of("one", 5), groups.group_of("two", 2)) == ("seen", "unseen")
    with pytest.raises(ScoringError, match="two, object 1: among neither the seen nor the unseen"):
        groups.group_of("two", 1)
    with pytest.raises(ScoringError, match="listed both as seen and as unseen: one"):
        Groups(seen=frozenset({"one"}), unseen=frozenset({"one"}))


def test_protocols_with_groups_need_a_list(four):
    with pytest.raises(ScoringError, match="pass a list of either"):
        score(four.truth, four.prediction, protocol="youtube")


def test_lists_that_cannot_be_read_are_named(tmp_path):
    (tmp_path / "meta.json").write_text('{"videos": {"one": {"objects": {"1": {}}}}}')
    with pytest.raises(ScoringError, match=r"meta\.json: expected .*category"):
        read_groups(unseen=["cat"], meta=tmp_path / "meta.json")
    with pytest.raises(ScoringError, match=r"absent\.txt: cannot be read"):
        read_groups(seen=tmp_path / "absent.txt")


def test_unknown_protocol_and_policy_are_refused_with_the_known_ones():
    with pytest.raises(ScoringError, match="protocol 'davis': expected one of vos-benchmark, davis2017, lvos, youtube"):
        Scorer("davis")
    with pytest.raises(ScoringError, match="void='skip': expected one of background, ignore, object"):
        Scorer(void="skip")


def test_scorer_refuses_what_are_not_labels():
    scorer = Scorer(all_frames=True)
    with pytest.raises(ScoringError, match=r"video, frame 3: prediction: expected integers \(H, W\), found float64"):
        scorer.add("video", 3, ONE, np.zeros((48, 64)))
    with pytest.raises(ScoringError, match="truth: expected ids from 0 on, found -1"):
        scorer.add("video", 3, ONE.astype(np.int16) - 1, ONE)
    with pytest.raises(ScoringError, match=r"truth is \(48, 64\), but the prediction is \(48, 63\)"):
        scorer.add("video", 3, ONE, ONE[:, :-1])
    scorer.add("video", 3, ONE, ONE)
    with pytest.raises(ScoringError, match="video, frame 3: given twice"):
        scorer.add("video", 3, ONE, ONE)
    with pytest.raises(ScoringError, match="other, frame 0"):
        scorer.add("other", 0, ONE, ONE[:, :-1])
    assert [video.name for video in scorer.result().videos] == ["video"]


def test_scorer_takes_any_integers():
    scorer = Scorer(all_frames=True)
    for dtype in (bool, np.uint16, np.int32, np.uint64):
        scorer.add("video", np.dtype(dtype).name, ONE.astype(dtype), ONE)
    assert scorer.result().J_and_F == 1


def test_merged_scorers_equal_one_that_saw_everything():
    truth, prediction = [both(ONE, TWO)] * 6, [ONE] * 5 + [TWO]
    whole = fed(fed(Scorer(), truth, prediction), truth, truth, video="other")
    parts = Scorer(), Scorer()
    for frame, (true, predicted) in enumerate(zip(truth, prediction, strict=True)):
        parts[frame % 2].add("video", frame, true, predicted)
    fed(parts[1], truth, truth, video="other")
    parts[0].merge(parts[1])
    assert parts[0].result() == whole.result()


def test_scorers_that_do_not_fit_are_not_merged():
    scorer, same, other = Scorer(), Scorer(), Scorer(void="ignore")
    for each in (scorer, same, other):
        each.add("video", 1, ONE, ONE)
    with pytest.raises(ScoringError, match="different settings"):
        scorer.merge(other)
    with pytest.raises(ScoringError, match="video, frame 1: given twice"):
        scorer.merge(same)
