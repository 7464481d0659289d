"""The viewer: the same answer as the server's, and inspection that asks the server nothing."""

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from demo.class_map import classify_pixels
from demo.classes import CLASSES, NOT_SEEN
from demo.framing import plan_framing
from demo.image import read_image
from demo.inference import segment
from demo.models.registry import Registry
from demo.segmentation import Segmentation
from demo.ui.examples import EXAMPLES_FOLDER
from demo.ui.viewer_value import ViewerValue, viewer_value
from demo.variants import get_variant
from tests.support import ROOT
from tests.support.browser import (
    ASTRONAUT,
    CAT,
    after_painting,
    choose_variant,
    choose_view,
    click_example,
    open_page,
    shown_colours,
    table_rows,
    upload,
    wait_for_result,
)
from tests.support.models import FAKE_WEIGHTS

DIMMED = round(0.35 * 255)
"""Opacity of the background in the overlay, in [0, 255]."""

AT = """
    const at = (name) =>
        import([...performance.getEntriesByType("resource")]
            .find((entry) => entry.name.endsWith("/viewer.js")).name.replace("viewer.js", name));
"""
"""Imports a module of the viewer as the page has it."""

PAINT = (
    f"async ([value, painterName, palette, state, width, height]) => {{{AT}"
    + """
    const { Field } = await at("field.js");
    const { buildStyle } = await at("style.js");
    const painters = { ...(await at("paint2d.js")), ...(await at("paintgl.js")) };
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    const painter = new painters[painterName](canvas);
    painter.setField(new Field(value));
    const hidden = new Set(state.hidden ?? []);
    const defaults = { view: "map", opacity: 1, threshold: 0, outlines: false, dim: false };
    const style = buildStyle({ ...defaults, ...state, hidden }, palette, state.outlineWidth);
    painter.paint(
        { left: 0, top: 0, stepX: value.width / width, stepY: value.height / height }, style);
    const flat = document.createElement("canvas");
    [flat.width, flat.height] = [width, height];
    flat.getContext("2d").drawImage(canvas, 0, 0);
    // Base64, because Playwright sends long arrays slowly.
    const bytes = flat.getContext("2d").getImageData(0, 0, width, height).data;
    const url = await new Promise((resolve) => {
        const reader = new FileReader();
        reader.onload = () => resolve(reader.result);
        reader.readAsDataURL(new Blob([bytes]));
    });
    return url.slice(url.indexOf(",") + 1);
}"""
)


@pytest.fixture(scope="module")
def modules(chromium: Browser, server: str) -> Iterator[Page]:
    """One page for all tests that call functions of the viewer's modules and change nothing."""
    with open_page(chromium, server) as page:
        yield page


def painted(
    page: Page,
    value: ViewerValue,
    painter: str,
    size_wh: tuple[int, int] | None = None,
    **state: Any,
) -> np.ndarray:
    """What a painter paints of the whole image at its own or another size, as H×W×4 RGBA."""
    palette = [c.colour for c in CLASSES]
    width, height = size_wh or (value["width"], value["height"])
    pixels = page.evaluate(PAINT, [value, painter, palette, state, width, height])
    return np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(height, width, 4)


