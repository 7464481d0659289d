"""The endpoints, as gradio_client sees them."""

import warnings
import zipfile
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from gradio_client import Client, handle_file

from demo.background import Background, draw_alpha, draw_background
from demo.image import read_image
from demo.inference import segment
from demo.models.registry import Registry
from tests.support.browser import ASTRONAUT, CAT


@pytest.fixture(scope="module")
def client(server: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return connect(server, tmp_path_factory)


def connect(server: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Client(server, download_files=tmp_path_factory.mktemp("client"), verbose=False)


@pytest.mark.parametrize("framing", ["whole", "aspect", "crop"])
def test_segment_returns_overlay_class_map_and_areas(client: Client, framing: str) -> None:
    overlay, class_map, areas = client.predict(
        handle_file(str(ASTRONAUT)), "xxs", framing, api_name="/segment"
    )
    expected = segment(read_image(ASTRONAUT), Registry().get("xxs"), framing=framing)
    picture = PIL.Image.open(class_map)
    assert picture.mode == "P"
    assert (np.asarray(picture) == expected.class_map).all()
    assert read_image(Path(overlay)).shape == (512, 512, 3)
    assert areas["framing"] == framing and areas["weights_source"] == "bundled"
    by_name = {area["class_name"]: area["pixels"] for area in areas["areas"]}
    assert by_name["person"] == int((expected.class_map == 15).sum())


@pytest.mark.parametrize(
    ("variant", "framing", "says"),
    [
        ("m", "whole", "Unknown variant"),
        ("xxs", "squash", "Unknown framing"),
    ],
)
def test_refusals_are_sentences(client: Client, variant: str, framing: str, says: str) -> None:
    with pytest.raises(Exception, match=says):
        client.predict(handle_file(str(ASTRONAUT)), variant, framing, api_name="/segment")


def test_a_variant_without_weights_is_refused_in_a_sentence(
    server_without_s: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    client = connect(server_without_s, tmp_path_factory)
    with pytest.raises(Exception, match="MobileViT-S has no weights on this machine"):
        client.predict(handle_file(str(ASTRONAUT)), "s", "whole", api_name="/segment")


def test_background_keeps_the_classes_and_replaces_everything_else(client: Client) -> None:
    replaced = client.predict(
        handle_file(str(ASTRONAUT)), "xxs", "whole", "#00b140", ["person"], api_name="/background"
    )
    image = read_image(ASTRONAUT)
    segmentation = segment(image, Registry().get("xxs"))
    alpha = draw_alpha(image, segmentation, [15])
    expected = draw_background(image, alpha, Background("colour", (0, 177, 64)))
    assert (np.asarray(PIL.Image.open(replaced)) == expected).all()


@pytest.mark.parametrize(
    ("background", "keep", "says"),
    [
        ("checked", ["person"], "Choose blurred, transparent"),
        ("blurred", ["unicorn"], "Unknown class 'unicorn'"),
        ("blurred", [], "No class is kept"),
    ],
)
def test_an_unknown_background_is_refused_in_a_sentence(
    client: Client, background: str, keep: list[str], says: str
) -> None:
    with pytest.raises(Exception, match=says):
        client.predict(
            handle_file(str(ASTRONAUT)), "xxs", "whole", background, keep, api_name="/background"
        )


def test_nothing_else_is_offered(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert list(endpoints) == ["/segment", "/background", "/segment_many"]


def test_many_images_give_a_zip_and_a_table(client: Client) -> None:
    files = [handle_file(str(ASTRONAUT)), handle_file(str(CAT)), handle_file(__file__)]
    archive, table = client.predict(files, "xxs", "whole", api_name="/segment_many")
    names = set(zipfile.ZipFile(archive).namelist())
    assert {"astronaut/overlay.png", "cat/areas.json", "areas.csv"} <= names
    lines = Path(table).read_text().splitlines()
    assert any(line.startswith("astronaut.jpg,15,person,") for line in lines)
    assert 'test_api.py,,,,,"The file cannot be read' in "".join(lines)
