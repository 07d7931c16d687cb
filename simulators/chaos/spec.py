"""What a device's process is told at its start."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field


@dataclass(slots=True)
class Spec:
    """One life of one device; the harness changes it between lives. Paths are text."""

    config: str  # agent.json as issued
    journal: str
    ram: str
    flash: str
    port: int
    boot_ns: int
    boot_id: str  # hex
    first: int  # counters of this life are above
    life: int = 0
    offset_ms: int | None = 0
    upses: list[str] = field(default_factory=list)
    on_battery: list[str] = field(default_factory=list)
    conflict: bool = False
    old_frame: bool = False
    padded: bool = False
    limit_kib: int = 512
    sample_ms: int = 100
    intervals: dict[str, float] = field(default_factory=dict)

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))
