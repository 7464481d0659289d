"""The page without a server: the same answers as the app's, offline, and its faults."""

import base64
import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from filelock import FileLock
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, Playwright, expect

from demo.classes import CLASS_NAMES, PALETTE
from demo.exports import build_files
from demo.framing import frame_pixels, plan_framing
from demo.image import read_image
from demo.inference import segment
from demo.models.checkpoint import Accuracy, WeightsSource
from demo.models.model import Model
from demo.models.onnx_export import export_onnx
from demo.models.registry import Registry
from demo.segmentation import Segmentation
from demo.site import SiteNotBuilt, build_site
from demo.variants import VARIANTS
from demo.web.built_site import ISOLATION
from tests.support import ROOT
from tests.support.browser import ASTRONAUT, CAT, launch_chromium, table_rows
from tests.support.checkpoints import save_own
from tests.support.server import copy_without, run_app
from tests.support.site import served

SEGMENT = """async ({ rgba, width, height, variant, framing, side, file }) => {
  const { Network } = await import(new URL("browser/network.js", document.baseURI));
  const { readSite } = await import(new URL("browser/site.js", document.baseURI));
  const site = await readSite();
  const networks = Object.fromEntries(Object.entries(site.networks).map(([k, v]) => [k, v.file]));
  if (file) networks[variant] = file;
  const { runtime } = site;
  const setup = { base: document.baseURI, runtime, networks, threads: 2, gpu: "none" };
  // One worker serves all tests but those with a file of their own.
  const network = file ? new Network(setup) : (globalThis.shared ??= new Network(setup));
  const bytes = Uint8ClampedArray.from(atob(rgba), (character) => character.charCodeAt(0));
  const image = new ImageData(bytes, width, height);
  const answer = await network.segment({ image, variant, framing, side, hasMap: true });
  if (file) network.worker.terminate();
  const encode = (array) => {
    let text = "";
    for (const byte of new Uint8Array(array.buffer)) text += String.fromCharCode(byte);
    return btoa(text);
  };
  const { logits, classMap, ...rest } = answer;
  return { ...rest, logits: encode(logits), classMap: encode(classMap) };
}"""

RESAMPLE = """async ({ rgba, from, to }) => {
  const { resample } = await import(new URL("browser/resample.js", document.baseURI));
  const bytes = Uint8Array.from(atob(rgba), (character) => character.charCodeAt(0));
  return Array.from(resample(bytes, from, to));
}"""


@pytest.fixture(scope="session")
def site(shared_folder: Path) -> Path:
    """The site, built once for the tests of all processes."""
    folder = shared_folder / "site"
    with FileLock(shared_folder / "site.lock"):
        if not (folder / "files.json").exists():  # it is written last
            build_site(folder)
    return folder


