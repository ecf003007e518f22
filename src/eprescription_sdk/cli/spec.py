"""``eprescription spec check``: what of an official package the SDK can fill, port by port.

The package stays where it is: its names go to the screen of whoever holds it, and nowhere else.
A field counts as filled when the SDK itself writes it (envelope, assertion) or when the model
holds a value that a ``BodyCodec`` can put there; names decide the latter, so a person reads on.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import attrs
from lxml import etree

from eprescription_sdk.cli.context import AsJson, console, group, print_json
from eprescription_sdk.cli.package import Field, Operation, Package
from eprescription_sdk.wire import envelope

app = group("Official specifications: what of them this SDK can fill.")

WSA = "http://www.w3.org/2005/08/addressing"
_SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}Assertion"
_NUMBER = re.compile(r"(num|numero)(unique)?(ordonnance|prescription)?|idordonnance|idprescription")

_PERSON_ELSEWHERE = re.compile(r"od$|ouvrantdroit|assure|porteur|tiers|representant")
_PRESCRIBER = re.compile(r"prescripteur|praticien|professionnel|medecin|^ps$")

_PRESCRIBER_FIELDS = {
    r"rpps|(num|numero|id|identifiant)(rpps)?": "prescriber.rpps",
    r"idnps|identifiantnational|idnat(ional)?": "practitioner.national_id",
    r"nom(exercice|usuel)?": "prescriber.family_name",
    r"prenom(exercice|usuel)?": "prescriber.given_name",
    r"(code)?profession": "prescriber.profession",
}
_FIELDS = {
    # for whom
    r"numidentifiant|nir|ins|matriculeins|cle": "patient.ins",
    r"oid": "patient.ins.oid",
    r"nom(de)?naissance|nom(famille|patronymique)?": "patient.family_name",
    r"prenom|premierprenom": "patient.given_name",
    r"(code)?sexe": "patient.sex",
    r"date(de)?naissance": "patient.birth_date",
    # by whom
    r"(num|numero|id)?rpps": "prescriber.rpps",
    r"(num|numero|id)?finess.*": "prescriber.situation.finess",
    r"(code)?modeexercice": "prescriber.situation.mode",
    # what
    r"date(de)?(prescription|ordonnance|emission|redaction)": "issued_at",
    r"(code)?type(document|ordonnance|prescription)": "document_type",
    r"(code)?(cis|cip|cip7|cip13|ucd|ucd13|lpp|nabm|ngap)": "lines[].codes",
    r"libelle(produit|medicament|dispositif|acte|prescription)?|denomination": "lines[].label",
    r"posologie.*|texteposologie|instructions?": "lines[].text",
    r"quantite.*": "lines[].quantity",
    r"(nb|nombre)?renouvellements?": "lines[].renewals",
    r"duree.*": "lines[].duration",
    r"(nb|nombre)(de)?seances": "lines[].sessions",
    r"(non)?substitu.*|motif(non)?substitution": "lines[].substitution",
    r"ald|atmp|prevention|nonremboursable|horsamm": "lines[].flags",
    r"bizone|medicamentexception|ordonnancesecurisee|urgence|executiondomicile": "flags",
    r"opposition.*|consentement.*": "execution_reading",
}


@attrs.frozen
class Finding:
    """One field, and what fills it.

    Args:
        path: as a person reads it.
        required: whether no message is valid without it.
        source: what fills it; None if nothing of the SDK does.
    """

    path: str
    required: bool
    source: str | None


@attrs.frozen
class Section:
    """What a port finds in the package.

    Args:
        port: its name.
        about: what it concerns there.
        fields: each field.
        note: what is to be done, or what the package does not say.
    """

    port: str
    about: str
    fields: tuple[Finding, ...] = ()
    note: str = ""

    @property
    def open(self) -> tuple[Finding, ...]:
        """Fields that nothing of the SDK fills."""
        return tuple(field for field in self.fields if field.source is None)


@app.command
def check(folder: Path, /, *, every: bool = False, json: AsJson = False) -> int:
    """Hold a folder of WSDL and XSD files against the ports; it copies nothing.

    Parameters
    ----------
    folder
        Where the package lies.
    every
        Also list what the SDK's own parts fill.

    Exit code 1 if a required field has nothing to fill it.
    """
    package = Package(folder)
    sections = tuple(examine(package))
    lacking = any(field.required for section in sections for field in section.open)
    if json:
        print_json(
            {
                "files": [str(file) for file in package.files],
                "unreadable": [str(file) for file in package.unreadable],
                "ports": [attrs.asdict(section) for section in sections],
            }
        )
    else:
        _show(package, sections, every=every)
    return int(lacking)


def examine(package: Package) -> Iterator[Section]:
    """What each port finds in a package."""
    for operation in package.operations:
        yield _transport(operation)
    yield from _headers(package)
    yield Section(
        "TokenSource",
        "access token of Pro Santé Connect",
        note="WSDL and XSD do not describe it: look in the package's documents.",
    )
    for operation in package.operations:
        yield _body(package, operation)
    yield _number(package)
    yield Section(
        "Code2D",
        "2D code",
        note="WSDL and XSD do not describe it: look in the package's documents.",
    )
    traces = [name for name in package.elements() if "trace" in _plain(name)]
    yield Section(
        "TraceProfile",
        "workstation traces",
        fields=tuple(
            Finding(field.shown, field.required, None)
            for name in traces
            for field in package.fields(name)
        ),
        note="" if traces else "No element of the package is about traces.",
    )


def _transport(operation: Operation) -> Section:
    address = operation.address or ""
    kind = "SOAP 1.2" if operation.soap12 else "SOAP 1.1, which the SDK does not write"
    note = "" if address.startswith("https://") else "The address is not https, or not said."
    address_field = Finding("address", required=True, source="service_url")
    return Section("Transport", f"{operation.name}: {kind}", (address_field,), note)


def _headers(package: Package) -> Iterator[Section]:
    written = _written()
    headers: dict[str, list[str]] = {}
    for operation in package.operations:
        for header in (*operation.headers, f"{{{WSA}}}Action"):
            headers.setdefault(header, []).append(operation.name)
    for header, names in headers.items():
        shown = f"{', '.join(names)}: header {header.rpartition('}')[2]}"
        security = header == f"{{{envelope.WSSE}}}Security"
        fields = package.fields(header)
        if security:
            # The whole language of SAML is declared: what counts is what the SDK puts in.
            fields = tuple(
                field for field in fields if field.required or field.path in written
            ) or (Field((header, _SAML), required=True),)
        if not fields:
            fields = (Field((header,), required=True),)
        yield Section(
            "AssertionProvider" if security else "envelope (the SDK's own)",
            shown,
            tuple(
                Finding(
                    field.shown,
                    field.required,
                    ("assertion" if security else "envelope") if field.path in written else None,
                )
                for field in fields
            ),
        )


def _body(package: Package, operation: Operation) -> Section:
    about = f"{operation.name}: action {operation.action or 'not said'}"
    if operation.body is None:
        return Section("BodyCodec", about, note="The WSDL names no body.")
    note = "" if package.knows(operation.body) else "The schema of the body is not in the folder."
    answer = len(package.fields(operation.answer)) if operation.answer else 0
    return Section(
        "BodyCodec",
        about,
        tuple(
            Finding(field.shown, field.required, _source(field))
            for field in package.fields(operation.body)
        ),
        note or f"The answer has {answer} fields for the codec to read.",
    )


def _number(package: Package) -> Section:
    found = tuple(
        Finding(field.shown, field.required, "NumberMinter")
        for operation in package.operations
        if operation.body is not None
        for field in package.fields(operation.body)
        if _is_number(field)
    )
    note = "" if found else "No field of a request looks like the prescription number."
    return Section("NumberMinter", "prescription number", found, note)


def _is_number(field: Field) -> bool:
    above = [_plain(step) for step in field.path[:-1]]
    return bool(_NUMBER.fullmatch(_plain(field.path[-1]))) and not any(
        _PRESCRIBER.search(step) or _PERSON_ELSEWHERE.search(step) for step in above
    )


def _source(field: Field) -> str | None:
    """What of the model may fill a field of a body, going by its name and those above it."""
    above = [_plain(step) for step in field.path[:-1]]
    if any(_PERSON_ELSEWHERE.search(step) for step in above):
        return None
    leaf = _plain(field.path[-1])
    if any(_PRESCRIBER.search(step) for step in above):
        named = _matching(_PRESCRIBER_FIELDS, leaf)
        if named is not None:
            return named
    if _is_number(field):
        return "NumberMinter"
    return _matching(_FIELDS, leaf)


def _matching(table: dict[str, str], leaf: str) -> str | None:
    return next((source for name, source in table.items() if re.fullmatch(name, leaf)), None)


def _plain(name: str) -> str:
    """A local name without accents, case or separators."""
    local = name.rpartition("}")[2].lstrip("@")
    letters = unicodedata.normalize("NFKD", local).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", letters)


def _written() -> frozenset[tuple[str, ...]]:
    """Paths of what the SDK writes into a header, from a message that it makes."""
    message = envelope.envelope(
        action="urn:x",
        message_id="uuid:00000000-0000-0000-0000-000000000000",
        moment=datetime(2025, 3, 17, tzinfo=UTC),
        software=envelope.Software(authorisation="x", name="x", version="x", instance="x"),
        emitter="x",
        assertion=envelope.prepare(_assertion()),
        body=envelope.prepare(b"<x/>"),
    )
    root = etree.fromstring(message)
    paths: set[tuple[str, ...]] = set()
    for node in root[0].iterdescendants(etree.Element):
        names = [str(above.tag) for above in node.iterancestors()][::-1][2:]
        path = (*names, str(node.tag))
        paths.add(path)
        paths.update((*path, f"@{etree.QName(name).localname}") for name in map(str, node.attrib))
    return frozenset(paths)


def _assertion() -> bytes:
    """An assertion of nobody's, signed with a key that is thrown away."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.hashes import SHA256

    from eprescription_sdk.credentials.signing import Billing, Holder, signed_assertion

    now = datetime.now(UTC)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    certificate = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now).sign(
        key, SHA256()
    )
    holder = Holder(national_id="x", billing=Billing(billing_id="x", specialty="x", sector="x"))
    return signed_assertion(holder, certificate, key, now).xml


def _show(package: Package, sections: tuple[Section, ...], *, every: bool) -> None:
    out = console()
    out.print(f"{len(package.files)} files, {len(package.operations)} operations.")
    for file in package.unreadable:
        out.print(f"[red]✘[/red] {file} cannot be read")
    for section in sections:
        filled = len(section.fields) - len(section.open)
        out.print(f"\n[bold]{section.port}[/bold]  {section.about}", soft_wrap=True)
        if section.fields:
            out.print(f"  {filled} of {len(section.fields)} fields can be filled")
        ours = section.port not in ("BodyCodec", "NumberMinter", "TraceProfile")
        for field in section.fields:
            if field.source is not None and (every or not ours):
                out.print(f"  [green]✔[/green] {field.path} ← {field.source}", soft_wrap=True)
            elif field.source is None:
                sign = "[red]✘[/red]" if field.required else "[yellow]–[/yellow]"
                needed = "required" if field.required else "optional"
                out.print(f"  {sign} {field.path} ({needed}) nothing fills it", soft_wrap=True)
        if section.note:
            out.print(f"  {section.note}", soft_wrap=True)
