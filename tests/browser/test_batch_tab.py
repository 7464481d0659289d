"""The Batch tab: rows, progress, cancel, downloads, and a row opened in the Image tab."""

import zipfile
from pathlib import Path

import PIL.Image
from playwright.sync_api import Page, expect

from tests.support.browser import ASTRONAUT, CAT, wait_for_result


def choose(page: Page, files: list[Path]) -> None:
    page.get_by_role("tab", name="Batch").click()
    page.locator("#batch input[type=file]").set_input_files(files)
    begin = page.get_by_role("button", name="Segment all")
    expect(begin).to_be_enabled()
    begin.click()


def test_each_image_gets_a_row_and_one_opens_in_the_image_tab(page: Page, tmp_path: Path) -> None:
    broken, archive = tmp_path / "broken.jpg", tmp_path / "more.zip"
    broken.write_text("no picture")
    with zipfile.ZipFile(archive, "w") as target:
        target.write(CAT, "inside/cat.jpg")
    choose(page, [ASTRONAUT, broken, archive])
    expect(page.locator("#batch-status")).to_contain_text("2 images in", timeout=60_000)
    expect(page.locator("#batch-status")).to_contain_text("1 could not be segmented")
    rows = page.locator(".batch-rows li")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("person")
    expect(rows.nth(1)).to_contain_text("Expected a JPEG")
    expect(rows.nth(2)).to_contain_text("inside/cat.jpg")
    shown = "image => image.complete && image.naturalWidth > 0"
    rows.nth(0).scroll_into_view_if_needed()
    page.wait_for_function(f"() => ({shown})(document.querySelector('.batch-rows img'))")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download everything").click()
    download.value.save_as(tmp_path / "all.zip")
    assert "astronaut/coco.json" in zipfile.ZipFile(tmp_path / "all.zip").namelist()
    rows.nth(0).get_by_role("button").click()
    expect(page.get_by_role("tab", name="Image")).to_have_attribute("aria-selected", "true")
    wait_for_result(page)
    expect(page.locator("#picker .name")).to_have_text("astronaut.jpg")


def test_the_work_can_be_cancelled(page: Page, tmp_path: Path) -> None:
    noise = PIL.Image.effect_noise((1600, 1200), 90).convert("RGB")
    files = [tmp_path / f"{i}.jpg" for i in range(40)]
    for file in files:
        noise.save(file)
    choose(page, files)
    expect(page.locator(".work-progress")).to_contain_text("of 40 images", timeout=60_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("#batch-status")).to_contain_text("Stopped.")
    expect(page.get_by_role("button", name="Segment all")).to_be_visible()
    expect(page.get_by_role("button", name="Download everything")).to_be_hidden()
