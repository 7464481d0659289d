import base64
import io
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.TiffImagePlugin
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from demo.errors import DemoError, InvalidImage
from demo.image import read_image
from demo.ui.examples import EXAMPLES_FOLDER
from tests.support import ROOT
from tests.support.corpus import with_scans
from tests.support.images import png_of_size

RED = (200, 10, 30)


def encode(image: PIL.Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def half_red(mode: str = "RGB") -> PIL.Image.Image:
    """Make an image, 12 wide and 8 high: left half red, right half white."""
    image = PIL.Image.new("RGB", (12, 8), "white")
    image.paste(RED, (0, 0, 6, 8))
    return image.convert(mode)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "GIF", "BMP", "TIFF"])
def test_every_listed_format_is_read(format: str) -> None:
    image = read_image(encode(half_red(), format))
    assert image.shape == (8, 12, 3) and image.dtype == np.uint8 and image.flags.c_contiguous
    assert np.abs(image[4, 1].astype(int) - RED).max() < 25
    assert image[4, 10].min() > 235


@pytest.mark.parametrize(
    ("mode", "format"),
    [
        *((mode, "PNG") for mode in ("1", "L", "P", "LA", "RGBA")),
        ("CMYK", "JPEG"),
        ("CMYK", "TIFF"),
    ],
)
def test_each_mode_is_read_as_pillow_converts_it(mode: str, format: str) -> None:
    picture = half_red(mode)
    expected = np.asarray(picture.convert("RGB")).astype(int)
    tolerance = 25 if format == "JPEG" else 2
    assert np.abs(read_image(encode(picture, format)) - expected).max() <= tolerance


@pytest.mark.parametrize("mode", ["PA", "YCbCr", "HSV", "RGBX"])
def test_opened_pillow_images_are_converted(mode: str) -> None:
    picture = half_red("P").convert("PA") if mode == "PA" else half_red(mode)
    expected = np.asarray(picture.convert("RGB"))
    assert (read_image(picture) == expected).all()


@pytest.mark.parametrize(
    ("alpha", "expected"), [(255, 100), (0, 255), (128, 177)], ids=["opaque", "clear", "half"]
)
def test_transparent_pixels_are_blended_over_white(alpha: int, expected: int) -> None:
    picture = PIL.Image.new("RGBA", (3, 2), (100, 100, 100, alpha))
    assert (read_image(encode(picture, "PNG")) == expected).all()


def test_a_transparent_palette_entry_becomes_white() -> None:
    picture = PIL.Image.new("P", (3, 2), 1)
    picture.putpalette([0, 0, 0, 10, 20, 30])
    assert (read_image(encode(picture, "PNG", transparency=1)) == 255).all()


@pytest.mark.parametrize(
    ("value", "expected"), [(0, 0), (32768, 128), (65535, 255)], ids=["black", "mid", "white"]
)
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled(value: int, expected: int, format: str) -> None:
    picture = PIL.Image.fromarray(np.full((4, 5), value, np.uint16))
    assert (read_image(encode(picture, format)) == expected).all()


def test_sixteen_bit_grey_with_white_as_zero_is_no_negative() -> None:
    grey = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    tags = PIL.TiffImagePlugin.ImageFileDirectory_v2()
    tags[262] = 0  # PhotometricInterpretation: WhiteIsZero
    negative = encode(PIL.Image.fromarray(grey), "TIFF", tiffinfo=tags)
    positive = read_image(encode(PIL.Image.fromarray(65535 - grey), "TIFF"))
    assert (read_image(negative) == positive).all()


def test_a_phone_s_heic_stands_upright() -> None:
    astronaut = read_image(EXAMPLES_FOLDER / "astronaut.jpg")
    image = read_image(ROOT / "tests" / "cases" / "phone_rotated.heic")
    assert image.shape == astronaut.shape
    assert np.abs(image.astype(float) - astronaut).mean() < 6


@pytest.mark.parametrize("size_wh", [(8192, 6144), (8160, 6144), (6144, 8192)])
def test_phones_of_50_megapixels_are_taken(size_wh: tuple[int, int]) -> None:
    with pytest.raises(InvalidImage, match="damaged or cut off"):  # the size passed
        read_image(png_of_size(*size_wh))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    upright = np.zeros((6, 10, 3), np.uint8)
    upright[:2, :3] = 255  # a mark in the top left corner
    transpose = PIL.Image.Transpose
    stored_by = {
        2: transpose.FLIP_LEFT_RIGHT,
        3: transpose.ROTATE_180,
        4: transpose.FLIP_TOP_BOTTOM,
        5: transpose.TRANSPOSE,
        6: transpose.ROTATE_90,
        7: transpose.TRANSVERSE,
        8: transpose.ROTATE_270,
    }
    stored = PIL.Image.fromarray(upright)
    if orientation > 1:
        stored = stored.transpose(stored_by[orientation])
    exif = PIL.Image.Exif()
    exif[274] = orientation
    assert (read_image(encode(stored, "PNG", exif=exif)) == upright).all()


