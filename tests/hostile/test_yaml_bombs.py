"""Study files made to fill the memory or to take for ever are refused at once, by the real command."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import ablate
from hostile_strings import controls
from small_studies import SMALL

SECONDS, STARTING = 2.0, 1.0
"""Of processor time, since other tests share the cores; the second is for starting Python and importing the command."""


def laughs() -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    return "\n".join(lines)


def replaced(old: str, new: str) -> str:
    assert old in SMALL
    return SMALL.replace(old, new)


LEVELS = ", ".join(f"l{n}: {{recipe.epochs: {n + 1}}}" for n in range(2000))
BOMBS = {
    "aliases": (laughs(), "anchors (&) and aliases (*)"),
    "an alias of itself": ("a: &a [*a]", "anchors (&) and aliases (*)"),
    "merge keys": (SMALL + "<<: {seeds: 3}\n", "merge keys (<<) are not read"),
    "depth in brackets": ("[" * 10_000, "nested more than 16 deep"),
    "depth in braces": ("{a: " * 10_000, "nested more than 16 deep"),
    "depth in lines": ("\n".join(" " * n + "a:" for n in range(1, 600)), "nested more than 16 deep"),
    "depth in dashes": ("- " * 10_000, "nested more than 16 deep"),
    "fifty megabytes": (b"a: " + b"x" * 50_000_000, "longer than 200,000 characters"),
    "fifty megabytes of nothing": (b"\n" * 50_000_000, "longer than 200,000 characters"),
    "many values": ("[" + "1," * 90_000 + "]", "more than 10,000 keys and values"),
    "many keys": ("\n".join(f"k{n}: 1" for n in range(15_000)), "more than 10,000 keys and values"),
    "unknown keys": (SMALL + "\n".join(f"unknown{n}: 1" for n in range(4000)), "and 3,900 more problems"),
    "levels": (replaced("flip: {none: {}, ", f"flip: {{{LEVELS}, "), "at most 300 are allowed"),
    "scales": (SMALL + "scales: {" + ", ".join(f"s{n}: {{seeds: 1}}" for n in range(500)) + "}", "at most 10 are"),
    "combinations": (
        replaced("design: one-factor", "design: factorial").replace(
            "factors:\n",
            "factors:\n" + "".join(f"  f{n}: {{a: {{}}, b: {{recipe.epochs: 9}}}}\n" for n in range(60)),
        ),
        "both change recipe.epochs",
    ),
    "a long number": (replaced("seeds: 2", "seeds: " + "9" * 100_000), "a number of 100000 characters is too long"),
    "a long number of text": (replaced("seeds: 2", "seeds: " + "9" * 100_000 + "x"), "seeds must be a whole number"),
    "a huge number": (replaced("seeds: 2", "seeds: " + "9" * 40), "seeds must be at most 10000"),
    "a number to the base 60": (replaced("seeds: 2", "seeds: 1" + ":59" * 9), "to the base 60"),
    "an infinite number": (replaced("margin: 0.05", "margin: .inf"), "not a finite number"),
    "a long key": (SMALL + "k" * 900 + ": 1", "a study file has no key"),
    "a longer key": (SMALL + "k" * 150_000 + ": 1", "while scanning a simple key"),
    "a tag that runs": (SMALL + "x: !!python/object/apply:os.system ['touch pwned']\n", "the tag"),
    "a tag that imports": (SMALL + "x: !!python/name:os.system\n", "the tag"),
    "a tag of bytes": (SMALL + "x: !!binary aGVsbG8=\n", "the tag"),
    "two documents": (SMALL + "---\n" + SMALL, "a second document"),
    "directives": ("%YAML 9.9\n---\n" + SMALL, "incompatible YAML document"),
    "no text": (bytes(range(256)), "not UTF-8 text"),
    "wide text": (SMALL.encode("utf-16"), "not UTF-8 text"),
    "a control character": (SMALL.encode() + b"x: a\x00b\n", "U+0000 cannot stand in YAML"),
}


def check_refusal(code: int, message: str, reason: str) -> None:
    assert code == 2, message
    assert reason in message
    assert controls(message) == []
    assert all(line.startswith(("error: bomb.yaml", "bomb.yaml", "and ")) for line in message.splitlines())


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_at_once(bomb: str, tmp_path: Path) -> None:
    content, reason = BOMBS[bomb]
    (tmp_path / "bomb.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    begun = time.process_time()
    with contextlib.chdir(tmp_path):
        done = ablate(tmp_path, "plan", "bomb.yaml")
    assert time.process_time() - begun < SECONDS - STARTING
    check_refusal(done.code, done.stderr, reason)
    assert [each.name for each in tmp_path.iterdir()] == ["bomb.yaml"]


@pytest.mark.parametrize("bomb", ["aliases", "fifty megabytes"])
def test_a_process_refuses_it_too(bomb: str, tmp_path: Path) -> None:
    content, reason = BOMBS[bomb]
    (tmp_path / "bomb.yaml").write_bytes(content if isinstance(content, bytes) else content.encode())
    arguments = [sys.executable, "-m", "ablation", "plan", "bomb.yaml"]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True, check=False)
    check_refusal(done.returncode, done.stderr, reason)


@pytest.mark.skipif(os.name == "nt", reason="devices of Unix")
def test_a_device_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "bomb.yaml").symlink_to("/dev/zero")
    with contextlib.chdir(tmp_path):
        done = ablate(tmp_path, "plan", "bomb.yaml")
    check_refusal(done.code, done.stderr, "longer than 200,000 characters")
