"""Man page and completions say what the parser says, and real shells take them."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from command_files import COMPLETIONS, MAN_PAGE, app_parsers, command_files, window_parser

from desktop.cli.common import EXIT_CODES

PARSERS = dict(app_parsers())
COMMANDS = {name: parser for name, parser in PARSERS.items() if name}
FILES = command_files()
MAN = FILES[MAN_PAGE]


def plain(roff: str) -> str:
    """Roff text without its escapes, one space between words."""
    text = re.sub(r"\\f[A-Z]|\\,|\\/|\\&", "", roff).replace("\\-", "-").replace("\\e", "\\")
    return " ".join(text.split())


def flags(parser: argparse.ArgumentParser) -> set[str]:
    return {flag for action in parser._actions for flag in action.option_strings}


@pytest.mark.parametrize("name", [*PARSERS, "window"])
def test_the_man_page_has_every_command_and_option_of_the_parser(name: str) -> None:
    text, parser = plain(MAN), PARSERS.get(name) or window_parser()
    assert f".SS cxr-quorum {name}" in text if name in COMMANDS else ".SH OPTIONS" in text
    formatter = parser._get_formatter()
    for action in parser._actions:
        if action.dest == "help" or isinstance(action, argparse._SubParsersAction):
            continue
        assert all(flag in text for flag in action.option_strings)
        if action.help:
            assert " ".join(formatter._expand_help(action).split()) in text


def test_the_man_page_names_every_exit_code_of_the_program() -> None:
    text = plain(MAN)
    assert EXIT_CODES
    assert all(f".B {code} {meaning}" in text for code, meaning in EXIT_CODES.items())


@pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")
def test_the_man_page_is_valid_roff(tmp_path: Path) -> None:
    page = tmp_path / "cxr-quorum.1"
    page.write_text(MAN)
    done = subprocess.run(
        ["man", "--warnings=all", "-l", str(page)],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "80"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cxr-quorum label" in done.stdout
    assert done.stderr == ""


def completions(tmp_path: Path, *words: str) -> set[str]:
    """What bash offers after these words; the last one is being typed."""
    script = tmp_path / "completion"
    script.write_text(FILES[COMPLETIONS["bash"]])
    quoted = " ".join(f"'{word}'" for word in words)
    done = subprocess.run(
        ["bash", "-c", f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
         "_shtab_cxr_quorum; printf '%s\\n' \"${COMPREPLY[@]}\""],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_bash_offers_the_commands_first(tmp_path: Path) -> None:
    assert set(COMMANDS) <= completions(tmp_path, "cxr-quorum", "")


def test_bash_offers_the_options_of_the_chosen_command_only(tmp_path: Path) -> None:
    for name, parser in COMMANDS.items():
        offered = completions(tmp_path, "cxr-quorum", name, "--")
        assert offered == {flag for flag in flags(parser) if flag.startswith("--")}


def test_bash_offers_the_values_of_an_option_with_choices(tmp_path: Path) -> None:
    offered = completions(tmp_path, "cxr-quorum", "label", "--device", "c")
    assert offered == {"cuda", "coreml", "cpu"}


@pytest.mark.parametrize(
    "words", [("label",), ("label", "--heatmaps"), ("prove",), ("demo", "--output")]
)
def test_bash_offers_files_where_a_path_is_wanted(words: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    assert "films" in completions(tmp_path, "cxr-quorum", *words, "fi")


@pytest.mark.parametrize("shell", COMPLETIONS)
def test_each_shell_reads_its_completion(shell: str, tmp_path: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "completion"
    script.write_text(FILES[COMPLETIONS[shell]])
    subprocess.run([shell, "-n", str(script)], check=True, env={"HOME": str(tmp_path)})


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_the_other_shells_know_every_option_too(shell: str) -> None:
    for parser in COMMANDS.values():
        for flag in flags(parser):
            assert (flag if shell == "zsh" else flag.lstrip("-")) in FILES[COMPLETIONS[shell]]
