"""Whether this place runs on battery, and what of its supply is told at once. Pure."""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.samples import Sample

STEP_PERCENT = 10  # of charge: each step on battery is told at once
HIGH_VOLTS = 146  # 1.15 of 127 V: dangerous when it lasts (collector/rules/power/voltage)
HIGH_TOLD = 3  # readings in a row: two of them are as far apart as the centre asks before it calls anybody


class PowerWatch:
    """The last known power state. A UPS last seen on battery stays so while it cannot be read."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._on_battery: dict[str | None, bool] = {}
        self._step: dict[str | None, int] = {}
        self._high: dict[str | None, int] = {}

    def on_battery(self) -> bool:
        """Tell whether any UPS was last seen on battery."""
        return any(self._on_battery.values())

    def observe(self, samples: "list[Sample]") -> bool:
        """Take a reading; True when charge on battery enters another step of ten or voltage is dangerous."""
        crossed = False
        for sample in samples:
            if "ob" in sample.fields:
                self._on_battery[sample.instance] = sample.fields["ob"] == 1
            charge = sample.fields.get("battery_charge_percent")
            if isinstance(charge, (int, float)):
                crossed = self._charge(sample.instance, charge) or crossed
            volts = sample.fields.get("voltage", sample.fields.get("input_voltage"))
            if isinstance(volts, (int, float)):
                crossed = self._voltage(sample.instance, volts) or crossed
        return crossed

    def _voltage(self, instance: "str | None", volts: float) -> bool:
        readings = self._high.get(instance, 0) + 1 if volts >= HIGH_VOLTS else 0
        self._high[instance] = readings
        return 0 < readings <= HIGH_TOLD

    def _charge(self, instance: "str | None", percent: float) -> bool:
        step = int(percent // STEP_PERCENT)
        before = self._step.get(instance, step)
        self._step[instance] = step
        return step != before and self._on_battery.get(instance, False)
