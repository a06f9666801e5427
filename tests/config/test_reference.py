"""The document that describes every key is made from the models."""

from tests.config.reference import TARGET, render


def test_the_reference_is_what_the_models_say() -> None:
    assert TARGET.read_text(encoding="utf-8") == render(), "run python -m tests.config.reference"
