"""Envelope, faults and reference body: bytes out, meaning in; pure.

It reports what it reads; what that means for a prescription is judged by ``client``.
"""
