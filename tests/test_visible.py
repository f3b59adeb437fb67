"""What nobody sees stands as its code; names are no Markdown."""

import pytest

from ablation.visible import in_markdown, unseen, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü 没有 🙂 \u00a0", "plain ü 没有 🙂 \u00a0"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31m", r"\x9b31m"),
        ("a\u202eb", r"a\u202eb"),
        ("a\u200bb\ufeff", r"a\u200bb\ufeff"),
        ("half \ud83d", r"half \ud83d"),
        ("\U000e0041", r"\U000e0041"),
        ("line\nline", r"line\nline"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("e\u0301", "e\u0301"),
        ("z" + "\u0301" * 6, "z" + "\u0301" * 4 + r"\u0301\u0301"),
        (r"\x1b", r"\x1b"),
    ],
)
def test_what_nobody_sees_stands_as_its_code(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_lines_stay_where_they_may() -> None:
    assert visible("a\n\tb\x07", keep="\n\t") == "a\n\tb\\x07"
    assert unseen("a\u202e\x1b") == "\u202e"
    assert unseen("a b") == ""


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain", "plain"),
        ("a|b", "a\\|b"),
        ("<script>x</script>", "&lt;script&gt;x&lt;/script&gt;"),
        ("[x](javascript:y)", "\\[x\\](javascript:y)"),
        ("![x](y)", "!\\[x\\](y)"),
        ("two\nlines\n# head", "two lines \\# head"),
        ("- item", "\\- item"),
        ("12. item", "12\\. item"),
        ("a - b 12. c", "a - b 12. c"),
        ("&lt;", "&amp;lt;"),
        ("\x1b[0m", "\\\\x1b\\[0m"),
    ],
)
def test_names_cannot_break_out_of_markdown(name: str, shown: str) -> None:
    assert in_markdown(name) == shown
