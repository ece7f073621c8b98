"""Shell completion of a run's keys and of the options of groups; click completes commands and options."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from prune_rnn import paths
from prune_rnn.cli.keys import keys, options

VARIABLE = "_PRUNE_RNN_COMPLETE"  # set by the shell's function when it asks for completions


def complete_key(ctx: click.Context, param: click.Parameter, word: str) -> list[CompletionItem[str]]:
    """Returns the keys that begin with the word; for GROUP=... the group's options, for another KEY=... any file."""
    key, equals, value = word.partition("=")
    if equals and key not in paths.groups():
        return [CompletionItem(value, type="file")]
    known = options() if equals else [f"{name}=" for name in [*paths.groups(), *keys()]]
    return [CompletionItem(each) for each in known if each.startswith(word)]


@add_completion_class
class _Bash(BashComplete):
    """Joins the words that bash has cut at '=', offers what follows the '=', and lets no space follow KEY=."""

    source_template = BashComplete.source_template.replace(
        "COMPREPLY+=($value)", "COMPREPLY+=($value); if [[ $value == *= ]]; then compopt -o nospace; fi"
    )
    offered_after = ""

    def get_completion_args(self) -> tuple[list[str], str]:
        words, last = super().get_completion_args()
        joined: list[str] = []
        for word in [*words, last]:
            if joined and (word == "=" or joined[-1].endswith("=")):
                joined[-1] += word
            else:
                joined.append(word)
        *words, whole = joined
        self.offered_after = "" if whole == last else whole.removesuffix(last.lstrip("="))
        return words, whole

    def format_completion(self, item: CompletionItem[str]) -> str:
        item.value = item.value.removeprefix(self.offered_after)
        return super().format_completion(item)
