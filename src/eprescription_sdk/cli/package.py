"""Reading an official package: the operations of its WSDL files, the fields of its XSD files.

Names and cardinalities only, kept in memory while a command runs: nothing is copied. What the
SDK can fill of them is judged in ``spec``.
"""

from collections.abc import Iterator
from pathlib import Path

import attrs
from lxml import etree

from eprescription_sdk.errors import InvalidInput

WSDL = "http://schemas.xmlsoap.org/wsdl/"
SOAP_11 = "http://schemas.xmlsoap.org/wsdl/soap/"
SOAP_12 = "http://schemas.xmlsoap.org/wsdl/soap12/"
XSD = "http://www.w3.org/2001/XMLSchema"
_ACTIONS = (
    "{http://www.w3.org/2006/02/addressing/wsdl}Action",
    "{http://www.w3.org/2006/05/addressing/wsdl}Action",
    "{http://www.w3.org/2007/05/addressing/metadata}Action",
)
_GROUPS = ("sequence", "choice", "all")
_DEEPEST = 24
"""Schemas of messages are a few levels deep; what goes on for ever is recursive."""


@attrs.frozen
class Field:
    """One leaf of a message: an element with text, or an attribute.

    Args:
        path: Clark names from the root element down; an attribute's starts with ``@``.
        required: whether no message is valid without it.
    """

    path: tuple[str, ...]
    required: bool

    @property
    def shown(self) -> str:
        """Local names, as a person reads a path."""
        return "/".join(_local(step) for step in self.path)


@attrs.frozen(kw_only=True)
class Operation:
    """One operation of a WSDL.

    Args:
        name: its name.
        action: its ``wsa:Action``, or the binding's.
        soap12: whether the binding is SOAP 1.2.
        body: Clark name of the element of the request's body.
        headers: Clark names of the elements of its header.
        answer: Clark name of the element of the answer's body.
        address: where the service is, if the file says so.
    """

    name: str
    action: str | None
    soap12: bool
    body: str | None
    headers: tuple[str, ...]
    answer: str | None
    address: str | None


