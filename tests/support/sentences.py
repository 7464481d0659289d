"""Check that an error message is one plain sentence."""


def check_sentence(sentence: str) -> None:
    """Fail unless the message is one sentence without technical detail."""
    assert sentence.endswith((".", "again and retry.")) and "\n" not in sentence
    assert 20 < len(sentence) < 300
    assert "Error" not in sentence and "0x" not in sentence