@contextmanager
def own_context(chromium: Browser, address: str) -> Iterator[BrowserContext]:
    """A context whose pages may ask nobody but the address; no script of theirs fails."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    trouble: list[str] = []
    context.on("weberror", lambda error: trouble.append(str(error.error)))
    allowed = (address, "data:", "blob:")
    context.on(
        "request",
        lambda request: None if request.url.startswith(allowed) else trouble.append(request.url),
    )
    yield context
    context.close()
    assert not trouble


def wait_for_result(page: Page) -> None:
    expect(page.locator("#status")).to_contain_text("in this browser", timeout=120_000)
    page.locator("#viewer canvas.paint").wait_for()


def in_base64(pixels: np.ndarray) -> str:
    alpha = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    return base64.b64encode(np.dstack([pixels, alpha]).tobytes()).decode()


@pytest.fixture(scope="session")
def registry_of_bundled(converted: None) -> Registry:
    from demo.models.registry import default_registry

    return default_registry()


@pytest.fixture(scope="session")
def open_site(chromium: Browser, site: Path) -> Iterator[Page]:
    with served(site, is_isolated=True) as address, own_context(chromium, address) as context:
        page = context.new_page()
        page.goto(address)
        wait_for_result(page)
        yield page


def test_the_first_result_comes_by_itself_and_again_without_a_network(
    chromium: Browser, site: Path
) -> None:
    with served(site, is_isolated=True) as address:
        context_manager = own_context(chromium, address)
        context = context_manager.__enter__()
        page = context.new_page()
        page.goto(address)
        wait_for_result(page)
        assert page.evaluate("crossOriginIsolated")
        online = table_rows(page)
        assert {"background", "person"} <= set(online)
    context.set_offline(True)
    page.reload()
    wait_for_result(page)
    assert table_rows(page) == online
    kept = page.evaluate(
        "async () => (await (await caches.open('segmentation')).keys()).map(({ url }) => url)"
    )
    assert f"{address}viewer/viewer.js" in kept
    assert any("/networks/xxs-" in url for url in kept)
    context_manager.__exit__(None, None, None)


@pytest.mark.parametrize(
    ("from_wh", "to_wh"),
    [
        ((1, 1), (64, 32)),
        ((1, 9), (5, 5)),
        ((37, 53), (256, 256)),
        ((641, 479), (256, 352)),
        ((1000, 3), (32, 64)),
        ((256, 300), (256, 64)),
    ],
    ids=str,
)
def test_resizing_equals_pillows(
    open_site: Page, from_wh: tuple[int, int], to_wh: tuple[int, int]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*from_wh[::-1], 3), np.uint8)
    wanted = PIL.Image.fromarray(pixels).resize(to_wh, PIL.Image.Resampling.BILINEAR)
    sizes = [dict(zip(("width", "height"), size, strict=True)) for size in (from_wh, to_wh)]
    resized = open_site.evaluate(
        RESAMPLE, {"rgba": in_base64(pixels), "from": sizes[0], "to": sizes[1]}
    )
    assert (np.array(resized, np.uint8).reshape(*to_wh[::-1], 3) == np.asarray(wanted)).all()


def write_in_f32(variant: str, site: Path) -> dict[str, object]:
    """Put a network in f32 beside the site's networks, and describe the file."""
    content = export_onnx(VARIANTS[variant], in_fp16=False).onnx
    path = f"networks/{variant}-f32.onnx"
    (site / path).write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    return {"path": path, "bytes": len(content), "sha256": digest}


@pytest.mark.parametrize(
    ("variant", "hw", "framing", "side"),
    [
        ("xxs", None, "whole", 512),
        ("xxs in f32", None, "whole", 512),
        ("xs", None, "whole", 256),
        ("xs in f32", None, "whole", 256),
        ("s", None, "whole", 256),
        ("s in f32", None, "whole", 256),
        ("xxs", (231, 617), "auto", 256),
        ("xxs", (479, 641), "aspect", 256),
        ("xxs", (1, 1), "whole", 256),
        ("xxs", (700, 3), "aspect", 256),
    ],
    ids=lambda value: "astronaut" if value is None else str(value),
)
def test_logits_and_class_map_equal_the_apps(
    open_site: Page,
    registry_of_bundled: Registry,
    site: Path,
    variant: str,
    hw: tuple[int, int] | None,
    framing: str,
    side: int,
) -> None:
    variant, _, is_f32 = variant.partition(" in ")
    most, least_same = (1e-3, 0.999) if is_f32 else (2e-2, 0.998)
    model: Model = registry_of_bundled.get(variant)
    image = read_image(ASTRONAUT)
    if hw:
        image = frame_pixels(image, plan_framing(image.shape[:2], "whole"))
        image = np.asarray(PIL.Image.fromarray(image).resize(hw[::-1]))
    wanted = segment(image, model, framing=framing, side=side)
    request = {
        "rgba": in_base64(image),
        "width": image.shape[1],
        "height": image.shape[0],
        "variant": variant,
        "framing": framing,
        "side": side,
        "file": write_in_f32(variant, site) if is_f32 else None,
    }
    answer = open_site.evaluate(SEGMENT, request)
    logits = np.frombuffer(base64.b64decode(answer["logits"]), np.float32)
    class_map = np.frombuffer(base64.b64decode(answer["classMap"]), np.uint8)
    assert answer["framing"] == wanted.framing.name
    assert answer["grid"] == list(wanted.logits.shape[1:])
    assert np.abs(logits.reshape(wanted.logits.shape) - wanted.logits).max() < most
    same = class_map.reshape(image.shape[:2]) == wanted.class_map
    assert same.mean() >= least_same
    assert sum(pixels for _, pixels in answer["areas"]) == class_map.size