def many_classes(image_hw: tuple[int, int], framing: str) -> Segmentation:
    """A result of smooth noise in which nearly every class leads somewhere."""
    plan = plan_framing(image_hw, framing, 256)
    height, width = (length // 16 for length in plan.network_hw)
    logits = np.random.default_rng(1).normal(0, 3, (21, height, width)).astype(np.float32)
    class_map = classify_pixels(logits, plan)
    return Segmentation(class_map, logits, plan, get_variant("s"), FAKE_WEIGHTS, 1.0)


def painted_share(page: Page) -> float:
    """Share of the shown image that is painted; what is dimmed or an outline is not."""
    return float((shown_colours(page)[..., 3] == round(0.6 * 255)).mean())


def found_share(page: Page) -> float:
    """What the table says of the same."""
    rows = table_rows(page)
    assert rows["person"] > 0
    return 1 - rows["background"] / sum(rows.values())


def unpaint(rgba: np.ndarray) -> np.ndarray:
    """Colours back to class ids; 254 where a colour is nobody's."""
    ids = np.full(rgba.shape[:2], 254, np.uint8)
    for c in CLASSES:
        ids[(rgba[..., :3] == c.colour).all(axis=2) & (rgba[..., 3] == 255)] = c.id
    return ids


@pytest.mark.parametrize("painter", ["Painter2D", "PainterGL"])
@pytest.mark.parametrize("framing", ["whole", "aspect", "crop"])
@pytest.mark.parametrize("image_hw", [(333, 501), (64, 700), (900, 41)], ids=str)
def test_it_paints_the_servers_class_map(
    modules: Page, painter: str, framing: str, image_hw: tuple[int, int]
) -> None:
    segmentation = many_classes(image_hw, framing)
    image = np.zeros((*image_hw, 3), np.uint8)
    shown = painted(modules, viewer_value(image, segmentation), painter)
    seen = segmentation.class_map != NOT_SEEN
    assert len(np.unique(segmentation.class_map)) > 15
    assert (unpaint(shown) == segmentation.class_map)[seen].mean() > 0.995
    grey = (shown[~seen] == (128, 128, 128, 255)).all(axis=1)
    clear = shown[~seen][:, 3] == 0
    assert (grey | clear).mean() > 0.995 if (~seen).any() else True


@pytest.mark.parametrize("painter", ["Painter2D", "PainterGL"])
def test_it_paints_a_photographs_result(modules: Page, painter: str) -> None:
    image = read_image(EXAMPLES_FOLDER / "astronaut.jpg")[:401, :333]
    segmentation = segment(image, Registry().get("xxs"))
    shown = painted(modules, viewer_value(image, segmentation), painter)
    assert (unpaint(shown) == segmentation.class_map).mean() > 0.999


@pytest.mark.parametrize("painter", ["Painter2D", "PainterGL"])
@pytest.mark.parametrize("image_hw", [(333, 501), (2, 2000), (1, 1)], ids=str)
@pytest.mark.parametrize("size_wh", [(280, 187), (501, 1)], ids=str)
def test_all_of_an_image_that_was_seen_is_painted(
    modules: Page, painter: str, image_hw: tuple[int, int], size_wh: tuple[int, int]
) -> None:
    value = viewer_value(np.zeros((*image_hw, 3), np.uint8), many_classes(image_hw, "whole"))
    shown = painted(modules, value, painter, size_wh)
    assert (unpaint(shown) != 254).all()


def softmax_of_the_winner(segmentation: Segmentation) -> np.ndarray:
    """At every pixel, by plain interpolation; H×W."""
    height, width = segmentation.image_hw

    def weights(pixels: int, count: int) -> np.ndarray:
        at = np.clip((np.arange(pixels) + 0.5) * count / pixels - 0.5, 0, count - 1)
        shares: np.ndarray = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(count)))
        return shares

    _, h, w = segmentation.logits.shape
    logits = segmentation.logits.astype(np.float16).astype(np.float64)
    scores = weights(height, h) @ logits @ weights(width, w).T
    confidence: np.ndarray = np.exp(scores.max(axis=0)) / np.exp(scores).sum(axis=0)
    return confidence


@pytest.mark.parametrize("painter", ["Painter2D", "PainterGL"])
def test_unsure_and_hidden_pixels(modules: Page, painter: str) -> None:
    segmentation = many_classes((200, 301), "whole")
    value = viewer_value(np.zeros((200, 301, 3), np.uint8), segmentation)
    sure = softmax_of_the_winner(segmentation) >= 0.6
    shown = painted(modules, value, painter, threshold=0.6, hidden=[7])
    expected = np.where(sure, segmentation.class_map, 254)
    expected[sure & (segmentation.class_map == 7)] = 0
    clear = shown[..., 3] == 0
    assert (np.where(clear, 0, unpaint(shown)) == expected).mean() > 0.99
    assert 0.2 < sure.mean() < 0.8


