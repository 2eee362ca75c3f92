"""How people paint objects in LiVOS Studio: real browser, real server, real network at a small size."""

import numpy as np
import pytest
from running_studio import NUM_FRAMES
from story_steps import (
    ASTRONAUT,
    LAST,
    draw_polygon,
    mask,
    overlap,
    paint_astronaut_and_track,
    place,
    stroke,
    timeline,
    tracked_by,
    truth,
    until,
    wait_for_frame,
    wait_for_given,
    wait_for_note,
    wait_until_idle,
)


def test_paint_an_object_and_track_it(studio, page):
    paint_astronaut_and_track(studio, page)
    given = mask(studio, 0)
    assert overlap(given == 1, truth(0, 1)) > 0.7
    for number in range(1, NUM_FRAMES):
        assert overlap(mask(studio, number) == 1, truth(number, 1)) > 0.5
    assert tracked_by(studio, 1) == "." + "f" * LAST
    assert timeline(studio)["marks"] == {"0": [1]}


def test_brush_and_eraser_change_the_pixels_that_they_touch(studio, page):
    wait_for_frame(page, 0)
    page.keyboard.press("b")
    stroke(page, [(100, 100), (300, 100)])
    wait_for_given(studio, page, 0, "1")
    painted = mask(studio, 0) == 1
    assert painted[100, 102:298].all()
    assert painted.sum() == pytest.approx(24 * 200 + np.pi * 12**2, rel=0.05)
    page.keyboard.press("e")
    stroke(page, [(200, 60), (200, 140)])
    until(page, lambda: "eraser" in page.get_by_test_id("undo").get_attribute("aria-label"))
    erased = mask(studio, 0) == 1
    assert not erased[60:140, 190:210].any()
    assert erased[100, 110] and erased[100, 290]
    page.keyboard.press("Control+z")
    wait_for_note(page, "Undone")
    np.testing.assert_array_equal(mask(studio, 0) == 1, painted)


def test_clicks_find_an_object_and_undo_takes_one_back(studio, page):
    wait_for_frame(page, 0)
    page.keyboard.press("Shift+C")
    page.mouse.click(*place(page, 700, 300))
    until(page, lambda: overlap(mask(studio, 0) == 1, truth(0, 1)) > 0.5)
    wait_for_given(studio, page, 0, "1")
    after_one = mask(studio, 0)
    for button, x, y in (("left", 730, 180), ("right", 690, 310)):
        page.mouse.click(*place(page, x, y), button=button)
        until(page, lambda: (mask(studio, 0) != after_one).any())  # before the next step, or undo would be too early
        page.get_by_test_id("busy").wait_for(state="hidden")
        page.keyboard.press("Control+z")
        until(page, lambda: (mask(studio, 0) == after_one).all())
        page.wait_for_timeout(300)  # the page reads the mask again, and takes no click meanwhile
        wait_for_frame(page, 0)


def test_box_of_the_click_tool_finds_an_object(studio, page):
    wait_for_frame(page, 0)
    page.get_by_test_id("tool-clicks").click()
    rows, columns = (np.flatnonzero(truth(0, 1).any(axis)) for axis in (1, 0))
    stroke(page, [(columns[0] - 3, rows[0] - 3), (columns[-1] + 3, rows[-1] + 3)])
    until(page, lambda: overlap(mask(studio, 0) == 1, truth(0, 1)) > 0.7)


def test_object_that_was_taken_off_a_frame_is_marked_as_absent_there(studio, page):
    wait_for_frame(page, 0)
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    mark = page.get_by_test_id("given")
    until(page, lambda: mark.get_attribute("aria-label") == "Mask given by hand on this frame")
    page.keyboard.press("Delete")
    until(page, lambda: mark.get_attribute("aria-label") == "Marked as absent from this frame")
    assert not mask(studio, 0).any()


def test_keyboard_alone_paints_tracks_and_undoes(studio, page):
    wait_for_frame(page, 0)
    page.keyboard.press("b")
    page.get_by_test_id("stage").focus()
    page.keyboard.press("Alt+ArrowRight")
    page.keyboard.press("Alt+Enter")
    for _ in range(4):
        page.keyboard.press("Alt+Shift+ArrowRight")
    page.keyboard.press("Alt+Enter")
    wait_for_given(studio, page, 0, "1")
    page.keyboard.press("t")
    wait_for_note(page, "Track")
    wait_until_idle(page)
    assert tracked_by(studio, 1) == "." + "f" * LAST
    page.keyboard.press("Control+z")
    wait_for_note(page, "Undone")
    assert set(tracked_by(studio, 1)) == {"."}
    page.keyboard.press("?")
    page.get_by_test_id("help-dialog").filter(has_text="Previous given mask").wait_for()
