"""How the page of LiVOS Studio keeps up: killed servers, lost lines, second pages, late frames, small screens."""

import re

import numpy as np
from running_studio import NUM_FRAMES
from story_steps import (
    ASTRONAUT,
    draw_polygon,
    go,
    masks,
    paint_astronaut_and_track,
    stroke,
    timeline,
    track,
    tracked_by,
    until,
    wait_for_frame,
    wait_for_given,
    wait_for_note,
)


def test_killed_server_comes_back_with_all_that_was_done(studio_process, new_page):
    studio, page = studio_process, new_page(studio_process.address)
    paint_astronaut_and_track(studio, page)
    go(page, 5)
    draw_polygon(page, [(100, 50), (200, 50), (200, 100), (100, 100)])
    wait_for_given(studio, page, 5, "1")
    before, marks = masks(studio), timeline(studio)["marks"]
    studio.kill()
    page.get_by_test_id("banner").filter(has_text="connection").wait_for()
    studio.restart()
    again = new_page(studio.address)
    wait_for_frame(again, 0)
    np.testing.assert_array_equal(masks(studio), before)
    assert timeline(studio)["marks"] == marks
    track(again)
    assert tracked_by(studio, 1).count("f") >= NUM_FRAMES - 2


def test_second_page_is_told_and_can_take_over(studio, page, new_page):
    wait_for_frame(page, 0)
    other = new_page(studio.address)
    wait_for_frame(other, 0)
    other.get_by_test_id("banner").filter(has_text="another page").wait_for()
    draw_polygon(other, ASTRONAUT)
    wait_for_note(other, "can only watch")
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    other.get_by_test_id("take-over").click()
    page.get_by_test_id("banner").filter(has_text="another page").wait_for()
    other.get_by_test_id("banner").wait_for(state="hidden")
    go(other, 4)
    draw_polygon(other, ASTRONAUT)
    wait_for_given(studio, other, 4, "1")


def test_lost_connection_is_shown_and_restored(studio, browser):
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    page = context.new_page()
    lines = []

    def connect(line):
        lines.append(line)
        line.connect_to_server()

    page.route_web_socket(re.compile("/api/events"), connect)
    page.goto(studio.address)
    wait_for_frame(page, 0)
    lines[-1].close()
    page.get_by_test_id("banner").filter(has_text="lost").wait_for(state="attached")
    page.get_by_test_id("banner").wait_for(state="hidden")
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    context.close()


def test_jump_shows_the_key_frame_until_the_frame_is_there_and_nothing_can_be_drawn_on_it(film_studio, new_page):
    page = new_page(film_studio.address)
    wait_for_frame(page, 0)
    held = []
    page.route(re.compile(r"/api/frames/30\?width=\d+&v="), lambda route: held.append(route))
    page.get_by_test_id("frame-number").fill("30")
    page.get_by_test_id("frame-number").press("Enter")
    page.wait_for_selector('#stage[data-preview="0"]')
    assert page.get_by_test_id("preview-sign").inner_text() == "Showing key frame 0 until frame 30 is decoded"
    page.keyboard.press("b")
    stroke(page, [(100, 100), (300, 100)])
    wait_for_note(page, "Frame 30 is not there yet")
    until(page, lambda: held)
    held[0].continue_()
    wait_for_frame(page, 30)
    assert page.get_by_test_id("preview-sign").is_hidden()
    assert timeline(film_studio)["marks"] == {}


def test_sign_names_the_frame_that_was_asked_for_last(film_studio, new_page):
    page = new_page(film_studio.address)
    wait_for_frame(page, 0)
    page.route(re.compile(r"/api/frames/30\?width=\d+&v="), lambda route: None)  # neither frame ever comes
    page.route(re.compile(r"/api/frames/25\?"), lambda route: None)
    number, sign = page.get_by_test_id("frame-number"), page.get_by_test_id("preview-sign")
    for frame in ("30", "25"):
        number.fill(frame)
        number.press("Enter")
        sign.filter(has_text=f"until frame {frame} is decoded").wait_for()
    page.unroute_all(behavior="ignoreErrors")


def test_page_scrolls_nowhere_and_every_control_has_a_name(studio, page):
    wait_for_frame(page, 0)
    draw_polygon(page, ASTRONAUT)
    wait_for_given(studio, page, 0, "1")
    for width, height in ((1280, 720), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        extent = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
        assert extent == [width, height]
        outside = page.evaluate(
            """() => [...document.querySelectorAll("button, input, canvas")].filter((control) => {
                const box = control.getBoundingClientRect();
                return control.checkVisibility() && (box.right > innerWidth + 1 || box.bottom > innerHeight + 1);
            }).map((control) => control.outerHTML)"""
        )
        assert outside == []
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, a")].filter((control) =>
            !control.ariaLabel && !control.textContent.trim() && !control.labels?.length && control.tabIndex >= 0
        ).map((control) => control.outerHTML)"""
    )
    assert nameless == []
