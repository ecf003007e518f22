"""What ``--help`` says, of every command."""

from collections.abc import Iterator

import pytest
from cyclopts import App
from cyclopts.argument import Argument

from eprescription_sdk.cli.app import app

OWN = ("--help", "-h", "--version")


def commands(group: App, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every command that does something."""
    if group.default_command is not None:
        yield path
    for name in group:
        if name not in OWN:
            yield from commands(group[name], (*path, name))


@pytest.mark.parametrize("path", [*commands(app)], ids=" ".join)
def test_every_argument_of_a_command_is_explained(
    path: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    app([*path, "--help"], result_action="return_value")
    said = capsys.readouterr().out
    assert "default: False" not in said
    assert not [flag for flag in ("--empty-", "--no-") if flag in said.replace("--no-ask", "")]
    for argument in arguments(path):
        assert argument.parameter.help, argument.name
        # What is named by its place has no second name: --version of a release hid our own.
        if argument.field_info.is_positional:
            assert not argument.field_info.is_keyword, argument.name


def arguments(path: tuple[str, ...]) -> list[Argument]:
    command = app[path[0]]
    for name in path[1:]:
        command = command[name]
    return [*command.assemble_argument_collection(parse_docstring=True)]


def test_there_are_commands_to_look_at() -> None:
    found = {*commands(app)}
    assert {("doctor",), ("sandbox",), ("sandbox", "scan"), ("pilot", "anomaly", "open")} <= found