@pytest.mark.parametrize("painter", ["Painter2D", "PainterGL"])
@pytest.mark.parametrize("width", [1, 3])
def test_outlines_are_opaque_and_as_wide_as_wished(modules: Page, painter: str, width: int) -> None:
    segmentation = many_classes((200, 301), "whole")
    value = viewer_value(np.zeros((200, 301, 3), np.uint8), segmentation)
    state: dict[str, Any] = {
        "view": "overlay",
        "opacity": 0.4,
        "outlines": True,
        "outlineWidth": width,
    }
    opaque = painted(modules, value, painter, **state)[..., 3] == 255
    ids = segmentation.class_map
    line = np.zeros(ids.shape, bool)
    line[:, :-width] |= ids[:, :-width] != ids[:, width:]
    line[:-width] |= ids[:-width] != ids[width:]
    assert (opaque == line).mean() > 0.99 and 0.01 < line.mean() < 0.5


ISOLATE = (
    f"async ([hidden, presses]) => {{{AT}"
    + """
    const { isolateClass } = await at("legend.js");
    const set = new Set(hidden);
    for (const id of presses) isolateClass(set, id, [3, 8, 15]);
    return [...set].sort((one, other) => one - other);
}"""
)


@pytest.mark.parametrize(
    ("hidden", "presses", "expected"),
    [
        ([], [8], [3, 15]),
        ([], [8, 8], []),
        ([], [8, 15], [3, 8]),
        ([3, 8, 15], [8], [3, 15]),
    ],
    ids=["alone", "all again", "another", "all were hidden"],
)
def test_only_one_class_is_shown(
    modules: Page, hidden: list[int], presses: list[int], expected: list[int]
) -> None:
    assert modules.evaluate(ISOLATE, [hidden, presses]) == expected


ABOVE = (
    f"async ([value, counts, threshold]) => {{{AT}"
    + """
    const { Field } = await at("field.js");
    const { SureAreas } = await at("sure_areas.js");
    return new SureAreas(new Field(value), counts).above(threshold);
}"""
)


@pytest.mark.parametrize(
    ("peak", "slope", "least", "most"),
    [(0.5, 5.0, 0.0, 0.0), (100.0, 3000.0, 0.8, 1.0)],
    ids=["a faint speck", "a sure one"],
)
def test_a_class_smaller_than_the_samples_is_judged_by_itself(
    modules: Page, peak: float, slope: float, least: float, most: float
) -> None:
    logits = np.full((21, 32, 32), -50, np.float32)
    logits[0], logits[7] = 0, -slope
    logits[7, 10, 10] = peak
    plan = plan_framing((1000, 1000), "whole")
    class_map = classify_pixels(logits, plan)
    specks = int((class_map == 7).sum())
    assert 0 < specks < 100
    segmentation = Segmentation(class_map, logits, plan, get_variant("s"), FAKE_WEIGHTS, 1.0)
    value = viewer_value(np.zeros((1000, 1000, 3), np.uint8), segmentation)
    found = modules.evaluate(ABOVE, [value, value["areas"], 0.9])
    rows = dict(found["rows"])
    assert least * specks <= rows[7] <= most * specks
    assert sum(rows.values()) + found["unsure"] == 1_000_000


