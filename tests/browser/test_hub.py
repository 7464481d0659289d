"""The page beside a Hub: a stub on loopback that serves random weights under the real names."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.variants import get_variant
from tests.support import stub_hub
from tests.support.browser import ASTRONAUT, after_painting, choose_variant, upload, wait_for_result
from tests.support.checkpoints import save_random
from tests.support.server import copy_without, run_app
from tests.support.stub_hub import StubHub


@pytest.fixture
def stub(tmp_path: Path) -> Iterator[StubHub]:
    x_small = get_variant("xs")
    with stub_hub.serve() as stub:
        folder = save_random(x_small, tmp_path / "xs", layout="pytorch_model.bin")
        stub.repositories[x_small.checkpoint] = folder
        yield stub


def test_a_cold_cache_fills_with_progress_and_recovers(
    stub: StubHub, chromium: Browser, tmp_path: Path
) -> None:
    x_small = get_variant("xs")
    stub.bytes_per_s = 500_000  # so that the page is open before it is done
    context = chromium.new_context()
    root = copy_without("s", tmp_path / "root")
    with run_app(tmp_path, root, HF_ENDPOINT=stub.address) as address:
        page = context.new_page()
        page.goto(address)
        status = page.locator("#status")
        expect(status).to_contain_text(f"Downloading {x_small.checkpoint}", timeout=60_000)
        stub.bytes_per_s = 0
        expect(status).to_contain_text("Ready: MobileViT-XS", timeout=60_000)
        expect(page.locator("#variant input:checked")).to_have_value("xs")
        upload(page, ASTRONAUT)
        wait_for_result(page)
        badge = page.locator("#badge")
        expect(badge).to_contain_text("Apple's weights · mIoU 77.1 %")
        expect(badge).to_contain_text(stub.commit(x_small.checkpoint))
        expect(badge).to_contain_text("from the Hugging Face Hub")

        choose_variant(page, "S")
        alert = page.get_by_role("alert")
        expect(alert).to_contain_text("has no apple/deeplabv3-mobilevit-small", timeout=30_000)
        small = get_variant("s")
        stub.repositories[small.checkpoint] = save_random(small, tmp_path / "s")
        choose_variant(page, "XS")
        wait_for_result(page)
        choose_variant(page, "S")
        expect(status).to_contain_text("MobileViT-S took", timeout=60_000)
        check_comparison(page)
    context.close()


def check_comparison(page: Page) -> None:
    """All three variants come in, and zoom, point and choose together."""
    page.get_by_text("Compare the variants").click()
    page.get_by_role("button", name="Compare XXS").click()
    compare = page.locator(".compare")
    expect(compare.locator(".viewers section:not(.next)")).to_have_count(4, timeout=60_000)
    expect(compare.locator(".pending")).to_have_text("")
    expect(compare).to_contain_text("All three")
    compare.locator("[data-zoom=in]").nth(1).click()
    after_painting(page)
    photos = compare.locator("img.photo")
    stages = compare.locator(".stage")
    for i in range(4):
        photo, stage = photos.nth(i).bounding_box(), stages.nth(i).bounding_box()
        assert photo and stage and photo["width"] == pytest.approx(stage["width"] * 1.5)
    stages.nth(2).hover(position={"x": 100, "y": 100})
    for i in range(3):
        expect(compare.locator(".readout").nth(i)).to_contain_text("runner-up")
    expect(compare.locator(".readout").nth(3)).to_contain_text(", S: ")
    compare.get_by_label("Before / after").fill("0.5")
    after_painting(page)
    assert all(compare.locator(".divider").nth(i).is_visible() for i in range(4))


def test_a_choice_made_while_a_variant_loads_stands(
    stub: StubHub, chromium: Browser, tmp_path: Path
) -> None:
    stub.bytes_per_s = 500_000  # so that the page is open before it is done
    context = chromium.new_context()
    with run_app(tmp_path, HF_ENDPOINT=stub.address) as address:
        page = context.new_page()
        page.goto(address)
        status = page.locator("#status")
        expect(status).to_contain_text("Downloading", timeout=60_000)
        choose_variant(page, "XXS")
        upload(page, ASTRONAUT)
        expect(page.locator("#viewer canvas.paint")).to_be_visible(timeout=60_000)
        stub.bytes_per_s = 0
        page.locator("#status .progress-text").wait_for(state="detached", timeout=60_000)
        page.wait_for_timeout(1_000)
        expect(page.locator("#variant input:checked")).to_have_value("xxs")
        expect(status).to_contain_text("MobileViT-XXS took")
        expect(page.locator("#badge")).to_contain_text("bundled with this app")
    context.close()
