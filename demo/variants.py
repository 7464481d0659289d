"""The three published sizes of MobileViT + DeepLabV3, and models that an owner adds."""

import functools
import re
from dataclasses import dataclass

from demo.errors import InvalidOption, shorten
from demo.settings import own_models


@dataclass(frozen=True)
class Variant:
    """One published model, or one that an owner adds.

    Attributes:
        key: the word that chooses it: ``xxs``, ``xs``, ``s``, or made of an own model's name.
        checkpoint: repository on the Hugging Face Hub; also a folder for an own model.
        parameters: trainable parameters, counted; 0 for an own model.
        published_miou: PASCAL VOC mIoU in percent, from the paper and the model card
            (https://arxiv.org/abs/2110.02178); 0 for an own model.
        hidden_sizes, neck_hidden_sizes, expand_ratio: the architecture, as in the config of
            the checkpoint on the Hub; an own model may have any.
        name: that of an own model; empty for the published ones.
    """

    key: str
    checkpoint: str
    parameters: int = 0
    published_miou: float = 0.0
    hidden_sizes: tuple[int, ...] = ()
    neck_hidden_sizes: tuple[int, ...] = ()
    expand_ratio: float = 0.0
    name: str = ""

    @property
    def label(self) -> str:
        """Name as shown to people, such as ``MobileViT-XXS``."""
        return self.name or f"MobileViT-{self.key.upper()}"

    @property
    def short_label(self) -> str:
        """Name beside other variants, such as ``XXS``."""
        return self.name or self.key.upper()


VARIANTS = {
    variant.key: variant
    for variant in (
        Variant(
            key="xxs",
            checkpoint="apple/deeplabv3-mobilevit-xx-small",
            parameters=1_854_853,
            published_miou=73.6,
            hidden_sizes=(64, 80, 96),
            neck_hidden_sizes=(16, 16, 24, 48, 64, 80, 320),
            expand_ratio=2.0,
        ),
        Variant(
            key="xs",
            checkpoint="apple/deeplabv3-mobilevit-x-small",
            parameters=2_944_069,
            published_miou=77.1,
            hidden_sizes=(96, 120, 144),
            neck_hidden_sizes=(16, 32, 48, 64, 80, 96, 384),
            expand_ratio=4.0,
        ),
        Variant(
            key="s",
            checkpoint="apple/deeplabv3-mobilevit-small",
            parameters=6_357_941,
            published_miou=79.1,
            hidden_sizes=(144, 192, 240),
            neck_hidden_sizes=(16, 32, 64, 96, 128, 160, 640),
            expand_ratio=4.0,
        ),
    )
}


def own_variant(name: str, checkpoint: str) -> Variant:
    """Describe a model with classes of its own.

    Args:
        name: as shown to people.
        checkpoint: a folder, or a repository on the Hub.
    """
    key = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "own"
    return Variant(key=f"{key}-model" if key in VARIANTS else key, checkpoint=checkpoint, name=name)


@functools.cache
def offered_variants() -> dict[str, Variant]:
    """Map the keys to all variants: the published ones, and those of SEGMENTATION_MODELS."""
    own = [own_variant(name, checkpoint) for name, checkpoint in own_models()]
    return {**VARIANTS, **{variant.key: variant for variant in own}}


def get_variant(key: str) -> Variant:
    """Look a variant up by its key, whatever its case.

    Raises:
        InvalidOption: if there is no such variant.
    """
    offered = offered_variants()
    try:
        return offered[key.strip().lower()]
    except (KeyError, AttributeError):
        *first, last = offered
        choice = f"{', '.join(first)} or {last}"
        raise InvalidOption(f"Unknown variant {shorten(key)}. Choose {choice}.") from None
