"""What people meet on their first day with LiVOS Studio: the start screen, its address, and its dialogs."""

from browser_pages import PATIENCE_MS
from PIL import Image
from running_studio import StudioThread


def restarted(studio: StudioThread, folder) -> StudioThread:
    """Another server at the same address, with another token."""
    port = int(studio.address.split(":")[2].split("/")[0])
    studio.stop()
    return StudioThread(folder, folder / "clip", port=port, token="another")


def test_a_page_says_so_when_studio_was_started_again(clip_folder, studio, page):
    page.wait_for_selector('#stage[data-frame="0"]')
    other = restarted(studio, clip_folder)
    page.get_by_test_id("banner").filter(has_text="has a new address").wait_for(timeout=PATIENCE_MS)
    other.stop()


def test_one_can_look_into_a_folder_that_contains_pictures(empty_studio, clip_folder, new_page):
    Image.new("RGB", (8, 8)).save(clip_folder / "screenshot.png")
    page = new_page(empty_studio.address)
    place = page.locator(".entry-line").filter(has_text=str(clip_folder)).filter(has_text="Folder of frames").first
    place.get_by_test_id("entry-inside").click()
    page.get_by_test_id("entry").filter(has_text="clip").first.wait_for()


def test_a_dialog_begins_at_its_first_field(studio, page):
    page.wait_for_selector('#stage[data-frame="0"]')
    page.keyboard.press("Control+e")
    page.locator('[data-testid="export-masks"]:focus').wait_for(timeout=PATIENCE_MS)
