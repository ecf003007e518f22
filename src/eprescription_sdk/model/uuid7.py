"""UUID version 7: ids that sort by the time they were made (RFC 9562)."""

import os
from datetime import datetime
from uuid import UUID


def uuid7(moment: datetime) -> str:
    """A new id that carries a moment, in milliseconds."""
    milliseconds = int(moment.timestamp() * 1000) & (2**48 - 1)
    value = milliseconds << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(UUID(int=value))
