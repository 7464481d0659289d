"""The example pictures: those that the loaded weights can do, and a result to begin with."""

import threading
from dataclasses import dataclass
from pathlib import Path

from demo.areas import class_areas
from demo.errors import InvalidImage
from demo.image import read_image
from demo.inference import segment
from demo.models.model import Model
from demo.ui.viewer_value import ExampleInfo, ViewerValue, viewer_value

EXAMPLES_FOLDER = Path(__file__).parent.parent.parent / "assets" / "examples"


@dataclass(frozen=True)
class Example:
    """A picture and what must be found in it.

    Attributes:
        name: of the file, without its ending.
        description: for people who do not see it.
        class_name: what it shows.
        least: least share of the picture, in [0, 1], that a good result gives this class.
        most: largest such share.
    """

    name: str
    description: str
    class_name: str
    least: float
    most: float

    @property
    def file(self) -> Path:
        """Where the picture is."""
        return EXAMPLES_FOLDER / f"{self.name}.jpg"


EXAMPLES = (
    Example("astronaut", "Eileen Collins in her space suit", "person", 0.35, 0.6),
    Example("hopper", "Commodore Grace Hopper in uniform", "person", 0.45, 0.65),
    Example("cameraman", "A man at a camera on a tripod", "person", 0.2, 0.4),
    Example("cat", "Chelsea, a ginger cat", "cat", 0.5, 0.95),
)


class UsableExamples:
    """The examples that each model can do; they are tried once."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._tried: dict[str, tuple[Model, list[Example], ViewerValue | None]] = {}

    def infos(self, model: Model) -> list[ExampleInfo]:
        """List the examples that a model can do."""
        _, usable, _ = self._try(model)
        return [{"name": e.name, "description": e.description} for e in usable]

    def first_result(self, model: Model) -> ViewerValue | None:
        """Give the result of the first of them; None if there are none."""
        return self._try(model)[2]

    def _try(self, model: Model) -> tuple[Model, list[Example], ViewerValue | None]:
        """Try each variant once, and again when other weights have been loaded for it."""
        key = model.variant.key
        with self._guard:
            if key not in self._tried or self._tried[key][0] is not model:
                self._tried[key] = (model, *_try_all(model))
            return self._tried[key]


usable_examples = UsableExamples()


def find_example(name: object) -> Path:
    """Find an example's file by its name.

    Raises:
        InvalidImage: if there is none.
    """
    for example in EXAMPLES:
        if example.name == name:
            return example.file
    raise InvalidImage("There is no such example. Choose one of those on the page.")


def _try_all(model: Model) -> tuple[list[Example], ViewerValue | None]:
    usable: list[Example] = []
    first: ViewerValue | None = None
    for example in EXAMPLES:
        if example.class_name not in model.weights.class_names:
            continue
        image = read_image(example.file)
        segmentation = segment(image, model, framing="auto")
        shares = {area.class_name: area.fraction for area in class_areas(segmentation)}
        if example.least <= shares.get(example.class_name, 0.0) <= example.most:
            usable.append(example)
            first = first or viewer_value(image, segmentation)
    return usable, first