def test_inspecting_asks_the_server_nothing(page: Page) -> None:
    choose_variant(page, "S")  # it finds the person only
    expect(page.locator("#status")).to_contain_text("MobileViT-S took", timeout=60_000)
    page.wait_for_timeout(1_000)  # the click on the example has further events
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    viewer = page.locator("#viewer")
    assert painted_share(page) == pytest.approx(found_share(page), abs=0.01)

    viewer.get_by_label("Opacity").fill("0.4")
    alphas = np.unique(shown_colours(page)[..., 3])
    assert set(alphas) == {DIMMED, round(0.4 * 255), 255}  # background, person, outline

    areas = table_rows(page)
    viewer.get_by_label("Minimum confidence").fill("0.9")
    assert table_rows(page)["person"] < areas["person"]
    assert sum(table_rows(page).values()) == sum(areas.values())
    viewer.get_by_label("Minimum confidence").fill("0")
    assert table_rows(page) == areas

    person = viewer.get_by_role("button", name="person").first
    person.focus()
    page.keyboard.press("Enter")
    expect(person).to_have_attribute("aria-pressed", "false")
    assert not shown_colours(page)[..., 3].any()
    page.keyboard.press("Enter")
    viewer.get_by_role("button", name="Show person only").click()
    viewer.get_by_label("Colour-blind-safe colours").check()
    colours = shown_colours(page)
    line = colours[colours[..., 3] == 255]
    assert len(line) and (line[:, :3] == 255).all()
    person = colours[colours[..., 3] == round(0.4 * 255)]
    assert np.abs(person[:, :3].astype(int) - CLASSES[15].safe_colour).max() <= 2
    viewer.get_by_label("Outlines").uncheck()
    viewer.get_by_label("Dim the background").uncheck()
    assert set(np.unique(shown_colours(page)[..., 3])) == {0, round(0.4 * 255)}

    viewer.locator(".stage").hover(position={"x": 250, "y": 300})
    expect(viewer.locator(".readout")).to_contain_text("person")
    expect(viewer.locator(".readout")).to_contain_text("runner-up background")
    for view in ("Original", "Class map", "Confidence", "Overlay"):
        choose_view(page, view)
        after_painting(page)
    assert not requests


def test_zoom_pan_and_the_keyboard(page: Page) -> None:
    click_example(page)
    wait_for_result(page)
    viewer = page.locator("#viewer")
    whole = viewer.locator("img.photo").bounding_box()
    for _ in range(3):
        viewer.get_by_label("Zoom in").click()
    after_painting(page)
    close = viewer.locator("img.photo").bounding_box()
    assert whole and close and close["width"] == pytest.approx(whole["width"] * 1.5**3, rel=0.01)
    stage = viewer.locator(".stage")
    box = stage.bounding_box()
    assert box
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 230)
    page.mouse.up()
    after_painting(page)
    moved = viewer.locator("img.photo").bounding_box()
    assert moved and moved["x"] - close["x"] == pytest.approx(60, abs=1)
    stage.focus()
    page.keyboard.press("0")
    page.keyboard.press("ArrowRight")
    expect(viewer.locator(".pointer")).to_be_visible()
    expect(viewer.locator(".readout")).to_contain_text("person")
    after_painting(page)
    back = viewer.locator("img.photo").bounding_box()
    assert back and back["width"] == pytest.approx(whole["width"])


def test_what_is_said_of_a_point_follows_the_threshold(page: Page) -> None:
    click_example(page)
    wait_for_result(page)
    viewer = page.locator("#viewer")
    row = shown_colours(page)[300, :, 3] > DIMMED
    outline = int(np.flatnonzero(np.diff(row))[0])  # where nobody is sure
    box = viewer.locator("canvas.paint").bounding_box()
    assert box
    page.mouse.move(box["x"] + outline, box["y"] + 300)
    expect(viewer.locator(".readout")).to_have_text(re.compile(r"^(person|background) \d"))
    slider = viewer.get_by_label("Minimum confidence")
    slider.evaluate("slider => { slider.value = 0.9; slider.dispatchEvent(new Event('input')); }")
    expect(viewer.locator(".readout")).to_have_text(re.compile(r"^unsure: "))


