"""Each file of the corpus gives an image or a sentence, within limits of time and memory."""

import subprocess
import sys
import time

import numpy as np
import pytest

from demo.errors import InvalidImage
from demo.image import read_image
from demo.live import SIDES, decode_frame
from tests.support import ROOT
from tests.support.corpus import build_corpus
from tests.support.sentences import check_sentence

CORPUS = build_corpus()
MOST_SECONDS = 10


def test_the_corpus_is_large() -> None:
    assert len(CORPUS) > 300


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of odd metadata
@pytest.mark.parametrize("name", CORPUS)
def test_each_file_gives_an_image_or_a_sentence(name: str) -> None:
    started = time.monotonic()
    try:
        image = read_image(CORPUS[name])
    except InvalidImage as error:
        check_sentence(str(error))
    else:
        assert image.dtype == np.uint8 and image.shape[2] == 3 and image.size
    assert time.monotonic() - started < MOST_SECONDS


@pytest.mark.parametrize("name", ["JPEG and ZIP", "PNG and HTML", "orientation 9", "20000×1"])
def test_an_unusual_image_is_read(name: str) -> None:
    assert read_image(CORPUS[name]).size


@pytest.mark.parametrize("name", ["SVG", "PDF", "PostScript", "PDF around a JPEG", "NaN as TIFF"])
def test_a_file_that_is_not_an_image_is_refused(name: str) -> None:
    with pytest.raises(InvalidImage):
        read_image(CORPUS[name])


def test_each_file_sent_as_a_camera_s_frame_gives_a_frame_or_a_sentence() -> None:
    for content in CORPUS.values():
        try:
            assert decode_frame(content).shape[0] in SIDES
        except InvalidImage as error:
            check_sentence(str(error))


LARGEST = """
from pathlib import Path
import numpy as np
import PIL.Image
from demo.errors import InvalidImage
from demo.image import read_image
from tests.support.corpus import build_corpus, encode

def read(content):
    try:
        return read_image(content).shape
    except InvalidImage:
        return None

for content in build_corpus().values():
    read(content)
exif = PIL.Image.Exif()
exif[274] = 6
size = (7_000, 7_000)
large = [
    encode(PIL.Image.new("RGB", size), "JPEG", progressive=True, subsampling=0, exif=exif),
    encode(PIL.Image.new("RGBA", size), "PNG", compress_level=1, exif=exif),
    encode(PIL.Image.new("I;16", size), "TIFF", compression="tiff_deflate"),
    encode(PIL.Image.new("CMYK", size), "TIFF", compression="tiff_deflate"),
]
for content in large:
    assert read(content) == (*size, 3)
# getrusage would include the peak of the process that started this one
status = Path("/proc/self/status").read_text()
print(int(status.partition("VmHWM:")[2].split()[0]) // 1024)
"""


def test_reading_any_file_takes_less_than_one_gigabyte() -> None:
    run = [sys.executable, "-W", "ignore", "-c", LARGEST]
    done = subprocess.run(run, cwd=ROOT, check=True, capture_output=True, text=True, timeout=300)
    assert int(done.stdout) < 1024
