"""What a shell completes: commands, their flags, keys, and the options of groups. Loads neither Hydra nor torch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from prune_rnn import paths

SHELLS = ("bash", "zsh")
_TAKE_RUN_KEYS = "train|report|describe"

# COMP_WORDS are of no use: bash also cuts at '='. What readline replaces then is what stands behind the last '='.
_BASH = """\
_prune_rnn() {{
    local line="${{COMP_LINE:0:COMP_POINT}}" words
    local word="${{line##*[[:space:]]}}"
    if [[ $COMP_CWORD == 1 ]]; then COMPREPLY=($(compgen -W "{commands}" -- "$word")); return; fi
    case "${{COMP_WORDS[1]}}" in
{flags}
    esac
    case "${{COMP_WORDS[1]}}" in
        {take_run_keys})
            case "$word" in
                *=*) words+=" {options}" ;;
                *) words+=" {keys}" ;;
            esac ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    if [[ $word == *=* && $COMP_WORDBREAKS == *=* ]]; then COMPREPLY=("${{COMPREPLY[@]#*=}}"); fi
    if [[ ${{COMPREPLY[0]}} == *= ]]; then compopt -o nospace; fi
}}
complete -o default -F _prune_rnn prune-rnn
"""

# zsh keeps a word with its '=' whole, and offers what begins as it does
_ZSH = """\
_prune_rnn() {{
    local -a found
    if (( CURRENT == 2 )); then compadd -- {commands}; return; fi
    case "${{words[2]}}" in
{flags}
    esac
    case "${{words[2]}}" in
        {take_run_keys})
            case "${{words[CURRENT]}}" in
                *=*) found+=({options}) ;;
                *) compadd -S '' -- {keys} ;;
            esac ;;
    esac
    compadd -a found
    _files
}}
compdef _prune_rnn prune-rnn
"""


def keys() -> list[str]:
    """Returns all keys of a run, in dots, sorted, as the tables of conf/README.md have them.

    They are those of `schema.keys()`, which takes seconds to import; a test compares them.
    """
    text = (paths.conf() / "README.md").read_text(encoding="utf-8").partition("<!-- keys -->")[2]
    return sorted(set(re.findall(r"^\| `([\w.]+)` \| `", text, re.MULTILINE)))


def options() -> list[str]:
    """Returns every option of every group, GROUP=OPTION, sorted."""
    groups = sorted({key.partition(".")[0] for key in keys() if "." in key})
    return [f"{group}={option}" for group in groups for option in paths.options(group)]


def script(shell: str, flags: Mapping[str, Sequence[str]]) -> str:
    """Returns a function of the shell and its registration. flags: of each command."""
    run_keys = sorted({f"{key}=" for key in keys()} | {f"{one.partition('=')[0]}=" for one in options()})
    form, listed = (_BASH, 'words="{}"') if shell == "bash" else (_ZSH, "found=({})")
    return form.format(
        commands=" ".join(flags),
        flags="\n".join(f"        {name}) {listed.format(' '.join(of))} ;;" for name, of in flags.items()),
        take_run_keys=_TAKE_RUN_KEYS,
        options=" ".join(options()),
        keys=" ".join(run_keys),
    )