SEGMENT_ON_GPU = """async ({ rgba, side, gpuModule }) => {
  const { Network } = await import(new URL("browser/network.js", document.baseURI));
  const { readSite } = await import(new URL("browser/site.js", document.baseURI));
  const { networks, runtime } = await readSite();
  if (gpuModule) runtime.gpu.module.path = runtime.suspending.module.path = gpuModule;
  const network = new Network({
    base: document.baseURI, runtime, networks: { xxs: networks.xxs.file }, threads: 1, gpu: "any",
  });
  const bytes = Uint8ClampedArray.from(atob(rgba), (character) => character.charCodeAt(0));
  const live = { smoothing: 0, isFirst: true };
  const segment = () => network.segment({
    image: new ImageData(bytes.slice(), side, side), variant: "xxs", framing: "whole", side, live,
  });
  const onCpu = await segment();
  let latest = onCpu;
  while (latest.processor === "the CPU") {
    await new Promise((resolve) => setTimeout(resolve, 250));
    latest = await segment();
  }
  network.worker.terminate();
  return { before: onCpu.processor, after: latest.processor,
           difference: Math.max(...latest.logits.map((l, i) => Math.abs(l - onCpu.logits[i]))) };
}"""

OTHER_LOGITS = """
export class Tensor {}
const logits = { dims: [1, 21, 4, 4], data: new Float32Array(336) };
const session = { run: async () => ({ logits }) };
export const InferenceSession = { create: async () => session };
export const env = { wasm: {} };
"""


@pytest.mark.parametrize(
    "gpu_module",
    [
        pytest.param("", id="same", marks=pytest.mark.long),
        pytest.param("runtime/other.mjs", id="other-logits"),
    ],
)
def test_a_gpu_is_used_for_live_frames_if_its_logits_are_the_same(
    playwright: Playwright, site: Path, gpu_module: str
) -> None:
    (site / "runtime" / "other.mjs").write_text(OTHER_LOGITS)
    side = 64  # an imitated GPU takes half a minute for one of 256
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    flags = ("--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader")
    browser = launch_chromium(playwright, *flags)
    with served(site, is_isolated=True) as address, own_context(browser, address) as context:
        page = context.new_page()
        page.goto(f"{address}licences.txt")
        request = {"rgba": in_base64(pixels), "side": side, "gpuModule": gpu_module}
        found = page.evaluate(SEGMENT_ON_GPU, request)
    browser.close()
    assert found["before"] == "the CPU"
    if gpu_module:
        assert found["after"] == "the CPU, because the GPU gave other logits"
        return
    assert found["after"] == "the GPU"
    assert found["difference"] < 1e-3


SHORT_OF_MEMORY = """
import * as ort from "./{name}?real";
export const {{ Tensor, env }} = ort;
export const InferenceSession = {{
  create: async (...content) => {{
    const session = await ort.InferenceSession.create(...content);
    const run = (feeds) => {{
      if (feeds.pixel_values.dims[2] > 256) throw new Error("std::bad_alloc");
      return session.run(feeds);
    }};
    return {{ run }};
  }},
}};
"""


