"""What a checkpoint sees of each class, on one sheet.

Of the photographs that show a class, the one is taken whose intersection over union is in the
middle: half of the others are better. The mask stands on the left, what the checkpoint says on the
right. Photographs themselves are not drawn unless asked for, as many may not be redistributed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.classes import PALETTE
from training.measures import count_picture
from training.segmenters import Segmenter
from training.sources import VOID, Item, read_mask, read_pixels

_HEIGHT, _WIDTH, _CAPTION = 120, 160, 20
_PER_ROW = 3
_WHITE = (255, 255, 255)


@dataclass(frozen=True, eq=False)
class Example:
    """One photograph, and what a checkpoint says of it.

    Attributes:
        item: the photograph.
        said: H×W uint8 class ids.
        counts: (C, C) int64, see `training.measures.count_picture`.
    """

    item: Item
    said: NDArray[np.uint8]
    counts: NDArray[np.int64]

    def iou(self, class_id: int) -> float:
        """Intersection over union of one class in this photograph."""
        hits = self.counts[class_id, class_id]
        return float(hits / (self.counts[class_id].sum() + self.counts[:, class_id].sum() - hits))


def look(segmenter: Segmenter, items: Sequence[Item], side: int) -> list[Example]:
    """Segment every photograph."""
    examples = []
    for item in items:
        said = segmenter(read_pixels(item.path), side)
        examples.append(Example(item, said, count_picture(said, item)))
    return examples


def draw_sheet(examples: Sequence[Example], *, with_photographs: bool = False) -> NDArray[np.uint8]:
    """Draw the middling photograph of each class; h×w×3 uint8 RGB."""
    tiles = []
    for class_id in range(1, len(examples[0].item.classes)):
        shown = [each for each in examples if each.counts[class_id].sum() > 0]
        if shown:
            middling = sorted(shown, key=lambda each: each.iou(class_id))[len(shown) // 2]
            tiles.append(_draw_tile(middling, class_id, with_photographs))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % _PER_ROW)
    rows = [np.hstack(tiles[i : i + _PER_ROW]) for i in range(0, len(tiles), _PER_ROW)]
    return np.vstack(rows)


def _draw_tile(example: Example, class_id: int, with_photograph: bool) -> NDArray[np.uint8]:
    truth = read_mask(example.item, example.said.shape, as_published=True)
    pictures = [_colour(truth), _colour(example.said)]
    if with_photograph:
        pictures.insert(0, read_pixels(example.item.path))
    tile = np.hstack([_fit(picture) for picture in pictures])
    caption = np.full((_CAPTION, tile.shape[1], 3), 255, np.uint8)
    text = f"{example.item.classes[class_id]} {example.iou(class_id):.2f}"
    cv2.putText(caption, text, (6, 15), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([caption, tile])


def _colour(class_map: NDArray[np.uint8]) -> NDArray[np.uint8]:
    colours = PALETTE[class_map]
    colours[class_map == VOID] = _WHITE
    return colours


def _fit(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale into one place on white, with a margin."""
    tall, wide = picture.shape[:2]
    scale = min((_HEIGHT - 4) / tall, (_WIDTH - 4) / wide)
    height, width = round(tall * scale), round(wide * scale)
    place = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    top, left = (_HEIGHT - height) // 2, (_WIDTH - width) // 2
    place[top : top + height, left : left + width] = cv2.resize(
        picture, (width, height), interpolation=cv2.INTER_AREA
    )
    return place
