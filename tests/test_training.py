"""What the recipe promises of its data, where no photograph is needed to check it."""

from pathlib import Path

import training
from training.photographs import is_held_out_person

LISTED = (Path(training.__file__).parent / "held_out.txt").read_text().split()


def test_the_list_of_the_held_out_is_the_rule_of_the_training() -> None:
    assert len(LISTED) == 118
    assert all(is_held_out_person(name) for name in LISTED)
