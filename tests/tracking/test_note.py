from made_up import made_up_study

from ablation.study import LevelsFactor, RangeFactor
from ablation.tracking.confusion import confusion_page
from ablation.tracking.note import LONGEST_NOTE, shortened, study_note


def test_the_note_of_a_study_has_a_row_for_each_factor() -> None:
    factors = {
        "cr|op": LevelsFactor(levels={"with": {}, "without": {"augmentations.crop": None}, "ol<d": {}}),
        "rate": RangeFactor(sets="recipe.learning_rate", range=[0.001, 1], scale="log"),
    }
    note = study_note(made_up_study().model_copy(update={"factors": factors}), arms=2, trials=4)
    assert "**Does shifting help?**" in note
    assert "leave-one-out: 2 arms x 2 seed blocks, 4 trials. accuracy on the test images" in note
    assert "| cr\\|op | with | without, ol&lt;d |" in note
    assert "| rate | | 0.001 to 1, log |" in note


def test_a_long_note_is_cut_at_the_end_of_a_line_and_says_where_the_rest_is() -> None:
    line = "a finding of some length"
    short = shortened("\n".join([line] * 1000), "report/findings.md")
    assert len(short) < LONGEST_NOTE + 100
    *kept, empty, pointer = short.split("\n")
    assert set(kept) == {line}
    assert (empty, pointer) == ("", "… cut here; the rest is in report/findings.md.")
    assert shortened(line, "x") == line


def test_a_confusion_page_shows_counts_and_escapes_names() -> None:
    page = confusion_page("arm <1>", ["cat", "<b>"], [[3, 1], [0, 0]])
    assert "arm &lt;1&gt;" in page
    assert '<th scope="row">&lt;b&gt;</th>' in page
    assert '<td style="background:rgba(31,119,180,0.60)">3</td>' in page
    assert "<td>75.0%</td>" in page
    assert "http" not in page