def test_two_fingers_hold_the_image(page: Page) -> None:
    click_example(page)
    wait_for_result(page)
    viewer = page.locator("#viewer")
    for _ in range(2):
        viewer.get_by_label("Zoom in").click()
    viewer.locator(".stage").scroll_into_view_if_needed()
    after_painting(page)
    stage = viewer.locator(".stage").bounding_box()
    assert stage
    devtools = page.context.new_cdp_session(page)

    def touch(kind: str, *fingers: tuple[float, float]) -> None:
        points = [
            {"x": stage["x"] + x, "y": stage["y"] + y, "id": i} for i, (x, y) in enumerate(fingers)
        ]
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def under(x: float, y: float) -> list[float]:
        """What of the image is at a point of the stage, in shares of it."""
        after_painting(page)
        photo = viewer.locator("img.photo").bounding_box()
        assert photo
        return [
            (stage["x"] + x - photo["x"]) / photo["width"],
            (stage["y"] + y - photo["y"]) / photo["height"],
        ]

    first, second = under(150, 200), under(250, 240)
    touch("touchStart", (150, 200), (250, 240))
    touch("touchMove", (150, 200), (300, 260))  # one stays, the other moves away
    touch("touchMove", (190, 210), (340, 270))  # both move
    touch("touchEnd")
    assert under(190, 210) == pytest.approx(first, abs=0.005)
    assert under(340, 270) == pytest.approx(second, abs=0.005)


def test_escape_leaves_the_covering_viewer_from_anywhere_in_it(page: Page) -> None:
    """Where there is no full screen, as on iPhones."""
    page.evaluate("Object.defineProperty(document, 'fullscreenEnabled', { value: false })")
    page.set_viewport_size({"width": 390, "height": 700})
    click_example(page)
    wait_for_result(page)
    button = page.locator("#viewer .fullscreen")
    button.scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    button.click()
    expect(button).to_have_attribute("title", "Leave full screen")
    page.locator("#viewer [name=safe]").scroll_into_view_if_needed()
    expect(button).to_be_in_viewport()  # the way out stays in reach
    expect(page.locator("#viewer .viewer")).to_have_class(re.compile("covering"))
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(button).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#viewer .viewer")).not_to_have_class(re.compile("covering"))
    expect(button).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("scrollY") == before


