"""What makes an error message one plain sentence."""


def check_sentence(sentence: str) -> None:
    """Fail unless a message is one sentence that a visitor can read."""
    assert sentence.endswith((".", "again and retry.")) and "\n" not in sentence
    assert 20 < len(sentence) < 300
    assert "Error" not in sentence and "0x" not in sentence
