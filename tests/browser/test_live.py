"""The live view, in a real Chromium with a fake camera that shows a photograph."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import PIL.Image
import pytest
from playwright.sync_api import Browser, Page, Playwright, WebSocket, WebSocketRoute, expect

from demo.variants import VARIANTS
from tests.support.browser import ASTRONAUT, launch_chromium


def write_y4m(file: Path) -> Path:
    """A film of the astronaut, standing still, for Chromium's fake camera."""
    photograph = (
        PIL.Image.open(ASTRONAUT).convert("YCbCr").resize((640, 640)).crop((0, 0, 640, 480))
    )
    planes = [np.asarray(plane) for plane in photograph.split()]
    quarter = [p.reshape(240, 2, 320, 2).mean(axis=(1, 3)).astype(np.uint8) for p in planes[1:]]
    frame = b"FRAME\n" + b"".join(plane.tobytes() for plane in (planes[0], *quarter))
    file.write_bytes(b"YUV4MPEG2 W640 H480 F30:1 Ip A1:1 C420jpeg\n" + frame * 10)
    return file


@pytest.fixture(scope="module")
def camera(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    film = write_y4m(tmp_path_factory.mktemp("camera") / "film.y4m")
    browser = launch_chromium(playwright, f"--use-file-for-fake-video-capture={film}")
    yield browser
    browser.close()


@pytest.fixture
def live(camera: Browser, server: str) -> Iterator[Page]:
    """The tab of the live view, before it is started."""
    context = camera.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["camera"])
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(server)
    page.get_by_role("tab", name="Live").click()
    yield page
    context.close()
    assert not trouble


def start(page: Page) -> None:
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator(".live .stats")).to_contain_text("frames/s", timeout=60_000)


def painted_share(page: Page) -> float:
    """Share of the overlay's canvas that is painted."""
    return float(
        page.locator(".live canvas.paint").evaluate(
            """(canvas) => {
                const flat = document.createElement("canvas");
                [flat.width, flat.height] = [canvas.width, canvas.height];
                flat.getContext("2d").drawImage(canvas, 0, 0);
                const { data } = flat.getContext("2d").getImageData(0, 0, flat.width, flat.height);
                let painted = 0;
                for (let i = 3; i < data.length; i += 4) painted += data[i] > 0;
                return painted / (flat.width * flat.height);
            }"""
        )
    )


def is_camera_on(page: Page) -> bool:
    return bool(page.locator(".live video").evaluate("video => Boolean(video.srcObject)"))


def wait_until_closed(socket: WebSocket, page: Page) -> None:
    """The page closes at once; the closing handshake takes its time."""
    for _ in range(100):
        if socket.is_closed():
            return
        page.wait_for_timeout(100)
    pytest.fail("the socket was left open")


def test_a_person_is_marked_and_freeze_keeps_the_full_picture(live: Page) -> None:
    start(live)
    expect(live.locator(".live .legend")).to_contain_text("person")
    assert 0.2 < painted_share(live) < 0.8
    expect(live.locator(".live .stage")).to_have_class(re.compile("mirrored"))
    expect(live.locator(".live .message")).to_contain_text("MobileViT-XXS is running")
    live.get_by_text("About the weights").click()
    expect(live.locator(".live .weights p")).to_contain_text("They do not know bottle")
    live.get_by_role("button", name="Freeze this frame").click()
    expect(live.locator("#status")).to_contain_text("took", timeout=30_000)
    expect(live.locator("#viewer caption")).to_contain_text("640 × 480")
    assert not is_camera_on(live)


def test_another_variant_goes_on_with_the_same_camera(live: Page) -> None:
    sockets: list[WebSocket] = []

    def remember(socket: WebSocket) -> None:
        sockets.append(socket)

    live.on("websocket", remember)
    variants = live.locator(".live .variants input")
    assert variants.evaluate_all("inputs => inputs.map(({ value }) => value)") == list(VARIANTS)
    start(live)
    track = live.evaluate_handle("document.querySelector('.live video').srcObject.getTracks()[0]")
    live.locator(".live .variants input:checked").press("ArrowRight")
    expect(live.locator(".live .message")).to_contain_text("MobileViT-XS is", timeout=60_000)
    expect(live.locator(".live .stats")).to_contain_text("frames/s")
    assert [socket.url.partition("?")[2] for socket in sockets] == ["variant=xxs", "variant=xs"]
    wait_until_closed(sockets[0], live)
    assert not sockets[1].is_closed()
    assert track.evaluate("track => track.readyState") == "live"


