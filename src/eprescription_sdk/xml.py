"""The one hardened XML reader and the one escaping XML writer.

Reading refuses entities, document types, network access, huge trees and deep nesting,
before anything is built from them. Writing cannot emit unescaped text: the only way to put
markup into a document is a ``Fragment``, and only the writer and the reader make those.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NewType, TypeAlias

from lxml import etree

from eprescription_sdk.errors import InvalidInput, XmlRefused

Node: TypeAlias = etree._Element
"""An element of a document that the reader accepted."""

Fragment = NewType("Fragment", str)
"""Well-formed markup that may be embedded as it stands."""


class Written(bytes):
    """One element as the writer wrote it, in UTF-8: well-formed, so it need not be read again."""


MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 100
MAX_MARKS = 50_000
"""The most tags, attributes and references of a document: a tree takes twenty to forty times the
bytes of the shortest tags that it is built from."""

_DEEPER = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([A-Za-z0-9._-]+)""")
_READ = frozenset({b"utf-8", b"utf-16", b"us-ascii", b"iso-8859-1", b"iso-8859-15"})
_NAME = re.compile(r"[A-Za-z_][\w.\-]*(:[A-Za-z_][\w.\-]*)?", re.ASCII)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def parse(data: bytes, *, max_bytes: int = MAX_BYTES) -> Node:
    """Read a document from outside.

    Args:
        data: the bytes as received.
        max_bytes: the largest document accepted, in bytes.

    Raises:
        XmlRefused: malformed, larger or deeper than allowed, or with a document type.
    """
    if len(data) > max_bytes:
        raise XmlRefused(f"The XML document is larger than {max_bytes} bytes.")
    _look(data)
    # A parser each time: lxml's keeps state, and callers are on many threads.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        # Not chained: the parser's complaint may quote the document.
        if "Excessive depth" in str(error):
            raise XmlRefused(_TOO_DEEP) from None
        raise XmlRefused("The XML document is malformed.") from None
    # Encodings such as UTF-16 would hide the document type from the test above.
    if root.getroottree().docinfo.internalDTD is not None:
        raise XmlRefused("The XML document carries a document type.")
    # What is deep has at least as many tags.
    if data.count(b"<") > MAX_DEPTH and _DEEPER(root.getroottree()):
        raise XmlRefused(_TOO_DEEP)
    return root


_TOO_DEEP = f"The XML document is nested deeper than {MAX_DEPTH} levels."


def _look(data: bytes) -> None:
    """Refuse, before anything is built from it, what would not be worth reading.

    Raises:
        XmlRefused: a document type, an encoding that hides marks, or too many of them.
    """
    # In UTF-16 every other byte of a mark is zero.
    plain = data.replace(b"\0", b"") if b"\0" in data[:4] else data
    # A document type is the door to entities; no message of the téléservice has one.
    if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
        raise XmlRefused("The XML document carries a document type.")
    # Each of these encodings writes a mark with the byte that is counted below.
    head = plain[:256].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    named = _ENCODING.search(head)
    if head[:1] not in (b"<", b"") or (named is not None and named[1].lower() not in _READ):
        raise XmlRefused("The document is no XML, or in an encoding that is not read.")
    if max(data.count(mark) for mark in (b"<", b"=", b"&")) > MAX_MARKS:
        raise XmlRefused(f"The XML document has more than {MAX_MARKS} tags or attributes.")


def local_name(node: Node) -> str:
    """The name of an element without its namespace."""
    return str(node.tag).rpartition("}")[2]


def namespace(node: Node) -> str:
    """The namespace of an element, or an empty string."""
    return str(node.tag).rpartition("}")[0].removeprefix("{")


def child(node: Node, space: str, name: str) -> Node | None:
    """The first child with this namespace and local name."""
    return next(node.iterchildren(f"{{{space}}}{name}"), None)


def text(node: Node | None) -> str:
    """The text of an element, stripped; empty when there is none."""
    return (node.text or "").strip() if node is not None else ""


def canonical(node: Node) -> bytes:
    """Exclusive canonical form: the bytes that stand for the content, whatever the prefixes.

    Raises:
        XmlRefused: there is none, since a namespace has a relative name (Canonical XML 1.0, 1.3).
    """
    try:
        return etree.tostring(node, method="c14n", exclusive=True)
    except etree.C14NError:
        raise XmlRefused("The XML document has no canonical form.") from None


def serialise(node: Node) -> bytes:
    """An element as a document of its own."""
    return etree.tostring(node, encoding="utf-8", with_tail=False)


def embed(data: bytes) -> Fragment:
    """Foreign markup, checked by the reader, in a form the writer may embed."""
    if isinstance(data, Written):
        return Fragment(data.decode())
    parse(data)
    try:
        decoded = data.decode("utf-8")
    except UnicodeDecodeError:
        raise XmlRefused("The XML document is not in UTF-8.") from None
    return Fragment(re.sub(r"^\ufeff?\s*<\?xml[^>]*\?>\s*", "", decoded))


def escape(value: str) -> str:
    """Escape text for element content and attribute values.

    Raises:
        InvalidInput: a character that XML 1.0 cannot carry.
    """
    if _FORBIDDEN.search(value):
        raise InvalidInput("A text holds a control character that XML cannot carry.")
    if "&" in value:
        value = value.replace("&", "&amp;")
    if "<" in value:
        value = value.replace("<", "&lt;")
    if ">" in value:
        value = value.replace(">", "&gt;")
    if '"' in value:
        value = value.replace('"', "&quot;")
    # A bare line break in an attribute, or a carriage return anywhere, would be normalised.
    if "\n" in value or "\r" in value or "\t" in value:
        value = value.replace("\r", "&#13;").replace("\n", "&#10;").replace("\t", "&#9;")
    return value


class Writer:
    """Builds one document; every value it is given is escaped."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._known: set[str] = set()

    def _tag(self, name: str, attributes: dict[str, str] | None) -> str:
        self._check(name)
        if not attributes:
            return name
        for key in attributes:
            self._check(key)
        return name + "".join(f' {key}="{escape(value)}"' for key, value in attributes.items())

    def _check(self, name: str) -> None:
        if name not in self._known:
            if not _NAME.fullmatch(name):
                raise InvalidInput("A name cannot be an XML name.")
            self._known.add(name)

    @contextmanager
    def element(self, name: str, attributes: dict[str, str] | None = None) -> Iterator[None]:
        """An element whose content is written inside the ``with`` block."""
        self._parts.append(f"<{self._tag(name, attributes)}>")
        yield
        self._parts.append(f"</{name}>")

    def leaf(self, name: str, value: str = "", attributes: dict[str, str] | None = None) -> None:
        """An element with text alone."""
        tag = self._tag(name, attributes)
        self._parts.append(f"<{tag}>{escape(value)}</{name}>" if value else f"<{tag}/>")

    def embed(self, fragment: Fragment) -> None:
        """Markup that is known to be well-formed."""
        self._parts.append(fragment)

    def fragment(self) -> Fragment:
        """What has been written, to be embedded elsewhere."""
        return Fragment("".join(self._parts))

    def element_alone(self) -> Written:
        """What has been written, as bytes that are known to be well-formed."""
        return Written(self.fragment().encode())

    def document(self) -> bytes:
        """What has been written, as a UTF-8 document."""
        return b'<?xml version="1.0" encoding="UTF-8"?>' + self.fragment().encode()
