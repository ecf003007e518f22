"""Workstation traces: record, gate, chain, formats, shipping, closing.

A trace is recorded only when it is lawful (``gate``), in the transaction that settles the
prescription (``record``), linked to the one before it (``chain``), and shipped at least once
in the format that the specification asks (``shipper``, ``tde``), until ``closing``.

Names only; each is loaded when it is asked for, for every call records traces and few close them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eprescription_sdk.model.trace import CallTrace, ChainLink, PrescriptionTrace, Trace
    from eprescription_sdk.traces.archive import write_archive
    from eprescription_sdk.traces.chain import Break
    from eprescription_sdk.traces.closing import Receipt
    from eprescription_sdk.traces.declared import DeclaredProfile
    from eprescription_sdk.traces.files import DirectorySink, FileProfile
    from eprescription_sdk.traces.retention import Checkpoint, purge_traces, verify
    from eprescription_sdk.traces.shipper import Shipment, Shipper
    from eprescription_sdk.traces.signing import PublicKey, Signer
    from eprescription_sdk.traces.sinks import BatchProfile, Encoded, HttpSink, Sink
    from eprescription_sdk.traces.tde import TdeProfile

_HOMES = {
    "BatchProfile": "traces.sinks",
    "Break": "traces.chain",
    "CallTrace": "model.trace",
    "ChainLink": "model.trace",
    "Checkpoint": "traces.retention",
    "DeclaredProfile": "traces.declared",
    "DirectorySink": "traces.files",
    "Encoded": "traces.sinks",
    "FileProfile": "traces.files",
    "HttpSink": "traces.sinks",
    "PrescriptionTrace": "model.trace",
    "PublicKey": "traces.signing",
    "Receipt": "traces.closing",
    "Shipment": "traces.shipper",
    "Shipper": "traces.shipper",
    "Signer": "traces.signing",
    "Sink": "traces.sinks",
    "TdeProfile": "traces.tde",
    "Trace": "model.trace",
    "purge_traces": "traces.retention",
    "verify": "traces.retention",
    "write_archive": "traces.archive",
}

__all__ = [
    "BatchProfile",
    "Break",
    "CallTrace",
    "ChainLink",
    "Checkpoint",
    "DeclaredProfile",
    "DirectorySink",
    "Encoded",
    "FileProfile",
    "HttpSink",
    "PrescriptionTrace",
    "PublicKey",
    "Receipt",
    "Shipment",
    "Shipper",
    "Signer",
    "Sink",
    "TdeProfile",
    "Trace",
    "purge_traces",
    "verify",
    "write_archive",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"eprescription_sdk.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