def hover(page: Page, x: float, y: float) -> None:
    """Point at a fraction of the live picture's width and height."""
    box = page.locator(".live .stage").bounding_box()
    assert box
    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])


def test_the_class_at_the_pointer_is_named_as_it_is_painted(live: Page) -> None:
    """At this point, the astronaut is seen only in the mirrored picture."""
    start(live)
    tag, mirror = live.locator(".live .tag"), live.locator(".live [name=mirror]")
    expect(tag).to_be_hidden()
    hover(live, 0.85, 0.8)
    expect(tag).to_have_text("person")
    hover(live, 1.1, 0.8)
    expect(tag).to_be_hidden()
    mirror.uncheck()
    hover(live, 0.85, 0.8)
    expect(tag).to_have_text("background")


def test_the_class_is_named_by_keyboard(live: Page) -> None:
    start(live)
    tag, stage = live.locator(".live .tag"), live.locator(".live .stage")
    stage.press("ArrowDown")
    expect(tag).to_have_text("person")
    expect(live.locator(".live .spoken")).to_have_text("person")
    stage.press("Escape")
    expect(tag).to_be_hidden()


def test_names_on_the_regions_can_be_turned_off(live: Page) -> None:
    start(live)
    expect(live.locator(".live .labels span")).to_have_text(["person"])
    live.locator(".live [name=labels]").uncheck()
    expect(live.locator(".live .labels span")).to_have_count(0)


def test_one_camera_is_listed(live: Page) -> None:
    expect(live.locator(".live .camera")).to_be_hidden()
    start(live)
    expect(live.locator(".live .camera")).to_be_visible()
    expect(live.locator(".live .camera option")).to_have_count(1)


MEASURE_CONTROLS = """() => [...document.querySelectorAll(
    ".live button, .live select, .live [type=range], .live .variants span, .live .choices label, "
    + ".live summary")]
    .filter((control) => control.offsetParent && !control.matches("legend *"))
    .map((control) => [control.outerHTML, control.getBoundingClientRect().height])"""


@pytest.mark.parametrize("width", [390, 320])
def test_a_phone_shows_all_controls_large_and_nothing_sideways(live: Page, width: int) -> None:
    live.set_viewport_size({"width": width, "height": 700})
    for is_running in (False, True):
        if is_running:
            start(live)
        controls = live.evaluate(MEASURE_CONTROLS)
        assert len(controls) > 8
        assert [control for control, height in controls if height < 44] == []
        assert live.evaluate("document.documentElement.scrollWidth") == width


def test_on_a_phone_the_picture_stays_in_view_beside_the_settings(live: Page) -> None:
    live.set_viewport_size({"width": 390, "height": 700})
    start(live)
    live.locator(".live [name=safe]").scroll_into_view_if_needed()
    expect(live.locator(".live [name=safe]")).to_be_in_viewport()
    expect(live.locator(".live .stage")).to_be_in_viewport(ratio=0.9)
    live.wait_for_timeout(500)
    expect(live.locator(".live .message")).to_contain_text("MobileViT-XXS is running")


def test_sliders_say_their_values(live: Page) -> None:
    opacity = live.locator(".live [name=opacity]")
    expect(opacity).to_have_attribute("aria-valuetext", "60 %")
    opacity.press("ArrowRight")
    expect(opacity).to_have_attribute("aria-valuetext", "61 %")


def test_freeze_takes_all_that_the_camera_can_give(page: Page) -> None:
    """Chromium's own fake camera has several sizes; the live view takes a smaller one."""
    page.context.grant_permissions(["camera"])
    page.get_by_role("tab", name="Live").click()
    start(page)
    width = int(page.locator(".live video").evaluate("video => video.videoWidth"))
    largest = page.locator(".live video").evaluate(
        """(video) => {
            const { width, height } = video.srcObject.getTracks()[0].getCapabilities();
            return [width.max, height.max];
        }"""
    )
    assert largest[0] > width
    page.get_by_role("button", name="Freeze this frame").click()
    expect(page.locator("#viewer caption")).to_contain_text(
        "{} × {}".format(*largest), timeout=30_000
    )


