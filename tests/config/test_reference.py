from tests.config.reference import TARGET, render


def test_the_reference_of_the_configuration_is_what_the_models_say() -> None:
    assert TARGET.read_text() == render()