@pytest.mark.parametrize("progressive", [False, True], ids=["baseline", "progressive"])
def test_a_video_appended_to_a_photograph_is_ignored(progressive: bool) -> None:
    """Phones append a video; by chance it holds the bytes that begin a scan."""
    photograph = encode(half_red(), "JPEG", progressive=progressive)
    assert read_image(photograph + b"\xff\xda" * 500).shape == (8, 12, 3)


def test_scans_after_an_end_marker_inside_a_comment_are_counted() -> None:
    start, rest = with_scans(200)[:2], with_scans(200)[2:]
    with pytest.raises(InvalidImage, match="more than 100 scans"):
        read_image(start + b"\xff\xfe\x00\x06\xff\xd9\x00\x00" + rest)


def test_scans_after_a_marker_without_a_segment_are_counted() -> None:
    """With a restart interval, libjpeg skips such a marker, which has no length, and reads on."""
    whole = with_scans(200)
    scan = whole.index(b"\xff\xda")
    start = scan + 2 + int.from_bytes(whole[scan + 2 : scan + 4])
    interval = b"\xff\xdd\x00\x04\x00\x01"
    hidden = whole[:scan] + interval + whole[scan:start] + b"\xff\x02\xfe\xfe" + whole[start:]
    with pytest.raises(InvalidImage, match="more than 100 scans"):
        read_image(hidden)


def test_a_jpeg_of_too_many_segments_is_refused() -> None:
    photograph = encode(half_red(), "JPEG")
    with pytest.raises(InvalidImage, match="more than 10000 segments"):
        read_image(photograph[:2] + b"\xff\xe0\x00\x02" * 20_000 + photograph[2:])


def test_an_animation_gives_its_first_frame() -> None:
    frames = [PIL.Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    gif = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert (read_image(gif) == (255, 0, 0)).all()


@given(
    hnp.arrays(
        np.uint8,
        st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3)),
    )
)
def test_png_data_url_and_array_give_the_same_pixels(pixels: np.ndarray) -> None:
    content = encode(PIL.Image.fromarray(pixels), "PNG")
    url = "DATA:image/png;base64," + base64.b64encode(content).decode()
    assert (read_image(content) == pixels).all()
    assert (read_image(url) == pixels).all()
    assert (read_image(pixels) == pixels).all()


def test_an_array_is_copied() -> None:
    array = np.zeros((2, 2, 3), np.uint8)
    read_image(array)[:] = 9
    assert array.max() == 0


@pytest.mark.parametrize("channels", [3, 4])
def test_the_result_is_contiguous(channels: int) -> None:
    columns_first = np.zeros((5, 4, channels), np.uint8, order="F")
    assert read_image(columns_first).flags.c_contiguous


JPEG = encode(half_red(), "JPEG")
PNG = encode(half_red(), "PNG")

REFUSED = {
    "empty": (b"", "empty"),
    "text": (b"this is not a picture", "cannot be read"),
    "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "cannot be read"),
    "pdf": (b"%PDF-1.7\n", "cannot be read"),
    "cut jpeg": (JPEG[: len(JPEG) // 2], "damaged|cannot be read"),
    "cut png": (PNG[:60], "damaged|cannot be read"),
    "60 megapixels": (png_of_size(10_000, 6_000), "60,000,000 pixels; at most 50,331,648 are"),
    "a row too many": (png_of_size(8192, 6145), "50,339,840 pixels; at most 50,331,648 are"),
    "200 megapixels": (png_of_size(20_000, 10_000), "too many pixels|at most 50"),
    "float tiff": (encode(PIL.Image.new("F", (4, 4)), "TIFF"), "32 bits"),
    "unlisted format": (encode(half_red(), "PPM"), "cannot be read"),
    "data url": ("data:image/png,abc", "not base64"),
    "bad base64": ("data:image/png;base64,@@@", "damaged base64"),
    "no file": (Path("no such file.jpg"), "no file"),
    "folder": (Path(__file__).parent, "not a file"),
    "NUL in the name": ("a\0b.jpg", "cannot be opened"),
    "name too long": ("a" * 5000, "cannot be opened"),
    "float array": (np.zeros((4, 4, 3)), "uint8"),
    "two channels": (np.zeros((4, 4, 2), np.uint8), "channels last"),
    "1,000,001 pixels a side": (np.zeros((1, 1_000_001), np.uint8), "1,000,000 pixels a side"),
    "no pixels": (np.zeros((0, 4, 3), np.uint8), "at least one"),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(("source", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_an_unreadable_source_is_refused_with_one_sentence(
    source: bytes | str | Path | np.ndarray, says: str
) -> None:
    with pytest.raises(InvalidImage, match=says) as caught:
        read_image(source)
    message = str(caught.value)
    assert "\n" not in message and message.endswith(".") and len(message) < 250


@given(st.integers(0, len(PNG)), st.binary(max_size=8))
def test_a_damaged_file_raises_only_errors_of_the_demo(at: int, junk: bytes) -> None:
    for content in (PNG, JPEG):
        try:
            read_image(content[:at] + junk + content[at + len(junk) :])
        except DemoError as error:
            assert str(error)
