"""From words to a command that ran: Typer reads the options, errors become a sentence, a hint and an exit status."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from typing import Any

import typer

from retrograd.cli import failure
from retrograd.cli.commands import BY_NAME, COMMANDS, Command, nearest
from retrograd.errors import RetrogradError, UsageError

# Typer raises the errors of the Click it was built on, which it does not name; these are the bases of what it does.
_WRONG_LINE: Any = typer.BadParameter.__mro__[1]
_ANY_CLICK_ERROR: Any = typer.BadParameter.__mro__[2]


def run_command(words: list[str]) -> int:
    """Run the command whose name is the first word; returns the exit status."""
    debug, as_json = "--debug" in words, "--json" in words
    try:
        if "_RETROGRAD_COMPLETE" in os.environ or words[0] in ("--install-completion", "--show-completion"):
            typer.main.get_command(whole_app()).main(args=words, prog_name="retrograd", standalone_mode=False)
            return 0
        if words[0] == "help" and len(words) > 1:
            words = [words[1], "--help"]
        command = find_command(words[0])
        return _call(command_for(command), words[1:], f"retrograd {command.name}")
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except RetrogradError as error:
        if debug:
            raise
        return failure.tell(error, as_json=as_json)
    except Exception as error:
        if debug:
            raise
        return failure.tell_unexpected(error, as_json=as_json)


def find_command(word: str) -> Command:
    """The command called `word`; `UsageError` with the nearest name, or with what a file given first asks for."""
    if word in BY_NAME:
        return BY_NAME[word]
    if word.startswith("-"):
        raise UsageError(
            f"the command comes before the options, and {word} is not a command", hint="retrograd --help"
        )
    near = nearest(word, list(BY_NAME))
    if near:
        raise UsageError(f"no command {word!r}", hint=f"did you mean: retrograd {near}")
    if os.path.exists(word):
        raise UsageError(
            f"no command {word!r}, but there is a file of that name", hint=f"retrograd train {word}"
        )
    raise UsageError(f"no command {word!r}", hint=f"one of: {', '.join(BY_NAME)}")


def command_for(command: Command) -> Any:
    """The Typer command of one entry of the list; only its own module is imported."""
    module = importlib.import_module(f"retrograd.cli.{command.module}")
    app = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
    _add(app, command, module.run)
    return typer.main.get_command(app)


def whole_app() -> typer.Typer:
    """All commands in one Typer app, which is what shell completion needs."""
    app = typer.Typer(name="retrograd", rich_markup_mode="rich", pretty_exceptions_enable=False)
    for command in COMMANDS:
        module = importlib.import_module(f"retrograd.cli.{command.module}")
        _add(app, command, module.run)
    return app


def _add(app: typer.Typer, command: Command, run: Any) -> None:
    """The docstring is the help: its paragraphs, and, indented at its end, the example."""
    text, _, example = inspect.cleandoc(run.__doc__).partition("\n\n    ")
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    app.command(
        command.name,
        help="\n\n".join(paragraphs),
        epilog=f"Example: {example.strip()}" if example else None,
    )(run)


def _call(command: Any, words: list[str], name: str) -> int:
    try:
        # Not command.main(): that would turn Ctrl-C, a closed pipe and every error into an exit of its own.
        with command.make_context(name, list(words)) as context:
            result = command.invoke(context)
    except typer.Exit as stop:
        return stop.exit_code
    except _WRONG_LINE as error:
        raise _as_usage_error(error, command, words, name) from None
    except _ANY_CLICK_ERROR as error:
        raise UsageError(error.format_message(), hint=f"{name} --help") from None
    sys.stdout.flush()
    return result if isinstance(result, int) else 0


def _as_usage_error(error: Any, command: Any, words: list[str], name: str) -> UsageError:
    """Click's complaint in our words; the hint is the nearest option, an example or the usage line."""
    help_hint = f"{name} --help"
    usage = BY_NAME.get(name.removeprefix("retrograd "))
    usage_hint = f"retrograd {usage.usage}" if usage else help_hint
    unknown = getattr(error, "option_name", None)
    if unknown is not None and hasattr(error, "possibilities"):
        known = [
            option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)
        ]
        # without the dashes, which all options have in common
        near = nearest(unknown.strip("-"), [option[2:] for option in known if option.startswith("--")])
        hint = f"did you mean --{near}? All options: {help_hint}" if near else help_hint
        return UsageError(f"{name} has no option {unknown}", hint=hint)
    message = error.format_message().strip().rstrip(".")
    parameter = getattr(error, "param", None)
    if type(error).__name__ == "MissingParameter" and parameter is not None:
        return UsageError(f"{name} needs {parameter.metavar or parameter.name}", hint=usage_hint)
    if parameter is not None and parameter.opts[0].startswith("-"):
        option = max(parameter.opts, key=len)
        given = _value_given(words, parameter.opts)
        whole, example = ("a whole number", "20") if "integer" in message else ("a number", "0.1")
        return UsageError(f"{option} {given}: not {whole}", hint=f"{option} {example}")
    if "unexpected extra argument" in message:
        extra = message[message.rfind("(") + 1 :].removesuffix(")")
        return UsageError(
            f"one word too many: {extra}", hint=f"{usage_hint}; a name with spaces needs quotes"
        )
    return UsageError(message[:1].lower() + message[1:], hint=help_hint)


def _value_given(words: list[str], names: list[str]) -> str:
    """The word after the option, or after its equals sign."""
    for i, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else " ".join(words[i + 1 : i + 2])
    return ""