def test_names_near_an_edge_are_shown_whole(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    click_example(page)
    wait_for_result(page)
    viewer = page.locator("#viewer")
    assert viewer.locator(".labels span").count() > 0
    for _ in range(5):
        # all boxes of one moment: the page may scroll between two questions
        stage, *names = viewer.locator(".stage, .labels span").evaluate_all(
            "elements => elements.map((element) => element.getBoundingClientRect().toJSON())"
        )
        for box in names:
            assert box["width"] > 40
            assert box["left"] >= stage["left"] - 0.5
            assert box["right"] <= stage["right"] + 0.5
            assert box["top"] >= stage["top"] - 0.5
            assert box["bottom"] <= stage["bottom"] + 0.5
        viewer.get_by_label("Zoom in").click()
        after_painting(page)


def test_choices_stay_when_another_image_comes(page: Page) -> None:
    click_example(page)
    wait_for_result(page)
    viewer = page.locator("#viewer")
    viewer.get_by_label("Opacity").fill("1")
    viewer.get_by_label("Labels").uncheck()
    choose_view(page, "Class map")
    viewer.get_by_label("Before / after").fill("0.5")
    upload(page, CAT)
    expect(viewer.locator("caption")).to_contain_text("451 × 300", timeout=30_000)
    assert (shown_colours(page)[..., 3] == 255).all()
    expect(viewer.get_by_label("Opacity")).to_have_value("1")
    expect(viewer.locator(".divider")).to_be_visible()
    assert viewer.locator(".labels span").count() == 0


def test_what_the_page_chose_by_itself_is_the_choice(chromium: Browser, server: str) -> None:
    """Somebody who is quicker than the first load gets its variant, and it is selected."""
    page = chromium.new_context().new_page()
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/queue/join*", hold_the_first)
    page.goto(server)
    upload(page, ASTRONAUT)
    wait_for_result(page)
    assert held
    expect(page.locator("#variant input:checked")).to_have_value("xxs")
    page.context.close()


def test_a_part_that_cannot_be_loaded_is_told(chromium: Browser, server: str) -> None:
    page = chromium.new_context().new_page()
    page.route("**/field.js", lambda route: route.abort())
    page.goto(server)
    expect(page.locator("#viewer .empty")).to_contain_text(
        "could not be loaded. Reload the page.", timeout=30_000
    )
    page.context.close()


def test_zoom_stays_when_the_same_image_is_framed_anew(page: Page) -> None:
    upload(page, CAT)
    wait_for_result(page)
    page.locator("#viewer").get_by_label("Zoom in").click()
    after_painting(page)
    close = page.locator("#viewer img.photo").bounding_box()
    page.get_by_role("button", name="Resizing").click()
    page.locator("#framing label", has_text="Centre only").click()
    expect(page.locator("#viewer tbody")).to_contain_text("not seen", timeout=30_000)
    after_painting(page)
    still = page.locator("#viewer img.photo").bounding_box()
    assert close and still and still["width"] == pytest.approx(close["width"])


PRETEND_GPU = """
    const ask = WebGL2RenderingContext.prototype.getParameter;
    WebGL2RenderingContext.prototype.getParameter = function (name) {
        return name === 0x9246 ? "A GPU" : ask.call(this, name); // UNMASKED_RENDERER_WEBGL
    };
"""
BLOCK_WEBGL_AFTER_ONE = """
    const create = HTMLCanvasElement.prototype.getContext;
    let left = 1;
    HTMLCanvasElement.prototype.getContext = function (kind, ...options) {
        return kind === "webgl2" && --left < 0 ? null : create.call(this, kind, ...options);
    };
"""


def test_where_webgl_can_no_longer_be_had_typed_arrays_paint(
    chromium: Browser, server: str
) -> None:
    with open_page(chromium, server, PRETEND_GPU + BLOCK_WEBGL_AFTER_ONE) as page:
        click_example(page)
        wait_for_result(page)
        assert painted_share(page) == pytest.approx(found_share(page), abs=0.01)


def test_a_lost_gpu_is_replaced_by_typed_arrays(chromium: Browser, server: str) -> None:
    with open_page(chromium, server, PRETEND_GPU) as page:
        click_example(page)
        wait_for_result(page)
        page.evaluate(
            """() => {
                const canvas = document.querySelector("#viewer canvas.paint");
                canvas.id = "lost";
                canvas.getContext("webgl2").getExtension("WEBGL_lose_context").loseContext();
            }"""
        )
        expect(page.locator("#lost")).to_have_count(0)
        expect(page.locator("#viewer canvas.paint")).to_have_count(1)
        assert painted_share(page) == pytest.approx(found_share(page), abs=0.01)


def read_composed(page: Page) -> np.ndarray:
    """Read the picture with another background: H×W×4 RGBA at the screen's resolution."""
    after_painting(page)
    composed = page.locator("#viewer canvas.composed")
    return decode_canvas(composed.evaluate("canvas => canvas.toDataURL()"))


def decode_canvas(source: str) -> np.ndarray:
    content = base64.b64decode(source.partition(",")[2])
    return np.asarray(PIL.Image.open(io.BytesIO(content)).convert("RGBA"))


def test_another_background_leaves_the_kept_classes(page: Page, tmp_path: Path) -> None:
    click_example(page)
    wait_for_result(page)
    choose_view(page, "Background")
    controls = page.locator("#viewer .background")
    expect(controls.get_by_label("person")).to_be_checked()
    controls.get_by_label("Refine edges (an embellishment)").uncheck()
    controls.get_by_label("Background").select_option("colour")
    composed = read_composed(page)
    is_green = (composed == (0, 177, 64, 255)).all(axis=2)
    share = 1 - table_rows(page)["person"] / 512**2
    assert abs(is_green.mean() - share) < 0.005
    controls.get_by_label("Background").select_option("transparent")
    assert (read_composed(page)[..., 3] == np.where(is_green, 0, 255)).mean() > 0.999
    controls.get_by_label("Refine edges (an embellishment)").check()
    with page.expect_download() as download:
        controls.get_by_role("button", name="Save this picture").click()
    download.value.save_as(tmp_path / "saved.png")
    saved = np.asarray(PIL.Image.open(tmp_path / "saved.png"))
    assert saved.shape == (512, 512, 4)
    assert len(np.unique(saved[..., 3])) > 100  # soft edges
    controls.get_by_label("person").uncheck()
    assert not read_composed(page)[..., 3].any()


REFINE = (
    f"async (edge) => {{{AT}"
    + """
    const { Field } = await at("field.js");
    const { RefinedField } = await at("refined_field.js");
    const [side, grid] = [128, 8];
    const image = document.createElement("canvas");
    image.width = image.height = side;
    const context = image.getContext("2d");
    context.fillStyle = "#a33";
    context.fillRect(0, 0, side, side);
    context.fillStyle = "#36a";
    context.fillRect(edge, 0, side, side);
    const logits = Float32Array.from({ length: 2 * grid * grid }, (_, i) =>
        (i % grid < grid / 2 ? 4 : -4) * (i < grid * grid ? 1 : -1));
    const box = [0, 0, side, side];
    const value = { logits, grid: [grid, grid], box, winners: [0, 1], width: side, height: side };
    const field = new Field(value);
    const refined = new RefinedField(field, { image, width: side, height: side });
    const whole = { left: 0, top: 0, stepX: 1, stepY: 1 };
    const [confidence, same] = [new Float32Array(side * side), new Float32Array(side * side)];
    const row = (ids) => Array.from(ids.subarray(side * 64, side * 65));
    const ids = [field.rasterise(whole, side, side, confidence),
                 refined.rasterise(whole, side, side, same)];
    return [...ids.map(row), confidence.every((each, i) => each === same[i])];
}"""
)


@pytest.mark.parametrize("edge", [62, 64, 66])
def test_refined_edges_follow_those_of_the_picture(modules: Page, edge: int) -> None:
    plain, refined, is_same_confidence = modules.evaluate(REFINE, edge)
    assert plain == [0] * 64 + [1] * 64
    found = refined.index(1)
    assert refined == [0] * found + [1] * (128 - found)
    assert abs(found - edge) < max(abs(64 - edge), 1)
    assert is_same_confidence


def test_the_overlay_is_refined_only_when_asked_for(page: Page) -> None:
    click_example(page, "astronaut")
    wait_for_result(page)
    before = table_rows(page)
    composed = page.locator("#viewer canvas.composed")
    expect(composed).to_be_hidden()
    page.locator("#viewer [name=refine]").check()
    expect(composed).to_be_visible()
    expect(page.locator("#viewer canvas.paint")).to_be_hidden()
    expect(composed).to_have_css("background-image", "none")  # the photo shows through
    person = read_composed(page)[..., 3] == round(0.6 * 255)
    assert abs(person.mean() - before["person"] / 512**2) < 0.03
    assert table_rows(page) == before
    choose_view(page, "Class map")
    expect(composed).to_be_hidden()
    expect(page.locator("#viewer [name=refine]")).to_be_disabled()


def test_a_picture_of_the_visitors_stands_behind(page: Page, tmp_path: Path) -> None:
    PIL.Image.new("RGB", (40, 20), (10, 20, 250)).save(tmp_path / "blue.png")
    click_example(page)
    wait_for_result(page)
    choose_view(page, "Background")
    controls = page.locator("#viewer .background")
    controls.get_by_label("Background").select_option("picture")
    controls.locator("input[type=file]").set_input_files(ROOT / "README.md")
    expect(controls.locator(".wrong")).to_contain_text("Choose another")
    controls.locator("input[type=file]").set_input_files(tmp_path / "blue.png")
    expect(controls.locator(".wrong")).to_have_text("")
    page.wait_for_function("() => document.querySelector('#viewer canvas.composed').width > 0")
    assert (np.abs(read_composed(page)[5, 5, :3].astype(int) - (10, 20, 250)) <= 2).all()
