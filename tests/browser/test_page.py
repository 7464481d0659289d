"""What a visitor does, in a real Chromium."""

import base64
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from playwright.sync_api import Browser, Page, expect

from demo.classes import CLASS_NAMES, PALETTE
from demo.image import read_image
from demo.inference import segment
from demo.models.registry import Registry
from tests.support import ROOT
from tests.support.browser import (
    ASTRONAUT,
    CAT,
    choose_variant,
    choose_view,
    click_example,
    open_page,
    shown_colours,
    shown_size,
    table_rows,
    upload,
    wait_for_result,
)
from tests.support.images import png_of_size


def test_an_example_is_shown_exactly_as_the_checkpoint_said(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 1020})  # room for a picture of 630 pixels
    click_example(page)
    wait_for_result(page)
    expected = segment(read_image(ASTRONAUT), Registry().first_available()).class_map
    choose_view(page, "Class map")
    shown = shown_colours(page)
    assert (shown[..., 3] == 255).all()
    scaled = np.asarray(PIL.Image.fromarray(PALETTE[expected]).resize(shown.shape[1::-1], 0))
    assert (shown[..., :3] == scaled).all(axis=2).mean() > 0.99
    rows = table_rows(page)
    ids, counts = np.unique(expected, return_counts=True)
    assert rows == {CLASS_NAMES[i]: n for i, n in zip(ids, counts.tolist(), strict=True)}
    expect(page.locator("#status")).to_contain_text("MobileViT-XXS took")
    page.locator("#badge summary").click()
    expect(page.locator("#badge")).to_contain_text("They do not know bottle")


def test_both_layers_cover_the_same_pixels(page: Page) -> None:
    upload(page, CAT)
    wait_for_result(page)
    layers = ("img.photo", "canvas.paint")
    photo, paint = (page.locator(f"#viewer {layer}").bounding_box() for layer in layers)
    assert photo and paint
    assert list(photo.values()) == pytest.approx(list(paint.values()), abs=0.5)
    assert photo["width"] / photo["height"] == pytest.approx(451 / 300, rel=0.01)


