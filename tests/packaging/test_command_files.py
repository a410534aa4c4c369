"""Man page and completions say what the parser says, and real shells take them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from command_files import app_commands, command_files, window_command
from command_outline import Command

COMMANDS = app_commands()
FILES = command_files()
MAN = FILES["man/man1/cxr-quorum.1"]
BASH = FILES["bash-completion/completions/cxr-quorum"]


def plain(roff: str) -> str:
    """Roff text without its escapes."""
    return re.sub(r"\\f[A-Z]", "", roff).replace("\\-", "-").replace("\\&", "")


@pytest.mark.parametrize(
    "command", [*COMMANDS, window_command()], ids=lambda command: command.name or "program"
)
def test_the_man_page_has_every_command_and_option_of_the_parser(command: Command) -> None:
    text = plain(MAN)
    assert f".SS {command.name}" in text if command.name else ".SH OPTIONS" in text
    for option in command.options:
        for flag in option.flags:
            assert flag in text
        assert option.help in text


def test_the_man_page_names_every_exit_code_of_the_program() -> None:
    from desktop import cli

    codes = {value for name, value in vars(cli).items() if name.startswith("EXIT_")}
    text = plain(MAN)
    assert codes
    assert all(f".B {code}\n" in text for code in codes)


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
def test_the_man_page_is_valid_roff(tmp_path: Path) -> None:
    page = tmp_path / "cxr-quorum.1"
    page.write_text(MAN)
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", str(page)],
        capture_output=True,
        text=True,
        check=False,
    )
    # An empty date is deliberate: equal sources give equal pages.
    complaints = [line for line in done.stdout.splitlines() if "missing date" not in line]
    assert complaints == []


def completions(tmp_path: Path, *words: str) -> set[str]:
    """What bash offers after these words; the last one is being typed."""
    script = tmp_path / "completion"
    script.write_text(BASH)
    quoted = " ".join(f"'{word}'" for word in words)
    done = subprocess.run(
        ["bash", "-c", f"source {script}; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
         "_cxr_quorum; printf '%s\\n' \"${COMPREPLY[@]}\""],
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_bash_offers_the_commands_first(tmp_path: Path) -> None:
    names = {command.name for command in COMMANDS if command.name}
    assert names <= completions(tmp_path, "cxr-quorum", "")


def test_bash_offers_the_options_of_the_chosen_command_only(tmp_path: Path) -> None:
    for command in COMMANDS:
        if command.name:
            offered = completions(tmp_path, "cxr-quorum", command.name, "--")
            wanted = {f for option in command.options for f in option.flags if f.startswith("--")}
            assert offered == wanted


def test_bash_offers_the_values_of_an_option_with_choices(tmp_path: Path) -> None:
    offered = completions(tmp_path, "cxr-quorum", "label", "--device", "c")
    assert offered == {"cuda", "coreml", "cpu"}


@pytest.mark.parametrize(
    ("shell", "name"),
    [
        ("bash", "bash-completion/completions/cxr-quorum"),
        ("zsh", "zsh/vendor-completions/_cxr-quorum"),
        ("fish", "fish/vendor_completions.d/cxr-quorum.fish"),
    ],
)
def test_each_shell_reads_its_completion(shell: str, name: str, tmp_path: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "completion"
    script.write_text(FILES[name])
    subprocess.run([shell, "-n", str(script)], check=True, env={"HOME": str(tmp_path)})


@pytest.mark.parametrize("name", ["zsh/vendor-completions/_cxr-quorum",
                                  "fish/vendor_completions.d/cxr-quorum.fish"])  # fmt: skip
def test_the_other_shells_know_every_long_option_too(name: str) -> None:
    for command in COMMANDS:
        for option in command.options if command.name else ():
            for flag in option.flags:
                assert (flag if "zsh" in name else flag.lstrip("-")) in FILES[name]