class Package:
    """What a folder of WSDL and XSD files describes.

    Raises:
        InvalidInput: no readable WSDL or XSD is in the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.unreadable: list[Path] = []
        self.operations: list[Operation] = []
        self._declared: dict[tuple[str, str], etree._Element] = {}
        files = sorted(
            file for file in folder.rglob("*") if file.suffix.lower() in (".wsdl", ".xsd")
        )
        self.files = tuple(file.relative_to(folder) for file in files)
        roots = [root for file in files if (root := self._parsed(file)) is not None]
        if not roots:
            raise InvalidInput("There is no readable WSDL or XSD in this folder.", path=str(folder))
        for root in roots:
            for schema in root.iter(f"{{{XSD}}}schema"):
                self._declare(schema)
        for root in roots:
            if root.tag == f"{{{WSDL}}}definitions":
                self.operations.extend(_operations(root))

    def _parsed(self, file: Path) -> etree._Element | None:
        # A schema may carry a document type, as that of XML-DSig does; none is ever loaded.
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True,
            remove_pis=True,
        )  # fmt: skip
        try:
            return etree.parse(file, parser).getroot()
        except (etree.XMLSyntaxError, OSError):
            self.unreadable.append(file)
            return None

    def _declare(self, schema: etree._Element) -> None:
        space = schema.get("targetNamespace", "")
        for node in schema.iterchildren(etree.Element):
            name = node.get("name")
            if name is not None:
                self._declared[_kind(node), f"{{{space}}}{name}"] = node

    def elements(self) -> list[str]:
        """Clark names of the global elements."""
        return [name for kind, name in self._declared if kind == "element"]

    def knows(self, element: str) -> bool:
        """Whether an element is declared in the folder."""
        return ("element", element) in self._declared

    def fields(self, element: str) -> tuple[Field, ...]:
        """The leaves of a global element; recursive parts are followed once."""
        node = self._declared.get(("element", element))
        if node is None:
            return ()
        found = {
            field.path: field for field in self._element(node, (), required=True, seen=frozenset())
        }
        return tuple(found.values())

    # --- walking a declaration --------------------------------------------------------------

    def _element(
        self,
        node: etree._Element,
        path: tuple[str, ...],
        *,
        required: bool,
        seen: frozenset[etree._Element],
    ) -> Iterator[Field]:
        if (reference := node.get("ref")) is not None:
            target = self._declared.get(("element", _clark(node, reference)))
            if target is None:
                yield Field((*path, _clark(node, reference)), required)
                return
            node = target
        if node in seen or len(path) >= _DEEPEST:
            return
        path = (*path, _own_name(node))
        seen |= {node}
        kind = self._type(node)
        if kind is None:
            yield Field(path, required)
        elif kind not in seen:
            yield from self._complex(kind, path, required=required, seen=seen | {kind})

    def _type(self, node: etree._Element) -> etree._Element | None:
        """The complex type of an element; None for text."""
        inline = node.find(f"{{{XSD}}}complexType")
        if inline is not None:
            return inline
        name = node.get("type")
        return self._declared.get(("complexType", _clark(node, name))) if name else None

    def _complex(
        self,
        node: etree._Element,
        path: tuple[str, ...],
        *,
        required: bool,
        seen: frozenset[etree._Element],
    ) -> Iterator[Field]:
        text = node.get("mixed") == "true"
        for child in node.iterchildren(etree.Element):
            match _kind(child):
                case "simpleContent":
                    text = True
                    yield from self._extended(child, path, required=required, seen=seen)
                case "complexContent":
                    yield from self._extended(child, path, required=required, seen=seen)
                case _:
                    yield from self._part(child, path, required=required, seen=seen)
        if text:
            yield Field(path, required)

    def _extended(
        self,
        node: etree._Element,
        path: tuple[str, ...],
        *,
        required: bool,
        seen: frozenset[etree._Element],
    ) -> Iterator[Field]:
        for change in node.iterchildren(etree.Element):
            base = self._declared.get(("complexType", _clark(change, change.get("base", ""))))
            # A restriction says again what it keeps of its base.
            if base is not None and base not in seen and _kind(change) == "extension":
                yield from self._complex(base, path, required=required, seen=seen | {base})
            for child in change.iterchildren(etree.Element):
                yield from self._part(child, path, required=required, seen=seen)

    def _part(
        self,
        node: etree._Element,
        path: tuple[str, ...],
        *,
        required: bool,
        seen: frozenset[etree._Element],
    ) -> Iterator[Field]:
        needed = required and node.get("minOccurs", "1") != "0"
        kind = _kind(node)
        if kind == "element":
            yield from self._element(node, path, required=needed, seen=seen)
        elif kind == "attribute":
            name = node.get("name") or node.get("ref") or ""
            yield Field((*path, f"@{_local(name)}"), required and node.get("use") == "required")
        elif kind in _GROUPS:
            for child in node.iterchildren(etree.Element):
                # One of a choice will do.
                yield from self._part(child, path, required=needed and kind != "choice", seen=seen)
        elif kind in ("group", "attributeGroup") and node.get("ref") is not None:
            group = self._declared.get((kind, _clark(node, node.get("ref", ""))))
            if group is not None and group not in seen:
                for child in group.iterchildren(etree.Element):
                    yield from self._part(child, path, required=needed, seen=seen | {group})


def _operations(root: etree._Element) -> Iterator[Operation]:
    parts = {
        (message.get("name", ""), part.get("name", "")): _clark(part, part.get("element", ""))
        for message in root.iter(f"{{{WSDL}}}message")
        for part in message.iter(f"{{{WSDL}}}part")
    }
    port_types = {
        port_type.get("name"): {
            operation.get("name"): operation for operation in port_type.iter(f"{{{WSDL}}}operation")
        }
        for port_type in root.iter(f"{{{WSDL}}}portType")
    }
    addresses = {
        _local(port.get("binding", "")): address.get("location")
        for port in root.iter(f"{{{WSDL}}}port")
        for address in port.iterchildren(f"{{{SOAP_12}}}address", f"{{{SOAP_11}}}address")
    }
    for binding in root.iter(f"{{{WSDL}}}binding"):
        soap12 = binding.find(f"{{{SOAP_12}}}binding") is not None
        space = SOAP_12 if soap12 else SOAP_11
        declared = port_types.get(_local(binding.get("type", "")), {})
        for bound in binding.iterchildren(f"{{{WSDL}}}operation"):
            abstract = declared.get(bound.get("name"))
            if abstract is None:
                continue
            asked, answered = (abstract.find(f"{{{WSDL}}}{way}") for way in ("input", "output"))
            action = (
                next((asked.get(name) for name in _ACTIONS if asked.get(name)), None)
                if (asked is not None)
                else None
            )
            soap = bound.find(f"{{{space}}}operation")
            yield Operation(
                name=bound.get("name", ""),
                action=action or (soap.get("soapAction") if soap is not None else None),
                soap12=soap12,
                body=_body(bound, "input", asked, parts, space),
                headers=tuple(
                    parts[key]
                    for header in bound.iterfind(f"{{{WSDL}}}input/{{{space}}}header")
                    if (key := (_local(header.get("message", "")), header.get("part", ""))) in parts
                ),
                answer=_body(bound, "output", answered, parts, space),
                address=addresses.get(binding.get("name", "")),
            )


def _body(
    bound: etree._Element,
    way: str,
    abstract: etree._Element | None,
    parts: dict[tuple[str, str], str],
    space: str,
) -> str | None:
    if abstract is None:
        return None
    message = _local(abstract.get("message", ""))
    body = bound.find(f"{{{WSDL}}}{way}/{{{space}}}body")
    named = body.get("parts", "").split() if body is not None else []
    headers = {
        header.get("part") for header in bound.iterfind(f"{{{WSDL}}}{way}/{{{space}}}header")
    }
    for (owner, part), element in parts.items():
        if owner == message and (part in named if named else part not in headers):
            return element
    return None


def _kind(node: etree._Element) -> str:
    return etree.QName(node).localname


def _own_name(node: etree._Element) -> str:
    schema = next(node.iterancestors(f"{{{XSD}}}schema"))
    form = node.get("form", schema.get("elementFormDefault"))
    qualified = node.getparent() is schema or form == "qualified"
    space = schema.get("targetNamespace", "") if qualified else ""
    return f"{{{space}}}{node.get('name', '')}"


def _clark(node: etree._Element, name: str) -> str:
    """A prefixed name in its namespace."""
    prefix, _, local = name.rpartition(":")
    return f"{{{node.nsmap.get(prefix or None, '')}}}{local}"


def _local(name: str) -> str:
    if name.startswith("@"):
        return "@" + _local(name[1:])
    return name.rpartition("}")[2].rpartition(":")[2]
