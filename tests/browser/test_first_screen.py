"""What a visitor meets first: a result, examples that succeed, and a page that all can use."""

import re
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support import ROOT
from tests.support.browser import (
    ASTRONAUT,
    CAT,
    choose_variant,
    choose_view,
    open_page,
    table_rows,
    upload,
    wait_for_result,
)

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


def test_the_page_opens_with_a_result_for_which_it_asked_nothing(
    chromium: Browser, server: str
) -> None:
    with open_page(chromium, server) as page:
        expect(page.locator("#viewer canvas.paint")).to_be_visible()
        expect(page.locator("#status")).to_contain_text("It knows 19 of 20 classes: aeroplane,")
        expect(page.locator("#status")).not_to_contain_text("took")
        assert table_rows(page)["person"] > 50_000
        expect(page.locator("#picker .chosen")).to_contain_text("astronaut")
        chosen = page.get_by_role("button", name="Example: astronaut")
        expect(chosen).to_have_attribute("aria-pressed", "true")
        examples = page.locator("#picker .examples button")
        names = ["astronaut", "hopper", "cameraman", "cat"]
        expect(examples).to_have_count(len(names))
        for example, name in zip(examples.all(), names, strict=True):
            expect(example).to_have_accessible_name(re.compile(f"^Example: {name}"))


def test_nothing_found_is_said_in_words(page: Page) -> None:
    choose_variant(page, "S")
    upload(page, CAT)
    wait_for_result(page)
    expect(page.locator("#status")).to_contain_text(
        "No person found. This offline model knows people only. "
        "Try a picture in which a person is large."
    )


def test_a_long_picture_keeps_its_proportions(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "wide.jpg"
    PIL.Image.open(ASTRONAUT).resize((900, 300)).save(file)
    upload(page, file)
    wait_for_result(page)
    expect(page.locator("#status")).to_contain_text("it was not squashed to a square")


def test_a_link_opens_what_was_chosen(chromium: Browser, server: str) -> None:
    noted = "variant=xxs&view=map&opacity=0.4&palette=safe"
    with open_page(chromium, server, noted=noted) as page:
        expect(page.locator("#variant input:checked")).to_have_value("xxs")
        viewer = page.locator("#viewer")
        expect(viewer.get_by_label("Class map")).to_be_checked()
        expect(viewer.get_by_label("Opacity")).to_have_value("0.4")
        expect(viewer.get_by_label("Colour-blind-safe colours")).to_be_checked()
        choose_view(page, "Overlay")
        choose_variant(page, "XS")
        wait_for_result(page)
        expect(page).to_have_url(re.compile(r"#variant=xs&opacity=0.4&palette=safe$"))
        page.get_by_role("tab", name="Live").click()
        expect(page).to_have_url(re.compile(r"tab=live"))
        page.reload()
        expect(page.get_by_role("button", name="Start the camera")).to_be_visible(timeout=30_000)


def test_the_picture_stays_when_the_page_is_loaded_again(page: Page) -> None:
    upload(page, CAT)
    wait_for_result(page)
    page.reload()
    expect(page.locator("#picker .chosen")).to_contain_text("cat.jpg", timeout=30_000)
    wait_for_result(page)
    expect(page.locator("#viewer caption")).to_contain_text("451 × 300")


def test_five_keys_lead_to_a_result(page: Page) -> None:
    for _ in range(5):
        example = page.evaluate("document.activeElement.getAttribute('aria-label')")
        if str(example).startswith("Example"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    wait_for_result(page)


def show_result(page: Page) -> None:
    page.get_by_role("button", name="Example: astronaut").click()
    wait_for_result(page)


def show_nothing_found(page: Page) -> None:
    upload(page, CAT)
    wait_for_result(page)


def show_all_parts(page: Page) -> None:
    page.get_by_role("button", name="Resizing").click()
    page.get_by_text("Compare the variants").click()
    page.locator("#files").get_by_text("Download", exact=True).click()
    page.get_by_role("button", name="Compare XXS").click()
    expect(page.locator(".compare .disagreement")).to_be_visible(timeout=60_000)


def show_live(page: Page) -> None:
    page.get_by_role("tab", name="Live").click()
    page.get_by_role("button", name="Start the camera").click()
    page.get_by_role("button", name="Stop").wait_for()


def show_video(page: Page) -> None:
    page.get_by_role("tab", name="Video").click()
    page.get_by_role("button", name="Try the sample clip").click()
    expect(page.get_by_role("button", name="Segment the video")).to_be_enabled(timeout=30_000)


@pytest.mark.parametrize(
    "show", [show_result, show_nothing_found, show_all_parts, show_live, show_video]
)
def test_axe_finds_no_serious_fault(page: Page, show: Callable[[Page], None]) -> None:
    show(page)
    page.add_style_tag(content="* { transition: none !important; }")
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    for scheme in ("light", "dark"):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", scheme == "dark")
        found = page.evaluate("async () => (await axe.run()).violations")
        faults = [
            (scheme, fault["id"], [node["html"][:120] for node in fault["nodes"]][:3])
            for fault in found
            if fault["impact"] in ("serious", "critical")
        ]
        assert not faults


def test_a_file_that_is_no_picture_leaves_the_result(page: Page) -> None:
    upload(page, ROOT / "README.md")
    expect(page.get_by_role("alert").first).to_contain_text("image", timeout=30_000)
    expect(page.locator("#viewer canvas.paint")).to_be_visible()
    upload(page, ROOT / "LICENSE")
    expect(page.locator("#picker .name")).to_have_text("LICENSE")
    expect(page.locator("#picker .name")).to_have_text("astronaut", timeout=30_000)
    upload(page, ASTRONAUT)
    wait_for_result(page)