def test_stop_releases_the_camera_and_start_works_again(live: Page) -> None:
    start(live)
    track = live.evaluate_handle("document.querySelector('.live video').srcObject.getTracks()[0]")
    live.get_by_role("button", name="Stop").click()
    assert track.evaluate("track => track.readyState") == "ended"
    expect(live.locator(".live .message")).to_contain_text("The camera is off")
    start(live)


def test_the_side_can_be_fixed(live: Page) -> None:
    start(live)
    for side in ("384", "256"):
        live.locator(".live [name=side]").select_option(side)
        expect(live.locator(".live .stats")).to_contain_text(f"{side} × {side} px")
    expect(live.locator(".live .stats")).to_contain_text(re.compile(r"Flicker\s*[0-9.]+ %"))


DELAY_ANSWERS = """(delay) => {
    const add = WebSocket.prototype.addEventListener;
    WebSocket.prototype.addEventListener = function (type, listener) {
        const late = (event) => setTimeout(() => listener(event), delay);
        add.call(this, type, type === "message" ? late : listener);
    };
}"""


def test_late_answers_make_the_side_smaller(live: Page) -> None:
    live.evaluate(DELAY_ANSWERS, 200)
    live.locator(".live [name=side]").select_option("512")
    start(live)
    expect(live.locator(".live .stats")).to_contain_text("512 × 512 px")
    live.locator(".live [name=side]").select_option("auto")
    expect(live.locator(".live .stats")).to_contain_text("256 × 256 px", timeout=15_000)


def test_the_side_begins_where_the_last_session_ended(live: Page) -> None:
    live.evaluate("localStorage.setItem('live side xxs', '512')")
    live.evaluate(DELAY_ANSWERS, 200)
    start(live)
    live.wait_for_function("localStorage.getItem('live side xxs') === '256'")
    live.evaluate("localStorage.setItem('live side xxs', '384')")
    live.reload()
    live.get_by_role("tab", name="Live").click()
    live.get_by_role("button", name="Start the camera").click()
    live.wait_for_function(
        "document.querySelector('.live .stats').textContent.includes('384 × 384 px')"
    )


def test_results_too_old_to_be_shown_are_told(live: Page) -> None:
    live.evaluate(DELAY_ANSWERS, 1500)
    start(live)
    expect(live.locator(".live .slow")).to_be_visible()
    assert painted_share(live) == 0


def test_a_frame_that_cannot_be_sent_is_no_end(live: Page) -> None:
    start(live)
    live.route("**/upload*", lambda route: route.abort())
    freeze = live.get_by_role("button", name="Freeze this frame")
    freeze.click()
    expect(live.locator(".live .message.wrong")).to_contain_text("could not be sent")
    assert is_camera_on(live)
    live.unroute("**/upload*")
    freeze.click()
    expect(live.locator("#status")).to_contain_text("took", timeout=30_000)
    assert not is_camera_on(live)


def test_the_choice_to_mirror_stays(live: Page) -> None:
    start(live)
    mirror = live.locator(".live [name=mirror]")
    expect(mirror).to_be_checked()
    mirror.uncheck()
    live.get_by_role("button", name="Stop").click()
    start(live)
    expect(mirror).not_to_be_checked()


