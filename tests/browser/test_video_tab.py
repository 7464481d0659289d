"""What a visitor does in the Video tab, in a real Chromium."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.ui.video_tab import SAMPLE
from tests.support.videos import write_video

SEGMENT = "Segment the video"


@pytest.fixture
def tab(page: Page) -> Page:
    """The page, with the Video tab shown."""
    page.get_by_role("tab", name="Video").click()
    return page


def choose(page: Page, file: Path) -> None:
    page.locator("#video input[type=file]").set_input_files(file)
    expect(page.locator("#video").get_by_label(file.name, exact=True)).to_be_visible()
    expect(page.locator("#video-status")).to_contain_text("The video is here")


def expect_idle(page: Page, status: str) -> None:
    expect(page.locator("#video-status")).to_contain_text(status, timeout=30_000)
    expect(page.get_by_role("button", name=SEGMENT)).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    expect(page.get_by_role("progressbar")).to_have_count(0)
    expect(page.locator("#video-result, #video-chart")).to_have_count(0)


def test_a_video_can_be_cancelled_and_leaves_nothing(tab: Page, tmp_path: Path) -> None:
    choose(tab, write_video(tmp_path / "long.mp4", 1000))
    tab.get_by_role("button", name=SEGMENT).click()
    bar = tab.get_by_role("progressbar")
    words = re.compile(r"^\d+ %, \d+ of 1,000 frames, about \d+ (s|min) left$")
    expect(bar).to_have_attribute("aria-valuetext", words, timeout=60_000)
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"^\d+$"))
    expect(tab.get_by_role("button", name=SEGMENT)).to_have_count(0)
    tab.get_by_role("button", name="Cancel").click()
    expect_idle(tab, "Stopped: no video")
    tab.wait_for_timeout(2_000)  # as long as a late answer might take
    expect_idle(tab, "Stopped: no video")


def test_a_video_comes_back_with_its_areas(tab: Page, tmp_path: Path) -> None:
    expect_idle(tab, "Choose a video to begin")
    expect(tab.get_by_role("button", name=SEGMENT)).to_be_disabled()
    choose(tab, write_video(tmp_path / "Tür & 5%.mp4"))
    tab.get_by_role("button", name=SEGMENT).click()
    status = tab.locator("#video-status [aria-live=polite]")
    expect(status).to_contain_text(re.compile(r"12 frames at [\d.]+ frames/s"), timeout=60_000)
    video = tab.locator("#video-result video")
    expect(video).to_be_visible(timeout=30_000)
    tab.wait_for_function("document.querySelector('#video-result video').videoWidth === 160")
    for button, ending in (("Download the video", "overlay.mp4"), ("Download the areas", "csv")):
        with tab.expect_download() as download:
            tab.get_by_role("button", name=button).click()
        name = download.value.suggested_filename
        assert name.startswith("Tür") and name.endswith(ending)
    tab.locator("#video").get_by_label("Clear").click()
    expect_idle(tab, "Choose a video to begin")


def test_the_sample_clip_gets_a_chart_in_the_colour_of_its_class(tab: Page) -> None:
    tab.get_by_role("button", name="Try the sample clip").click()
    expect(tab.locator("#video").get_by_label(SAMPLE.name, exact=True)).to_be_visible()
    tab.wait_for_function("document.querySelector('#video-preview video')?.videoWidth === 640")
    tab.get_by_role("button", name=SEGMENT).click()
    expect(tab.get_by_role("progressbar")).to_be_visible()
    expect(tab.locator("#video-status")).to_contain_text("100 frames at", timeout=120_000)
    line = tab.locator("#video-chart .mark-line path[aria-label*='Class: person']")
    expect(line).to_have_attribute("stroke", "#c08080")  # VOC's colour of person


def test_a_video_that_the_browser_cannot_play_shows_a_sentence(tab: Page, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("I am no video.")
    choose(tab, tmp_path / "text.mp4")
    expect(tab.get_by_text("This browser cannot play the video")).to_be_visible()
    expect(tab.locator("#video-preview video")).to_be_hidden()
    tab.get_by_role("button", name=SEGMENT).click()
    expect(tab.get_by_role("alert")).to_contain_text("Expected an mp4, webm or mov video")
    expect_idle(tab, "Expected an mp4")


def test_a_busy_server_leaves_the_tab_ready_for_another_try(tab: Page, tmp_path: Path) -> None:
    choose(tab, write_video(tmp_path / "video.mp4"))
    body = json.dumps({"detail": "Too many wait."})
    tab.route("**/queue/join*", lambda route: route.fulfill(status=429, body=body))
    tab.get_by_role("button", name=SEGMENT).click()
    expect_idle(tab, "Stopped: no video")


def test_another_video_ends_the_work_on_the_one_before(tab: Page, tmp_path: Path) -> None:
    choose(tab, write_video(tmp_path / "long.mp4", 1000))
    tab.get_by_role("button", name=SEGMENT).click()
    expect(tab.locator("#video-stage")).to_contain_text("of 1,000 frames", timeout=60_000)
    tab.locator("#video").get_by_label("Clear").click()
    expect(tab.get_by_role("button", name=SEGMENT)).to_be_disabled()
    choose(tab, write_video(tmp_path / "short.mp4"))
    tab.get_by_role("button", name=SEGMENT).click()
    expect(tab.locator("#video-status")).to_contain_text("12 frames at", timeout=60_000)


@pytest.mark.parametrize("width", [320, 390])
def test_controls_on_a_phone_are_large_and_nothing_is_wider(
    chromium: Browser, server: str, width: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 740}, has_touch=True)
    page = context.new_page()
    page.goto(server)
    page.locator("#status", has_text="Ready").wait_for(timeout=60_000)
    page.get_by_role("tab", name="Video").click()
    page.get_by_role("button", name="Try the sample clip").click()
    expect(page.locator("#video-status")).to_contain_text("The video is here")
    controls = page.locator("#video-tab button:visible, #video-variant label:has(input)")
    boxes = [controls.nth(i).bounding_box() for i in range(controls.count())]
    assert len(boxes) >= 5 and all(box and box["height"] >= 44 for box in boxes)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