def test_a_smaller_input_is_used_where_memory_runs_out(chromium: Browser, site: Path) -> None:
    # Without the headers of isolation there is one thread, too, as on any server of files.
    with served(site, is_isolated=False) as address, own_context(chromium, address) as context:
        context.add_init_script("delete Navigator.prototype.serviceWorker")

        def imitate(route: Any) -> None:
            name = route.request.url.rpartition("/")[2]
            module = SHORT_OF_MEMORY.format(name=name)
            route.fulfill(body=module, content_type="text/javascript")

        context.route(re.compile(r"/runtime/ort\.wasm[^?]*\.mjs$"), imitate)
        page = context.new_page()
        page.goto(address)
        wait_for_result(page)
        sentence = "There was too little memory, so the network saw only 256 × 256 pixels."
        expect(page.locator("#status")).to_contain_text(sentence)


def test_another_picture_and_variant_are_segmented(open_site: Page) -> None:
    open_site.locator("#tab-image").click()
    open_site.locator(".picker input[type=file]").set_input_files(ASTRONAUT)
    expect(open_site.locator(".picker .name")).to_have_text("astronaut.jpg")
    open_site.locator(".model label", has_text="XS").nth(1).click()
    expect(open_site.locator("#status")).to_contain_text("MobileViT-XS took", timeout=120_000)
    assert table_rows(open_site)["person"] > 50_000
    open_site.locator(".picker input[type=file]").set_input_files(ROOT / "README.md")
    expect(open_site.locator("#status")).to_contain_text("Choose a JPEG, PNG or WebP")
    expect(open_site.locator(".picker .name")).to_have_text("astronaut.jpg")  # as the viewer shows


def test_the_files_equal_those_of_the_app(open_site: Page) -> None:
    open_site.locator("#tab-image").click()
    open_site.locator(".picker .examples button").first.click()
    wait_for_result(open_site)
    open_site.locator("#downloads summary").click()
    with open_site.expect_download() as download:
        open_site.get_by_role("button", name="Download ZIP").click()
    assert download.value.suggested_filename == "astronaut-segmentation.zip"
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    image = read_image(io.BytesIO(files["JPEGImages/astronaut.png"]).getvalue())
    class_map = read_ids(files["classes.png"])
    run = json.loads(files["run.json"])
    segmentation = Segmentation(
        class_map=class_map,
        logits=np.zeros((len(CLASS_NAMES), 32, 32), np.float32),
        framing=plan_framing(class_map.shape, "whole"),
        variant=VARIANTS[run["variant"]],
        weights=WeightsSource(
            **{**run["weights"], "accuracy": Accuracy(**run["weights"]["accuracy"])}
        ),
        elapsed_ms=run["elapsed_ms"],
    )
    wanted = build_files(image, segmentation, "astronaut.jpg")
    assert set(files) == set(wanted)
    for name, content in wanted.items():
        if name == "cutout-refined.png":
            colours, alphas = zip(
                *(split_alpha(each) for each in (files[name], content)), strict=True
            )
            assert (colours[0] == colours[1]).all()
            assert np.abs(alphas[0].astype(int) - alphas[1]).max() <= 2  # it is computed in float32
        elif name.endswith(".png"):
            assert_same_picture(files[name], content)
        elif name.endswith((".csv", ".xml", ".yaml", "labelmap.txt", "default.txt", "naut.txt")):
            assert files[name] == content
    for name in ("coco.json", "coco-polygons.json"):
        ours, theirs = json.loads(files[name]), json.loads(wanted[name])
        for part in ("annotations", "categories", "images"):
            assert ours[part] == theirs[part]
    name = "label-studio.json"
    assert json.loads(files[name]) == json.loads(wanted[name])
    assert json.loads(files["areas.json"]) == json.loads(wanted["areas.json"])
    assert set(run) == set(json.loads(wanted["run.json"]))
    assert "Licence of the weights: Apache-2.0" in files["README.txt"].decode()


