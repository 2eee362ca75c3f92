"""How people track and correct in LiVOS Studio: real browser, real server, real network at a small size."""

import numpy as np
from running_studio import NUM_FRAMES
from story_steps import (
    ASTRONAUT,
    CAT,
    LAST,
    TRACK_MS,
    draw_polygon,
    go,
    mask,
    masks,
    overlap,
    paint_astronaut_and_track,
    read_notes,
    stroke,
    timeline,
    track,
    tracked_by,
    truth,
    until,
    wait_for_frame,
    wait_for_given,
    wait_for_note,
    wait_until_idle,
)


def test_correct_and_track_on(studio, page):
    paint_astronaut_and_track(studio, page)
    before = masks(studio)
    go(page, 6)
    page.keyboard.press("b")
    stroke(page, [(380, 60), (480, 60), (480, 110), (380, 110)])
    wait_for_given(studio, page, 6, "1")
    corrected = mask(studio, 6)
    assert (corrected != before[6]).any()
    track(page)
    after = masks(studio)
    np.testing.assert_array_equal(after[:6], before[:6])
    np.testing.assert_array_equal(after[6], corrected)
    assert (after[7:] != before[7:]).any(axis=(1, 2)).all()
    assert timeline(studio)["marks"] == {"0": [1], "6": [1]}


def test_second_object_later_leaves_the_first_alone(studio, page):
    paint_astronaut_and_track(studio, page)
    first = masks(studio)
    go(page, 7)
    page.keyboard.press("n")
    page.get_by_test_id("object").nth(1).wait_for()
    draw_polygon(page, [(x + 22, y + 4) for x, y in CAT])
    wait_for_given(studio, page, 7, "2")
    track(page)
    both = masks(studio)
    assert not (both[:7] == 2).any()
    assert all((both[number] == 2).sum() > 500 for number in range(7, NUM_FRAMES))
    np.testing.assert_array_equal(both[:7], first[:7])
    for number in range(8, NUM_FRAMES):
        assert overlap(both[number] == 1, first[number] == 1) > 0.8


def test_backwards_and_refill_to_a_seam(studio, page):
    wait_for_frame(page, 0)
    go(page, LAST)
    draw_polygon(page, [(x - 12, y + 2) for x, y in ASTRONAUT])
    wait_for_given(studio, page, LAST, "1")
    track(page, "backward")
    assert tracked_by(studio, 1) == "b" * LAST + "."
    go(page, 0)
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    read_notes(page)
    page.get_by_test_id("track-refill").click()
    wait_for_note(page, "refill")
    wait_until_idle(page)
    assert "s" in tracked_by(studio, 1)
    for number in range(NUM_FRAMES):
        assert overlap(mask(studio, number) == 1, truth(number, 1)) > 0.5


def test_range_only_is_a_choice_of_the_tracking(studio, page):
    wait_for_frame(page, 0)
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    assert page.get_by_test_id("range-only").is_disabled()
    go(page, 3)
    page.keyboard.press("u")
    until(page, lambda: page.get_by_test_id("range-only").is_checked())
    go(page, 0)
    track(page)
    assert tracked_by(studio, 1) == ".fff" + "." * (LAST - 3)
    go(page, 0)
    page.get_by_test_id("range-only").uncheck()
    track(page)
    assert tracked_by(studio, 1) == "." + "f" * LAST


def test_stop_and_continue(studio, page):
    wait_for_frame(page, 0)
    page.keyboard.press("Control+,")
    page.get_by_test_id("setting-size").fill("480")
    page.get_by_test_id("setting-size").press("Tab")
    page.get_by_test_id("settings-done").click()
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    page.get_by_test_id("track-forward").click()
    page.get_by_test_id("stop").wait_for()
    until(page, lambda: "f" in tracked_by(studio, 1))
    page.keyboard.press("Escape")
    wait_until_idle(page)
    by = tracked_by(studio, 1)
    stopped = by.rindex("f")
    assert 1 <= stopped < LAST, by
    half = masks(studio)
    page.get_by_test_id("go-on").click()
    page.wait_for_selector(f'#stage[data-frame="{LAST}"]', timeout=TRACK_MS)
    wait_until_idle(page)
    assert tracked_by(studio, 1) == "." + "f" * LAST
    np.testing.assert_array_equal(masks(studio)[: stopped + 1], half[: stopped + 1])


def test_undo_reverts_a_whole_tracking_run_and_redo_repeats_it(studio, page):
    wait_for_frame(page, 0)
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    before = masks(studio)
    track(page)
    tracked = masks(studio)
    page.get_by_test_id("undo").click()
    wait_for_note(page, "Undone")
    np.testing.assert_array_equal(masks(studio), before)
    assert set(tracked_by(studio, 1)) == {"."}
    page.get_by_test_id("redo").click()
    wait_for_note(page, "Redone")
    np.testing.assert_array_equal(masks(studio), tracked)