FAULTS = {
    "NotAllowedError": "The camera was not allowed",
    "NotFoundError": "There is no camera",
    "NotReadableError": "The camera is in use by another program",
    "OverconstrainedError": "This camera is gone",
    "AbortError": "could not be opened (AbortError)",
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_camera_that_cannot_be_had_is_a_sentence(live: Page, name: str) -> None:
    live.evaluate(
        """(name) => {
            navigator.mediaDevices.getUserMedia = async () => {
                throw new DOMException("refused by the test", name);
            };
        }""",
        name,
    )
    live.get_by_role("button", name="Start the camera").click()
    expect(live.locator(".live .message.wrong")).to_contain_text(FAULTS[name])
    expect(live.get_by_role("button", name="Start the camera")).to_be_visible()


def test_a_camera_that_was_replaced_is_forgotten(live: Page) -> None:
    start(live)
    live.get_by_role("button", name="Stop").click()
    live.evaluate(
        """() => {
            const devices = navigator.mediaDevices;
            const open = devices.getUserMedia.bind(devices);
            devices.getUserMedia = async ({ video }) => {
                if (video.deviceId) throw new DOMException("it is gone", "OverconstrainedError");
                return open({ video });
            };
            devices.enumerateDevices = async () => [];
        }"""
    )
    live.get_by_role("button", name="Start the camera").click()
    expect(live.locator(".live .message.wrong")).to_contain_text("This camera is gone")
    start(live)


def test_a_legend_that_is_used_while_results_come_in(live: Page) -> None:
    start(live)
    person = live.locator(".live .legend button.class", has_text="person")
    element = person.element_handle()
    first = person.inner_text()
    live.locator(".live [name=side]").select_option("512")
    expect(person).not_to_have_text(first, timeout=10_000)
    assert element.evaluate("button => button.isConnected")
    person.click()
    expect(person).to_have_attribute("aria-pressed", "false")
    # A result that has faded, as while another size is prepared, is not painted again.
    expect(live.locator(".live canvas.paint")).to_have_css("opacity", "1")
    assert painted_share(live) < 0.01


def test_the_stage_follows_a_camera_that_is_turned(live: Page) -> None:
    start(live)
    live.evaluate(
        """() => {
            const [track] = document.querySelector(".live video").srcObject.getTracks();
            return track.applyConstraints({ width: { exact: 240 }, height: { exact: 320 } });
        }"""
    )
    expect(live.locator(".live .stage")).to_have_css("aspect-ratio", "240 / 320")


def test_focus_stays_on_the_button_that_takes_the_others_place(live: Page) -> None:
    expect(live.get_by_role("button", name="Start the camera")).to_be_enabled()
    live.get_by_role("button", name="Start the camera").focus()
    live.keyboard.press("Enter")
    expect(live.get_by_role("button", name="Stop")).to_be_focused(timeout=30_000)
    live.keyboard.press("Enter")
    expect(live.get_by_role("button", name="Start the camera")).to_be_focused()


def test_a_camera_that_is_unplugged_ends_it(live: Page) -> None:
    start(live)
    live.evaluate(
        """() => {
            const [track] = document.querySelector(".live video").srcObject.getTracks();
            track.dispatchEvent(new Event("ended"));
        }"""
    )
    expect(live.locator(".live .message.wrong")).to_contain_text("The camera was disconnected")
    assert not is_camera_on(live)


def test_out_of_sight_it_leaves_its_place_and_comes_back(live: Page) -> None:
    sockets: list[WebSocket] = []

    def remember(socket: WebSocket) -> None:
        sockets.append(socket)

    live.on("websocket", remember)
    start(live)
    live.get_by_role("tab", name="Image").click()
    expect(live.locator(".live .message")).to_contain_text("Paused")
    wait_until_closed(sockets[0], live)
    assert is_camera_on(live)
    live.get_by_role("tab", name="Live").click()
    expect(live.locator(".live .message")).to_contain_text("is running", timeout=10_000)
    assert len(sockets) == 2


def test_a_lost_connection_is_made_again(live: Page) -> None:
    live.evaluate(
        """() => {
            const Original = WebSocket;
            window.opened = [];
            window.WebSocket = class extends Original {
                constructor(address) {
                    super(window.isDown ? address.href.replace("/live", "/nowhere") : address);
                    window.opened.push(this);
                }
            };
        }"""
    )
    start(live)
    live.evaluate("window.isDown = true; window.opened[0].close()")
    expect(live.locator(".live .message.wrong")).to_contain_text("The connection was lost")
    expect(live.locator(".live canvas.paint")).to_have_css("opacity", "0")
    expect(live.locator(".live .stats")).to_be_empty()
    live.get_by_role("tab", name="Image").click()
    expect(live.locator(".live .message")).to_contain_text("Paused")
    live.evaluate("window.isDown = false; window.before = window.opened.length")
    live.wait_for_timeout(5_000)  # longer than any wait between attempts
    assert live.evaluate("window.opened.length === window.before")
    live.get_by_role("tab", name="Live").click()
    expect(live.locator(".live .message")).to_contain_text("is running", timeout=15_000)


READY = {
    "ready": "MobileViT-XXS",
    "weights": "Weights of the test.",
    "precision": "bf16",
    "has_bf16": True,
}


def test_full_precision_can_be_chosen_where_bf16_is_used(live: Page) -> None:
    asked: list[str] = []

    def answer(socket: WebSocketRoute) -> None:
        asked.append(socket.url.partition("?")[2])
        is_exact = "precision=f32" in socket.url
        socket.send(json.dumps({**READY, "precision": "f32" if is_exact else "bf16"}))

    live.route_web_socket(re.compile(r"/live\?"), answer)
    live.get_by_role("button", name="Start the camera").click()
    expect(live.locator(".live .message")).to_have_text("MobileViT-XXS is running in bf16.")
    live.get_by_label("Full precision").check()
    expect(live.locator(".live .message")).to_have_text("MobileViT-XXS is running in f32.")
    assert asked == ["variant=xxs", "variant=xxs&precision=f32"]


def test_a_server_that_falls_silent_is_a_lost_connection(live: Page) -> None:
    ready = json.dumps({**READY, "has_bf16": False})
    sockets: list[WebSocketRoute] = []

    def answer(socket: WebSocketRoute) -> None:
        """The first one is ready and says nothing more; the others are closed at once."""
        sockets.append(socket)
        if len(sockets) == 1:
            socket.send(ready)
        else:
            socket.close()

    live.route_web_socket(re.compile(r"/live\?"), answer)
    live.get_by_role("button", name="Start the camera").click()
    expect(live.locator(".live .message")).to_have_text("MobileViT-XXS is running in bf16.")
    expect(live.locator(".live .weights p")).to_have_text("Weights of the test.")
    expect(live.get_by_label("Full precision")).to_be_hidden()
    expect(live.locator(".live .message.wrong")).to_contain_text(
        "The connection was lost", timeout=15_000
    )


def test_a_full_server_is_a_sentence_with_the_waiting_time(live: Page) -> None:
    live.evaluate(
        """async () => {
            const address = new URL("live", document.baseURI);
            address.protocol = "ws:";
            window.others = Array.from({ length: 64 }, () => new WebSocket(address));
            await Promise.all(window.others.map((other) =>
                new Promise((done) => (other.onmessage = done))));
        }"""
    )
    live.get_by_role("button", name="Start the camera").click()
    expect(live.locator(".live .message.wrong")).to_contain_text(
        re.compile(r"live places for your network are taken. Try again in \d+ s"), timeout=15_000
    )
    assert not is_camera_on(live)
    live.evaluate("window.others.forEach((other) => other.close())")
    start(live)


def test_another_background_is_drawn_and_recorded(live: Page, tmp_path: Path) -> None:
    start(live)
    live.get_by_label("Another background").check()
    live.locator(".live .background").get_by_label("Background").select_option("colour")
    composed = live.locator(".live canvas.composed")
    expect(composed).to_be_visible()
    corner = "document.querySelector('.live .composed').getContext('2d').getImageData(2, 2, 1, 1)"
    live.wait_for_function(f"() => {corner}.data[1] === 177")
    with live.expect_download() as download:
        live.get_by_role("button", name="Record", exact=True).click()
        said = re.compile(r"Recording, 0:0[2-9], .* MB")
        expect(live.locator(".live .message")).to_contain_text(said, timeout=30_000)
        live.get_by_role("button", name="Stop recording").click()
    expect(live.locator(".live .message")).to_contain_text("was saved as segmentation.")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    with av.open(str(file)) as recording:
        *_, last = recording.decode(video=0)
    assert (last.width, last.height) == (640, 480)
    red, green, blue = last.to_ndarray(format="rgb24")[4, 4].astype(int)
    assert green > red + 80 and green > blue + 60