def test_an_upload_stands_upright(page: Page, tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[274] = 6  # stored lying on its side
    file = tmp_path / "Grüße & 'phone'.jpg"
    PIL.Image.open(ASTRONAUT).resize((300, 200)).save(file, exif=exif)
    upload(page, file)
    wait_for_result(page)
    assert shown_size(page) == (200, 300)
    assert sum(table_rows(page).values()) == 300 * 200


def test_a_webcam_snapshot(page: Page) -> None:
    page.get_by_role("button", name="Take a photo").click()
    page.wait_for_function("document.querySelector('#picker video').currentTime > 0")
    page.get_by_role("button", name="Take the picture").click()
    wait_for_result(page)
    width, height = shown_size(page)
    assert sum(table_rows(page).values()) == width * height > 10_000


@pytest.mark.parametrize("name", ["photo.heic", "photo.tif"])
def test_a_format_that_the_browser_cannot_show_is_previewed(
    page: Page, tmp_path: Path, name: str
) -> None:
    if name.endswith("heic"):
        shutil.copy(ROOT / "tests" / "cases" / "phone_rotated.heic", tmp_path / name)
    else:
        PIL.Image.open(ASTRONAUT).save(tmp_path / name)
    upload(page, tmp_path / name)
    wait_for_result(page)
    assert shown_size(page) == (512, 512)
    page.wait_for_function("document.querySelector('#picker .chosen img').naturalWidth > 0")


REFUSE_CAMERA = """navigator.mediaDevices.getUserMedia = async () => {
    throw new DOMException("no", "NotAllowedError");
};"""
NO_CAMERA_API = "Object.defineProperty(navigator, 'mediaDevices', { value: undefined });"


@pytest.mark.parametrize(
    ("script", "says"),
    [(REFUSE_CAMERA, "The camera was not allowed"), (NO_CAMERA_API, "over https or on localhost")],
    ids=["refused", "plain http"],
)
def test_the_webcam_of_the_image_tab_says_why_it_does_not_open(
    chromium: Browser, server: str, script: str, says: str
) -> None:
    with open_page(chromium, server, script) as page:
        page.get_by_role("button", name="Take a photo").click()
        expect(page.get_by_role("alert")).to_contain_text(says)


def as_drop(page: Page, content: str) -> None:
    page.evaluate(
        """async (content) => {
            const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], 'dropped.jpg', {type: 'image/jpeg'}));
            const target = document.querySelector('#viewer .stage');
            for (const kind of ['dragenter', 'dragover', 'drop'])
                target.dispatchEvent(
                    new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true})
                );
        }""",
        content,
    )


def as_paste(page: Page, content: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async (content) => {
            const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
            const bitmap = await createImageBitmap(new Blob([bytes], {type: 'image/jpeg'}));
            const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
            canvas.getContext('2d').drawImage(bitmap, 0, 0);
            const blob = await canvas.convertToBlob({type: 'image/png'});
            await navigator.clipboard.write([new ClipboardItem({'image/png': blob})]);
        }""",
        content,
    )
    page.keyboard.press("Control+v")


@pytest.mark.parametrize("way", [as_drop, as_paste])
def test_drop_and_paste(page: Page, way: Callable[[Page, str], None]) -> None:
    way(page, base64.b64encode(ASTRONAUT.read_bytes()).decode())
    wait_for_result(page)
    assert shown_size(page) == (512, 512)


def test_a_variant_without_weights_says_so_and_loses_nothing(page_without_s: Page) -> None:
    page = page_without_s
    click_example(page)
    wait_for_result(page)
    choose_variant(page, "S")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("has no weights on this machine", timeout=30_000)
    assert page.locator("#viewer canvas.paint").is_visible()
    choose_variant(page, "XS")
    expect(page.locator("#status")).to_contain_text("MobileViT-XS took", timeout=60_000)
    assert page.get_by_role("alert").count() == 0


BAD_FILES = {
    "empty.jpg": (b"", "empty"),
    "text.jpg": (b"I am not a picture.", "cannot be read as an image"),
    "cut.jpg": (ASTRONAUT.read_bytes()[:20_000], "damaged"),
    "huge.png": (png_of_size(20_000, 10_000), "too many pixels"),
    "60 megapixels.png": (png_of_size(10_000, 6_000), "at most 50"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_gets_one_sentence_and_the_app_goes_on(
    page: Page, tmp_path: Path, name: str
) -> None:
    content, says = BAD_FILES[name]
    (tmp_path / name).write_bytes(content)
    upload(page, tmp_path / name)
    expect(page.get_by_role("alert")).to_contain_text(says, timeout=30_000)
    expect(page.locator("#picker .name")).to_have_text("astronaut")  # as the viewer shows
    click_example(page)
    wait_for_result(page)


def test_framing_crop_marks_what_was_not_seen(page: Page) -> None:
    upload(page, CAT)
    wait_for_result(page)
    page.get_by_role("button", name="Resizing").click()
    page.locator("#framing label", has_text="Centre only").click()
    expect(page.locator("#viewer tbody")).to_contain_text("not seen", timeout=30_000)
    width = shown_colours(page).shape[1]
    striped = (shown_colours(page)[:, : width // 20] == (128, 128, 128, 255)).all(axis=2)
    assert 0.3 < striped.mean() < 0.7


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_scrolls_one_way_only(chromium: Browser, server: str, scheme: str) -> None:
    context = chromium.new_context(
        viewport={"width": 360, "height": 740},
        color_scheme="dark" if scheme == "dark" else "light",
        has_touch=True,
    )
    page = context.new_page()
    page.goto(server)
    page.locator("#status", has_text="Ready").wait_for(timeout=60_000)
    click_example(page)
    wait_for_result(page)
    expect(page.locator("#viewer .stage")).to_be_in_viewport(timeout=5_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.locator("#picker .examples")).to_be_in_viewport()
    page.get_by_role("button", name="Resizing").click()
    page.locator("#framing label", has_text="Centre only").click()
    expect(page.locator("#viewer tbody")).to_contain_text("not seen", timeout=30_000)
    table, column = (
        page.locator(f"#viewer {name}").bounding_box() for name in ("table", ".scroll")
    )
    assert table and column
    assert table["x"] + table["width"] <= column["x"] + column["width"] + 1
    dark = page.evaluate("document.body.classList.contains('dark')")
    assert dark == (scheme == "dark")
    context.close()


def test_a_question_mark_lists_the_keys(page: Page) -> None:
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("Arrow keys")
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
