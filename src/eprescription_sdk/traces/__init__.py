"""Workstation traces: record, gate, chain, formats, shipping, closing.

A trace is recorded only when it is lawful (``gate``), in the transaction that settles the
prescription (``record``), linked to the one before it (``chain``), and shipped at least once
in the format that the specification asks (``shipper``, ``tde``), until ``closing``.
"""
