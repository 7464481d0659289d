"""A model with classes of its own, on the page and in the live view."""

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import (
    ASTRONAUT,
    choose_variant,
    open_page,
    table_rows,
    upload,
    wait_for_result,
)
from tests.support.checkpoints import save_own
from tests.support.server import run_app


def test_the_page_follows_the_classes_of_each_model(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("app")
    models = f"Warehouse = {save_own(tmp_path_factory.mktemp('own'))}"
    with (
        run_app(folder, HF_HUB_OFFLINE="1", SEGMENTATION_MODELS=models) as address,
        open_page(chromium, address) as page,
    ):
        expect(page.locator("#status")).to_contain_text("It knows 2 classes: worker, forklift.")
        upload(page, ASTRONAUT)
        wait_for_result(page)
        assert set(table_rows(page)) == {"background", "worker"}
        expect(page.locator("#viewer .labels")).to_contain_text("worker")
        choose_variant(page, "XXS")
        expect(page.locator("#status")).to_contain_text("MobileViT-XXS took", timeout=60_000)
        assert {"background", "person"} <= set(table_rows(page))
        page.get_by_role("tab", name="Live").click()
        page.locator(".live .variants label", has_text="Warehouse").click()
        page.get_by_role("button", name="Start the camera").click()
        expect(page.locator(".live .legend")).to_contain_text("%", timeout=60_000)
        expect(page.locator(".live .message")).to_contain_text("Warehouse is running")
