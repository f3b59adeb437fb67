from ablation.settings import Part, Recipe, Settings

FURTHER = {"decay_biases": False, "gradient_clip": 1.0, "weight_average": 0.99, "mirrored_scoring": True}


def test_keys_that_came_later_are_written_only_where_they_are_used() -> None:
    """Else run folders of before would hold other trials than their studies list."""
    settings = Settings(dataset=Part(name="cifar10"), model=Part(name="resnet", choices={"depth": 18}))
    settings = settings.model_copy(update={"recipe": Recipe(epochs=3)})
    assert settings.signature() == "ba65f23b2d30"  # as before there were any
    for key, value in FURTHER.items():
        other = settings.model_copy(update={"recipe": Recipe(epochs=3, **{key: value})})
        assert other.signature() != settings.signature()
        assert other.recipe.model_dump()[key] == value
        assert Settings.model_validate_json(other.model_dump_json()) == other
    assert Recipe(**{key: Recipe.model_fields[key].default for key in FURTHER}).model_dump() == Recipe().model_dump()
