import pytest
from hypothesis import given
from hypothesis import strategies as st

from eprescription_sdk.errors import InvalidInput, XmlRefused
from eprescription_sdk.xml import (
    MAX_DEPTH,
    MAX_MARKS,
    Writer,
    canonical,
    child,
    embed,
    escape,
    local_name,
    namespace,
    parse,
    serialise,
    text,
)

DOCTYPE = '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no markup",
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        b"<a>&nbsp;</a>",
        b"<a>\x00</a>",
        b"\xff\xfe",
        DOCTYPE.encode(),
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<!DOCTYPE a><a/>",
        DOCTYPE.encode("utf-16"),
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><a/>'.encode("utf-16"),
    ],
)
def test_hostile_documents_are_refused(data: bytes) -> None:
    with pytest.raises(XmlRefused):
        parse(data)


def test_a_billion_laughs_are_refused() -> None:
    entities = '<!ENTITY a0 "ha">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)
    )
    document = f"<!DOCTYPE a [{entities}]><a>&a9;</a>"
    for data in (document.encode(), document.encode("utf-16")):
        with pytest.raises(XmlRefused):
            parse(data)


def test_size_is_bounded() -> None:
    with pytest.raises(XmlRefused, match="larger than 10 bytes"):
        parse(b"<a>0123456789</a>", max_bytes=10)
    assert text(parse(b"<a>0123</a>", max_bytes=11)) == "0123"


def test_depth_is_bounded() -> None:
    def nested(depth: int) -> bytes:
        return b"<a>" * depth + b"</a>" * depth

    parse(nested(MAX_DEPTH))
    with pytest.raises(XmlRefused, match="nested deeper"):
        parse(nested(MAX_DEPTH + 1))
    with pytest.raises(XmlRefused):
        parse(nested(100_000))


@pytest.mark.parametrize("piece", [b"<a/>", b"<a>x</a>", b"&lt;"])
def test_a_tree_is_bounded_before_it_grows(piece: bytes) -> None:
    with pytest.raises(XmlRefused, match="more than"):
        parse(b"<r>" + piece * (MAX_MARKS + 1) + b"</r>")
    with pytest.raises(XmlRefused, match="more than"):
        parse(("<r>" + piece.decode() * (MAX_MARKS + 1) + "</r>").encode("utf-16"))
    assert parse(b"<r>" + piece * 1000 + b"</r>") is not None


@pytest.mark.parametrize("encoding", ["utf-7", "cp037", "cp500", "shift_jis"])
def test_an_encoding_that_hides_marks_is_refused(encoding: str) -> None:
    with pytest.raises(XmlRefused):
        parse(f'<?xml version="1.0" encoding="{encoding}"?><a/>'.encode(encoding))


def test_what_has_no_canonical_form_is_refused() -> None:
    with pytest.raises(XmlRefused, match="canonical"):
        canonical(parse(b'<a xmlns="relative"/>'))


def test_a_refusal_quotes_nothing() -> None:
    with pytest.raises(XmlRefused) as caught:
        parse(b"<a>CANARI</b>")
    assert "CANARI" not in f"{caught.value}{caught.value.__cause__!r}"


def test_other_encodings_and_comments_are_read() -> None:
    node = parse('<?xml version="1.0" encoding="ISO-8859-1"?><a>é<!-- c --></a>'.encode("latin-1"))
    assert text(node) == "é"
    assert len(node) == 0


def test_names_and_children() -> None:
    node = parse(b'<p:a xmlns:p="urn:1"><b xmlns="urn:2"> x </b><p:b/></p:a>')
    assert (local_name(node), namespace(node)) == ("a", "urn:1")
    assert text(child(node, "urn:2", "b")) == "x"
    assert child(node, "urn:3", "b") is None
    assert text(None) == ""
    assert namespace(parse(b"<a/>")) == ""


def test_canonical_forms_ignore_prefixes_they_do_not_use() -> None:
    outer = parse(b'<x xmlns:unused="urn:9"><a xmlns="urn:1" b="2"  a="1"/></x>')
    inner = parse(b'<a a="1" xmlns="urn:1" b="2"></a>')
    assert canonical(outer[0]) == canonical(inner)


def test_serialised_elements_leave_their_tail() -> None:
    assert serialise(parse(b"<x><a>1</a>tail</x>")[0]) == b"<a>1</a>"


def test_embedding_checks_first() -> None:
    assert embed(b'\xef\xbb\xbf<?xml version="1.0"?>\n<a>\xc3\xa9</a>') == "<a>é</a>"
    for data in (b"<a>", DOCTYPE.encode(), b"<a/><b/>"):
        with pytest.raises(XmlRefused):
            embed(data)


@given(st.text())
def test_any_text_comes_back_or_is_refused(value: str) -> None:
    try:
        escaped = escape(value)
    except InvalidInput:
        return
    node = parse(f'<a b="{escaped}">{escaped}</a>'.encode())
    assert node.get("b") == value
    assert (node.text or "") == value


@pytest.mark.parametrize("value", ["\x00", "a\x08", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_control_characters_are_refused(value: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        escape(value)
    assert "a\x08" not in str(caught.value)


def test_the_writer_escapes_everything() -> None:
    writer = Writer()
    with writer.element("p:a", {"xmlns:p": "urn:1", "b": '"<>&'}):
        writer.leaf("c", "</c><d/>")
        writer.leaf("e")
        writer.embed(embed(b"<f/>"))
    assert writer.fragment() == (
        '<p:a xmlns:p="urn:1" b="&quot;&lt;&gt;&amp;"><c>&lt;/c&gt;&lt;d/&gt;</c><e/><f/></p:a>'
    )
    root = parse(writer.document())
    assert [local_name(each) for each in root] == ["c", "e", "f"]
    assert root.get("b") == '"<>&'


@pytest.mark.parametrize("name", ["", "a b", "1a", "a>", "a:b:c", 'a" b="'])
def test_names_cannot_carry_markup(name: str) -> None:
    writer = Writer()
    with pytest.raises(InvalidInput):
        writer.leaf(name)
    with pytest.raises(InvalidInput):
        writer.leaf("a", "", {name: "x"})
