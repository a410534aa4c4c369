"""Completions for bash, zsh and fish, made from the parser."""

from __future__ import annotations

from command_outline import Command, Option

PROGRAM = "cxr-quorum"


def bash_completion(commands: tuple[Command, ...]) -> str:
    """Text of ``/usr/share/bash-completion/completions/cxr-quorum``."""
    program, *others = commands
    cases = []
    for command in others:
        cases += [
            f"    {command.name})",
            f'      words="{" ".join(_flags(command.options))}"',
            *_bash_values(command.options),
            "      ;;",
        ]
    return "\n".join(
        [
            f"# bash completion for {PROGRAM}; made from the parser by packaging/command_files.py",
            "_cxr_quorum() {",
            '  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"',
            '  local command="" word words="" choices=""',
            '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
            '    case "$word" in -*) ;; *) command="$word"; break ;; esac',
            "  done",
            '  case "$command" in',
            *cases,
            "    *)",
            f'      words="{" ".join([c.name for c in others] + _flags(program.options))}"',
            "      ;;",
            "  esac",
            '  if [ -n "$choices" ]; then',
            '    COMPREPLY=($(compgen -W "$choices" -- "$current"))',
            '  elif [[ "$current" == -* || -z "$command" ]]; then',
            '    COMPREPLY=($(compgen -W "$words" -- "$current"))',
            "  fi",
            "  # Everything else is a path: -o default below completes it.",
            "}",
            f"complete -o default -F _cxr_quorum {PROGRAM}",
            "",
        ]
    )


def zsh_completion(commands: tuple[Command, ...]) -> str:
    """Text of ``/usr/share/zsh/vendor-completions/_cxr-quorum``."""
    _, *others = commands
    lines = [
        f"#compdef {PROGRAM}",
        "# made from the parser by packaging/command_files.py",
        "local -a commands",
        "commands=(",
        *(f"  '{c.name}:{_zsh(c.help)}'" for c in others),
        ")",
        "if (( CURRENT == 2 )); then",
        "  _describe 'command' commands",
        "  _files",
        "  return",
        "fi",
        'case "$words[2]" in',
    ]
    for command in others:
        lines += [f"  {command.name})", "    _arguments \\"]
        lines += [f"      {spec} \\" for spec in _zsh_specs(command.options)]
        lines += ["      '*:path:_files'", "    ;;"]
    lines += ["  *) _files ;;", "esac", ""]
    return "\n".join(lines)


def fish_completion(commands: tuple[Command, ...]) -> str:
    """Text of ``/usr/share/fish/vendor_completions.d/cxr-quorum.fish``."""
    _, *others = commands
    lines = [f"# fish completion for {PROGRAM}; made from the parser by packaging/command_files.py"]
    for command in others:
        lines.append(
            f"complete -c {PROGRAM} -n __fish_use_subcommand -a {command.name} "
            f"-d '{_fish(command.help)}'"
        )
        for option in command.options:
            words = [
                f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"
                for flag in option.flags
            ]
            if not words:
                continue
            if option.choices:
                words.append(f"-x -a '{' '.join(option.choices)}'")
            elif option.value:
                words.append("-r")
            lines.append(
                f"complete -c {PROGRAM} -n '__fish_seen_subcommand_from {command.name}' "
                f"{' '.join(words)} -d '{_fish(option.help)}'"
            )
    return "\n".join(lines) + "\n"


def _flags(options: tuple[Option, ...]) -> list[str]:
    return [flag for option in options for flag in option.flags if flag.startswith("--")]


def _bash_values(options: tuple[Option, ...]) -> list[str]:
    arms = [
        f'        {"|".join(option.flags)}) choices="{" ".join(option.choices)}" ;;'
        for option in options
        if option.flags and option.choices
    ]
    return ['      case "$previous" in', *arms, "      esac"] if arms else []


def _zsh_specs(options: tuple[Option, ...]) -> list[str]:
    specs = []
    for option in options:
        if option.positional:
            continue
        action = ""
        if option.choices:
            action = f":value:({' '.join(option.choices)})"
        elif option.wants_path:
            action = ":path:_files"
        elif option.value:
            action = ":value:"
        specs += [f"'{flag}[{_zsh(option.help)}]{action}'" for flag in option.flags]
    return specs


def _zsh(text: str) -> str:
    for special in ("\\", "[", "]", ":"):
        text = text.replace(special, f"\\{special}")
    return text.replace("'", "'\\''")


def _fish(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
