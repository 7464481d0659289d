"""The three published sizes of MobileViT + DeepLabV3."""

from dataclasses import dataclass

from demo.errors import InvalidOption, shorten


@dataclass(frozen=True)
class Variant:
    """One published model.

    Attributes:
        key: the word that chooses it: ``xxs``, ``xs`` or ``s``.
        checkpoint: repository on the Hugging Face Hub.
        parameters: trainable parameters, counted.
        published_miou: PASCAL VOC mIoU in percent, from the paper and the model card
            (https://arxiv.org/abs/2110.02178).
        hidden_sizes, neck_hidden_sizes, expand_ratio: the architecture, as in the config of
            the checkpoint on the Hub.
    """

    key: str
    checkpoint: str
    parameters: int
    published_miou: float
    hidden_sizes: tuple[int, ...]
    neck_hidden_sizes: tuple[int, ...]
    expand_ratio: float

    @property
    def label(self) -> str:
        """Name as shown to people, such as ``MobileViT-XXS``."""
        return f"MobileViT-{self.key.upper()}"


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


def get_variant(key: str) -> Variant:
    """Look a variant up by its key, whatever its case.

    Raises:
        InvalidOption: if there is no such variant.
    """
    try:
        return VARIANTS[key.strip().lower()]
    except (KeyError, AttributeError):
        raise InvalidOption(f"Unknown variant {shorten(key)}. Choose xxs, xs or s.") from None
