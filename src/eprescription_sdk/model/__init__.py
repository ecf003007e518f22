"""What the SDK talks about: frozen data without I/O.

Prescriptions, identifiers, outcomes, traces, and all that ports exchange. Nothing here knows
of wires, files or databases.
"""
