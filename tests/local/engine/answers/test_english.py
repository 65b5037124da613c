import pytest

from vision_agent.local.engine.answers.english import with_article


@pytest.mark.parametrize(
    ("thing", "said"),
    [
        ("bus", "a bus"),
        ("orange", "an orange"),
        ("traffic light", "a traffic light"),
        ("coffee cup", "a coffee cup"),
        ("cup of coffee", "a cup of coffee"),
        ("coffee", "coffee"),
        ("long hair", "long hair"),
        ("its nose", "its nose"),
        ("her red shirt", "her red shirt"),
        ("this elephant", "this elephant"),
        ("peter's mug", "peter's mug"),
        ("anything", "anything"),
        ("glasses", "glasses"),
        ("", ""),
    ],
)
def test_a_thing_has_an_article_where_english_has_one(thing: str, said: str) -> None:
    assert with_article(thing) == said
