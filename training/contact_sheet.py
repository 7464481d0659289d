"""Pictures unlike the training photographs, each beside what a checkpoint sees in it.

python -m training.contact_sheet --variant xxs --checkpoint DIR --out contact-sheet.jpg

The pictures are the example photographs of this repository and drawings made here, so that the
sheet can be shown with the checkpoint.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from demo.exports import encode_jpeg
from demo.image import Image, read_image
from demo.inference import segment
from demo.models.loading import load_folder
from demo.overlay import draw_overlay
from demo.variants import VARIANTS, get_variant
from training.photographs import PERSON

_EXAMPLES = Path(__file__).parent.parent / "assets" / "examples"
_HEIGHT, _WIDTH = 240, 320
_PER_ROW = 2


def draw_landscape() -> Image:
    """A sky, a sun and two hills."""
    shade = np.linspace(0, 1, _HEIGHT)[:, None, None]
    sky = (1 - shade) * (90, 140, 220) + shade * (230, 220, 200)
    picture = np.repeat(sky, _WIDTH, axis=1).astype(np.uint8)
    cv2.circle(picture, (250, 60), 24, (255, 240, 170), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (90, 260), (170, 110), 0, 0, 360, (70, 120, 60), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (260, 270), (150, 90), 0, 0, 360, (50, 95, 50), -1, cv2.LINE_AA)
    return picture


def draw_figure() -> Image:
    """A person as a child draws one."""
    picture = np.full((_HEIGHT, _WIDTH, 3), 250, np.uint8)
    ink = (40, 40, 40)
    cv2.circle(picture, (160, 60), 28, ink, 3, cv2.LINE_AA)
    limbs = ((160, 88, 160, 160), (160, 110, 115, 140), (160, 110, 205, 140))
    legs = ((160, 160, 130, 220), (160, 160, 190, 220))
    for x0, y0, x1, y1 in limbs + legs:
        cv2.line(picture, (x0, y0), (x1, y1), ink, 3, cv2.LINE_AA)
    return picture


def draw_room() -> Image:
    """A wall, a floor, a window and a table: nobody at home."""
    picture = np.full((_HEIGHT, _WIDTH, 3), (214, 205, 190), np.uint8)
    picture[170:] = (150, 110, 80)
    cv2.rectangle(picture, (40, 30), (130, 110), (170, 200, 230), -1)
    cv2.rectangle(picture, (40, 30), (130, 110), (250, 250, 250), 4)
    cv2.rectangle(picture, (180, 130), (300, 142), (95, 60, 35), -1)
    for x in (188, 286):
        cv2.rectangle(picture, (x, 142), (x + 7, 215), (95, 60, 35), -1)
    return picture


def draw_page() -> Image:
    """Lines of text."""
    picture = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    for line in range(9):
        position = (16, 34 + 24 * line)
        text = "All work and no play is dull."
        cv2.putText(picture, text, position, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (20, 20, 20), 1)
    return picture


def make_sheet(variant: str, checkpoint: Path) -> Image:
    """All pictures, each beside its overlay with the share of person pixels written in."""
    model = load_folder(checkpoint, get_variant(variant))
    pictures = [read_image(path) for path in sorted(_EXAMPLES.glob("*.jpg"))]
    pictures += [draw_landscape(), draw_figure(), draw_room(), draw_page()]
    tiles = []
    for picture in pictures:
        result = segment(picture, model)
        share = float((result.class_map == PERSON).mean())
        overlay = _fit(draw_overlay(picture, result))
        _write(overlay, f"person {share:.1%}")
        tiles.append(np.hstack([_fit(picture), overlay]))
    blank = np.full_like(tiles[0], 255)
    tiles += [blank] * (-len(tiles) % _PER_ROW)
    rows = [np.hstack(tiles[i : i + _PER_ROW]) for i in range(0, len(tiles), _PER_ROW)]
    return np.vstack(rows)


def _fit(picture: Image) -> Image:
    """Scale into one tile on white."""
    scale = min(_HEIGHT / picture.shape[0], _WIDTH / picture.shape[1])
    height, width = round(picture.shape[0] * scale), round(picture.shape[1] * scale)
    tile = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    top, left = (_HEIGHT - height) // 2, (_WIDTH - width) // 2
    tile[top : top + height, left : left + width] = cv2.resize(
        picture, (width, height), interpolation=cv2.INTER_AREA
    )
    return tile


def _write(tile: Image, text: str) -> None:
    cv2.rectangle(tile, (0, _HEIGHT - 26), (140, _HEIGHT), (255, 255, 255), -1)
    font, position = cv2.FONT_HERSHEY_SIMPLEX, (8, _HEIGHT - 8)
    cv2.putText(tile, text, position, font, 0.55, (0, 0, 0), 1, cv2.LINE_AA)


def main() -> None:
    """Write the sheet."""
    parser = argparse.ArgumentParser(prog="python -m training.contact_sheet", description=__doc__)
    parser.add_argument("--variant", choices=list(VARIANTS), required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.write_bytes(encode_jpeg(make_sheet(options.variant, options.checkpoint), 88))


if __name__ == "__main__":
    main()
