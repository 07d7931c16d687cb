"""Whether this place runs on battery, from the readings of any UPS. Pure."""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.samples import Sample

STEP_PERCENT = 10  # of charge: each step on battery is told at once


class PowerWatch:
    """The last known power state. A UPS last seen on battery stays so while it cannot be read."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._on_battery: dict[str | None, bool] = {}
        self._step: dict[str | None, int] = {}

    def on_battery(self) -> bool:
        """Tell whether any UPS was last seen on battery."""
        return any(self._on_battery.values())

    def observe(self, samples: "list[Sample]") -> bool:
        """Take a reading; True when the charge entered another step of ten while on battery."""
        crossed = False
        for sample in samples:
            if "ob" in sample.fields:
                self._on_battery[sample.instance] = sample.fields["ob"] == 1
            charge = sample.fields.get("battery_charge_percent")
            if isinstance(charge, (int, float)):
                crossed = self._charge(sample.instance, charge) or crossed
        return crossed

    def _charge(self, instance: "str | None", percent: float) -> bool:
        step = int(percent // STEP_PERCENT)
        before = self._step.get(instance, step)
        self._step[instance] = step
        return step != before and self._on_battery.get(instance, False)