def read_ids(content: bytes) -> np.ndarray:
    picture = PIL.Image.open(io.BytesIO(content))
    assert picture.mode == "P"
    colours = np.reshape(picture.getpalette() or [], (-1, 3))[: len(CLASS_NAMES)]
    assert (colours == PALETTE[: len(CLASS_NAMES)]).all()
    return np.array(picture)


def split_alpha(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    rgba = np.asarray(PIL.Image.open(io.BytesIO(content)))
    return rgba[..., :3], rgba[..., 3]


def assert_same_picture(one: bytes, other: bytes) -> None:
    pictures = [PIL.Image.open(io.BytesIO(content)) for content in (one, other)]
    assert pictures[0].mode == pictures[1].mode
    assert (np.asarray(pictures[0]) == np.asarray(pictures[1])).all()


def test_a_batch_gives_rows_a_zip_and_a_table(open_site: Page) -> None:
    page = open_site
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("more/cat.jpg", CAT.read_bytes())
        archive.writestr("more/notes.txt", "no image")
    page.get_by_role("tab", name="Batch").click()
    files: list[FilePayload] = [
        {"name": "astronaut.jpg", "mimeType": "", "buffer": ASTRONAUT.read_bytes()},
        {"name": "broken.jpg", "mimeType": "", "buffer": b"no image"},
        {"name": "all.zip", "mimeType": "", "buffer": packed.getvalue()},
    ]
    page.locator("#panel-batch input[multiple]").set_input_files(files)
    expect(page.locator("#batch-status")).to_have_text("3 files can be segmented.")
    page.get_by_role("button", name="Segment all").click()
    expect(page.locator("#batch-status")).to_contain_text("XXS: 2 images in", timeout=120_000)
    rows = page.locator("#panel-batch .batch-rows li")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("person")
    expect(rows.nth(1)).to_contain_text("broken.jpgThis browser cannot read the file")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download everything").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        assert {"astronaut/overlay.png", "cat/classes.png", "areas.csv"} <= set(names)
        assert not any(name.startswith("broken") for name in names)
        lines = archive.read("areas.csv").decode().splitlines()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the areas").click()
    assert Path(download.value.path()).read_text().splitlines() == lines
    assert lines[0] == "image,class_id,class_name,pixels,fraction,error"
    assert any(line.startswith("more/cat.jpg,") for line in lines)
    rows.nth(2).get_by_role("button").click()
    wait_for_result(page)
    expect(page.locator("#panel-image")).to_be_visible()
    expect(page.locator(".picker")).to_contain_text("cat.jpg")


def test_a_site_may_have_a_model_with_classes_of_its_own(chromium: Browser, tmp_path: Path) -> None:
    build_site(tmp_path / "site", checkpoint=save_own(tmp_path / "warehouse"))
    with (
        served(tmp_path / "site", is_isolated=True) as address,
        own_context(chromium, address) as context,
    ):
        page = context.new_page()
        page.goto(address)
        expect(page.locator("header")).to_contain_text("Finds worker, forklift in a picture")
        page.locator(".picker input[type=file]").first.set_input_files(ASTRONAUT)
        wait_for_result(page)
        assert set(table_rows(page)) == {"background", "worker"}
        expect(page.locator("#comparing")).to_be_hidden()
        expect(page.locator(".model .variants")).to_have_text(re.compile("warehouse"))
        expect(page.locator(".model .variants")).not_to_contain_text("XXS")
        page.get_by_role("tab", name="Live").click()
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator(".live .message")).to_contain_text("warehouse", timeout=60_000)


def test_the_variants_are_compared(open_site: Page) -> None:
    open_site.locator("#tab-image").click()
    open_site.locator(".picker .examples button").first.click()
    wait_for_result(open_site)
    open_site.get_by_text("Compare the variants").click()
    open_site.get_by_role("button", name="Compare XXS, XS and S").click()
    compare = open_site.locator("#compare")
    expect(compare.locator(".disagreement canvas.paint")).to_be_visible(timeout=120_000)
    expect(compare.locator(".pending")).to_have_text("", timeout=120_000)
    expect(compare.locator("canvas.paint")).to_have_count(4)
    expect(compare.locator(".tables")).to_contain_text("person")
    open_site.locator(".picker .examples button").nth(1).click()
    expect(compare.locator("canvas.paint")).to_have_count(0)
    wait_for_result(open_site)


