"""The one reader of files that people give: bounded in memory and time, plain data as a result.

What a file is about is not known here. Whatever is wrong with it is an ``OSError`` (the file) or a
``ValueError`` (its content), for the caller to put into words.
"""

import errno
import json
import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

MOST_BYTES = 16 * 1024 * 1024
"""Of a file that is read whole."""

_MOST_OF_A_LINE = 1024 * 1024
_MOST_OF_TOML = 1024 * 1024
_DEEP_KEY = re.compile(r"(?<![\w-])(?:(?:[\w-]+|\"[^\"\n]*\"|'[^'\n]*')[ \t]*\.[ \t]*){50}")
"""The standard library takes minutes over a key of many thousand parts."""


def read(path: Path, most: int = MOST_BYTES) -> bytes:
    """What a file holds.

    Args:
        path: of any kind of file: a pipe that nobody writes to is empty.
        most: that it may hold, bytes.

    Raises:
        OSError: it cannot be read, or holds more.
    """
    with _opened(path) as file:
        content = file.read(most + 1)
    return _at_most(most, content, path)


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, one after the other, however many there are.

    Raises:
        OSError: it cannot be read, or a line is longer than a mebibyte.
    """
    with _opened(path) as file:
        while line := file.readline(_MOST_OF_A_LINE + 1):
            yield _at_most(_MOST_OF_A_LINE, line, path)


def json_of(content: bytes | str) -> Any:
    """The document of a JSON text.

    Raises:
        ValueError: it is none, or its brackets go too deep.
    """
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("brackets within brackets, too deep") from None


def toml_of(content: bytes) -> dict[str, Any]:
    """The tables of a TOML text; the byte order mark that some editors put in front is passed over.

    Raises:
        ValueError: it is none, is larger than a mebibyte, or its brackets or keys go too deep.
    """
    if len(content) > _MOST_OF_TOML:
        raise ValueError("more than a mebibyte, which no settings need")
    text = content.decode("utf-8-sig")
    try:
        if _DEEP_KEY.search(text):
            raise RecursionError
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("brackets or keys within each other, too deep") from None


def _opened(path: Path) -> BinaryIO:
    if "\0" in str(path):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), str(path))
    # Without waiting for someone to write to a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "rb")


def _at_most(most: int, content: bytes, path: Path) -> bytes:
    if len(content) > most:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return content
