"""The comparison of the variants, and the files of a result."""

import re
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.support.browser import ASTRONAUT, CAT, click_example, upload, wait_for_result


def start_comparison(page: Page) -> None:
    page.get_by_text("Compare the variants").click()
    page.get_by_role("button", name="Compare XXS").click()


def wait_for_comparison(page: Page) -> None:
    sections = page.locator(".compare .viewers section:not(.next)")
    expect(sections).to_have_count(4, timeout=60_000)
    expect(page.locator(".compare .pending")).to_be_empty(timeout=60_000)


def percentages(page: Page, rows: str) -> list[list[float]]:
    """Read the figures of a table's rows."""
    texts: list[list[str]] = page.locator(rows).evaluate_all(
        "rows => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.innerText))"
    )
    return [[float(text.removesuffix(" %")) for text in row] for row in texts]


def open_download(page: Page) -> None:
    page.locator("#files").get_by_text("Download", exact=True).click()


def test_one_click_downloads_a_zip_that_is_named_after_the_image(
    page: Page, tmp_path: Path
) -> None:
    open_download(page)
    button = page.get_by_role("button", name="Download ZIP")
    expect(button).to_be_enabled()  # for the example that the page opens with
    expect(page.locator("#files")).to_contain_text("class ids, one channel")
    odd = tmp_path / "a {{b}} ${1} & 東京.jpg"
    odd.write_bytes(ASTRONAUT.read_bytes())
    upload(page, odd)
    wait_for_result(page)
    expect(page.locator("#files")).not_to_contain_text("There is no result")
    with page.expect_download(timeout=30_000) as download:
        button.click()
    assert re.fullmatch(r"a .*b.* 東京-segmentation\.zip", download.value.suggested_filename)
    with zipfile.ZipFile(download.value.path()) as archive:
        readme = archive.read("README.txt").decode()
    assert "Licence of the weights: Apache-2.0" in readme
    links = page.locator("#files a[download]")
    expect(links.first).to_have_attribute("download", download.value.suggested_filename)
    with page.expect_download() as download:
        links.get_by_text("classes.png").click()
    assert download.value.suggested_filename == "classes.png"


def test_a_comparison_shows_the_agreement_of_each_pair_and_of_all(page: Page) -> None:
    click_example(page)
    wait_for_result(page)
    start_comparison(page)
    wait_for_comparison(page)
    matrix = percentages(page, ".compare .agreement tbody tr")
    assert len(matrix) == 3
    for i in range(3):
        assert matrix[i][i] == 100
        assert [row[i] for row in matrix] == matrix[i]
    [[all_three]] = percentages(page, ".compare .agreement tfoot tr")
    assert 0 < all_three <= min(min(row) for row in matrix) < 100
    expect(page.locator(".disagreement .facts")).to_contain_text(f"{100 - all_three:.2f} %")
    # The bundled weights are loaded, so the figure of Apple's has no place here.
    expect(page.locator(".compare .facts").first).to_contain_text("Offline model")
    expect(page.locator(".compare .facts").first).to_contain_text("mIoU 40.8 %")
    expect(page.locator(".compare")).not_to_contain_text("mIoU 7")


@pytest.mark.parametrize("width", [390, 320])
def test_on_a_phone_a_comparison_never_widens_the_page(page: Page, width: int) -> None:
    click_example(page)
    wait_for_result(page)
    start_comparison(page)
    wait_for_comparison(page)
    page.set_viewport_size({"width": width, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    left = page.locator(".compare .viewers section:not(.next)").evaluate_all(
        "sections => sections.map((section) => section.getBoundingClientRect().left)"
    )
    assert len(set(left)) == 1


def test_a_comparison_says_which_variants_are_missing(page_without_s: Page) -> None:
    page = page_without_s
    click_example(page)
    wait_for_result(page)
    start_comparison(page)
    wait_for_comparison(page)
    sections = page.locator(".compare .viewers section:not(.next)")
    for i in range(2):
        expect(sections.nth(i).locator("canvas.paint")).to_be_visible()
    expect(sections.nth(2)).to_contain_text("MobileViT-S has no weights on this machine")
    expect(page.locator(".compare .agreement tbody tr")).to_have_count(2)
    expect(page.locator(".compare .agreement tfoot")).to_have_count(0)
    upload(page, CAT)
    expect(sections).to_have_count(0, timeout=30_000)


def test_a_comparison_follows_the_framing_and_keeps_no_old_results(page: Page) -> None:
    upload(page, CAT)
    wait_for_result(page)
    open_download(page)
    page.get_by_role("button", name="Download ZIP").click()
    links = page.locator("#files a[download]")
    expect(links.first).to_be_visible(timeout=30_000)
    start_comparison(page)
    wait_for_comparison(page)
    sections = page.locator(".compare .viewers section:not(.next)")
    expect(sections.nth(1).get_by_label("MobileViT-XS.")).to_be_visible()
    expect(sections.nth(3).get_by_label("Where they disagree.")).to_be_visible()
    page.get_by_role("button", name="Resizing").click()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/queue/join*", hold)
    page.locator("#framing label", has_text="Centre only").click()
    # what is old goes at once, not when the new result comes
    expect(sections).to_have_count(0)
    expect(links).to_have_count(0)
    assert held
    page.unroute("**/queue/join*")  # which lets go what was held
    page.get_by_role("button", name="Compare XXS").click()
    wait_for_comparison(page)
    expect(page.locator(".compare .viewer .areas").first).to_contain_text("not seen")


def test_the_confidence_scale_is_on_every_compared_result(page: Page) -> None:
    upload(page, CAT)
    wait_for_result(page)
    start_comparison(page)
    page.locator(".compare .views label", has_text="Confidence").click(timeout=60_000)
    wait_for_comparison(page)
    expect(page.locator(".compare section:not(.disagreement) .scale:visible")).to_have_count(3)