def test_the_camera_is_segmented_live_and_a_frame_can_be_frozen(open_site: Page) -> None:
    open_site.get_by_role("tab", name="Live").click()
    open_site.get_by_role("button", name="Start the camera").click()
    stats = open_site.locator(".live .stats")
    expect(stats).to_contain_text("frames/s", timeout=60_000)
    expect(open_site.locator(".live .legend")).to_contain_text("%")
    expect(open_site.locator(".live .privacy")).to_have_text("Frames stay in this browser.")
    open_site.get_by_role("button", name="Freeze this frame").click()
    expect(open_site.get_by_role("tab", name="Image")).to_have_attribute("aria-selected", "true")
    wait_for_result(open_site)


def test_a_damaged_network_is_fetched_again_and_never_run(chromium: Browser, site: Path) -> None:
    with served(site, is_isolated=False) as address, own_context(chromium, address) as context:
        served_so_far: list[str] = []

        def cut_off(route: Any) -> None:
            served_so_far.append(route.request.url)
            if len(served_so_far) == 1:
                route.fulfill(body=b"not a network", content_type="application/octet-stream")
            else:
                route.continue_()

        context.add_init_script("delete Navigator.prototype.serviceWorker")
        context.route("**/networks/xxs-*", cut_off)
        page = context.new_page()
        page.goto(address)
        wait_for_result(page)
        assert len(served_so_far) == 2


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("WebAssembly.validate = () => false", "no WebAssembly SIMD"),
        ("delete globalThis.OffscreenCanvas", "cannot run the network beside the page"),
    ],
    ids=["no-simd", "no-canvas-in-workers"],
)
def test_an_old_browser_gets_a_sentence(
    chromium: Browser, site: Path, script: str, sentence: str
) -> None:
    with served(site, is_isolated=False) as address, own_context(chromium, address) as context:
        page = context.new_page()
        page.add_init_script(script)
        page.goto(address)
        expect(page.locator("#status")).to_contain_text(sentence)


def test_a_page_opened_as_a_file_says_how_to_serve_it(chromium: Browser, site: Path) -> None:
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"file://{site}/index.html")
    expect(page.locator("#status")).to_contain_text("python -m http.server")
    context.close()


def test_a_folder_with_something_else_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "diary.txt").write_text("Dear diary")
    with pytest.raises(SiteNotBuilt, match="Choose a new or an empty folder"):
        build_site(tmp_path)
    assert (tmp_path / "diary.txt").exists()


def test_the_readme_gives_a_static_space_its_headers(site: Path) -> None:
    readme = (site / "README.md").read_text("utf-8")
    assert "sdk: static" in readme
    for name, value in ISOLATION.items():
        assert f"  {name.lower()}: {value}\n" in readme


def test_the_app_offers_a_built_site(
    chromium: Browser, site: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = copy_without("s", tmp_path_factory.mktemp("root"))
    shutil.copytree(site, root / "site")
    with (
        run_app(tmp_path_factory.mktemp("app"), root, HF_HUB_OFFLINE="1") as address,
        own_context(chromium, address) as context,
    ):
        page = context.new_page()
        page.goto(address)
        page.locator("#status", has_text="Ready").wait_for(timeout=60_000)
        assert not page.evaluate("crossOriginIsolated")
        page.get_by_role("tab", name="Live").click()
        page.get_by_role("link", name="run it in this browser").click()
        expect(page.get_by_role("button", name="Start the camera")).to_be_enabled()
        assert page.evaluate("crossOriginIsolated")
        page.get_by_role("tab", name="Image").click()
        wait_for_result(page)
        assert page.request.get(f"{address}/in-browser/../app.py").status == 404
