import io
import os
from contextlib import closing
from pathlib import Path

import pytest

from eprescription_sdk.cli.app import app
from eprescription_sdk.clock import SystemClock
from eprescription_sdk.errors import ConfigurationError, EPrescriptionError
from eprescription_sdk.files import json_of, read, read_lines, toml_of
from eprescription_sdk.pilot.dossier import Dossier
from eprescription_sdk.pilot.export import write_export
from eprescription_sdk.pilot.lifecycle import Pilot
from eprescription_sdk.storage import SqliteStore
from tests.pilot.pilots import KEY, PilotStore
from tests.pilot.samples import EXAMPLE
from tests.settings_file import settings_file

DEEP = b"[" * 100_000


def test_a_file_is_read_whole_or_by_lines(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"a\nb")
    assert read(path) == b"a\nb"
    assert read(path, 3) == b"a\nb"
    assert list(read_lines(path)) == [b"a\n", b"b"]


def test_a_pipe_that_someone_writes_to_is_read(tmp_path: Path) -> None:
    receiving, sending = os.pipe()
    os.write(sending, b"said")
    os.close(sending)
    try:
        assert read(Path(f"/dev/fd/{receiving}")) == b"said"
    finally:
        os.close(receiving)


def test_what_has_no_end_ends_in_an_error() -> None:
    for reading in (read, lambda path: list(read_lines(path))):
        with pytest.raises(OSError, match="too large"):
            reading(Path("/dev/zero"))


def test_a_pipe_that_nobody_writes_to_is_empty(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read(tmp_path / "pipe") == b""
    assert list(read_lines(tmp_path / "pipe")) == []


@pytest.mark.parametrize("name", ["", "none", "a\0b", "a" * 5000, "loop"])
def test_what_cannot_be_opened_says_why(tmp_path: Path, name: str) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(OSError, match=r"\w") as caught:
        read(tmp_path / name)
    assert caught.value.strerror


def test_documents_of_any_ordinary_shape_are_read() -> None:
    assert json_of(b'\xef\xbb\xbf{"a": [1]}') == {"a": [1]}
    assert toml_of(b"\xef\xbb\xbfa.b = 1\n") == {"a": {"b": 1}}
    assert toml_of(b"a = '" + b"." * 400 + b"'")
    assert toml_of(b"a = '" + b"one sentence. " * 400 + b"'")


@pytest.mark.parametrize("text", [DEEP, b'{"a":' * 100_000, b"1" * 5000, b"\0", b"\xff"])
def test_json_that_goes_too_deep_is_none(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        json_of(text)


@pytest.mark.parametrize(
    "text",
    [
        b"a = " + DEEP,
        b".".join([b"a"] * 100_000) + b" = 1",
        b" . ".join([b'"a b"'] * 100_000) + b" = 1",
        b"[" + b".".join([b"'a.b'"] * 100_000) + b"]",
        b"a = {" + b".".join([b"a"] * 100_000) + b" = 1}",
        b"#" * 2_000_000,
        b"a = " + b"1" * 5000,
        b"\xff",
    ],
)
def test_toml_that_would_take_minutes_is_none(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        toml_of(text)


COMMANDS = {
    "settings": "traces status --settings {}",
    "credentials": "ledger reconcile --credentials {} --settings {settings}",
    "dossier": "pilot check {}",
    "counts": "pilot rehearse {}",
    "questionnaire": "pilot questionnaire record {} --by x --reference r --settings {settings}",
    "prerequisites": (
        "pilot prerequisites record {} --document d --by x --reference r --settings {settings}"
    ),
    "official figures": "pilot official {} --by x --reference r --settings {settings}",
    "trace profile": "traces check {}",
    "signing key": "traces purge checkpoint.json --sign-key {} --settings {settings}",
    "public key": "verify export --key {}",
    "assessment": "verify export --assessment {}",
    "receipt": "verify export --receipt {}",
    "manifest of a day": "verify export --anchor {}",
}
"""Every text that a command takes as a file."""


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("hostile")
    content = {
        "empty": b"", "zeros": b"\0" * 5000, "binary": bytes(range(256)), "deep": DEEP,
        "deep key": b".".join([b"a"] * 100_000) + b" = 1", "huge number": b"a = " + b"1" * 5000,
        "deep objects": b'{"a":' * 100_000, "null": b"null", "list": b"[]",
        "one long line": b"x" * 20_000_000, "quotes": b'"' + b'a;"' * 100_000,
    }  # fmt: skip
    paths = {name: folder / f"{index}" for index, name in enumerate(content)}
    for name, path in paths.items():
        path.write_bytes(content[name])
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder / "loop")
    return paths | {
        "endless": Path("/dev/zero"), "pipe": folder / "pipe", "loop": folder / "loop",
        "folder": folder, "none": folder / "none", "name": Path("a\0b"),
        "long name": Path("a" * 999),
    }  # fmt: skip


@pytest.mark.parametrize("kind", COMMANDS)
def test_each_file_that_a_command_takes_ends_in_an_error_that_says_where(
    kind: str, hostile: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings_file(tmp_path)
    pilot = PilotStore(tmp_path, store=SqliteStore(tmp_path / "store.db"))
    write_export(pilot.store, tmp_path / "export", key=KEY)
    pilot.store.close()
    for name, path in hostile.items():
        words = COMMANDS[kind].split()
        command = [word.format(path, settings="settings.toml") for word in words]
        with pytest.raises(EPrescriptionError) as caught:
            app(command, exit_on_error=False)
        assert caught.value.path or hasattr(caught.value, "findings"), name


@pytest.mark.parametrize(
    "command",
    [
        "assess --html {}/report.html --settings {settings}",
        "assess --export {} --settings {settings}",
        "pilot init {}/pilot.toml",
        "pilot export {} --settings {settings}",
        "pilot questions --output {}/letter --settings {settings}",
        "pilot card --prescriber 99700218896 --output {}/card --settings {settings}",
        "pilot prerequisites form {}/sheet.csv",
        "pilot questionnaire form {}/sheet.csv --settings {settings}",
        "sandbox --card {}",
    ],
)
def test_a_place_that_cannot_be_written_ends_in_an_error_that_names_it(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    settings = settings_file(tmp_path)
    with closing(SqliteStore(tmp_path / "store.db")) as store:
        pilot = Pilot(store, key=b"\xab" * 32, clock=SystemClock(), module="exemple-on-1")
        pilot.apply(Dossier.from_toml(EXAMPLE), by="essai")
    (tmp_path / "file").touch()
    place = tmp_path / "file" / "none"
    words = [word.format(place, settings=settings) for word in command.split()]
    with pytest.raises(ConfigurationError, match="cannot be written") as caught:
        app(words, exit_on_error=False)
    assert str(caught.value.path).startswith(str(place))
