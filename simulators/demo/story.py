"""The story: three things happen, each is raised, told, ends, is cleared, and told again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from simulators.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.demo.api import Item
    from simulators.demo.board import Board
    from simulators.demo.speaker import Speaker
    from simulators.demo.webhook import Webhook
    from simulators.world.world import World

# together less than run.CHECK_S leaves, so that a scene that fails can still be told apart
BATTERY_WORN = "battery_worn"  # what a UPS finds of itself; everything else is a kind of the scenarios
RAISE_S = 25.0
TELL_S = 15.0
CLEAR_S = 30.0


@dataclass(frozen=True, slots=True)
class Scene:
    """What happens where, ``start_s`` after the story's begin, and what must come of it."""

    kind: str
    site: str
    condition: str
    causes: frozenset[str | None]
    start_s: float
    begins: tuple[str, str]
    ends: tuple[str, str]


SCENES = (
    Scene(
        "mains_off",
        "mercado-santa-fe",
        "supply_lost",
        frozenset({"mains-site"}),
        0.0,
        (
            "Mercado Santa Fe: se va la luz; el UPS sostiene el router",
            "mains lost; the UPS carries the router",
        ),
        ("Mercado Santa Fe: regresa la luz", "mains are back"),
    ),
    Scene(
        "backhaul_down",
        "casa-cultura-jaime-sabines",
        "outage",
        frozenset({"backhaul-site", "backhaul-provider"}),
        2.0,
        ("Casa de Cultura Jaime Sabines: se corta el enlace", "the provider's line goes dead"),
        ("Casa de Cultura Jaime Sabines: regresa el enlace", "the line is back"),
    ),
    Scene(
        BATTERY_WORN,
        "clinica-ah-dzac",
        "battery_replace",
        frozenset({None}),
        4.0,
        ("Clínica Ah Dzac: el UPS pide batería nueva", "the UPS asks for a new battery"),
        ("Clínica Ah Dzac: batería cambiada", "battery replaced"),
    ),
)


@dataclass(slots=True)
class Outcome:
    """What became of a scene. ``trouble`` says what did not happen, in words."""

    scene: Scene
    incident: int | None = None
    delivered: bool = False
    cleared: bool = False
    recovery_delivered: bool = False
    causes: list[str | None] = field(default_factory=list)
    trouble: str = ""

    @property
    def raised(self) -> bool:
        """Tell whether the alert was raised."""
        return self.incident is not None

    @property
    def cause_right(self) -> bool:
        """Tell whether the cause was right when people were told and at the end."""
        return all(cause in self.scene.causes for cause in self.causes)


class Story:
    """Plays scenes on the world and follows what the collector and the webhook make of them."""

    def __init__(
        self, world: World, board: Board, webhook: Webhook, speaker: Speaker, *, look_s: float = 2.0
    ) -> None:
        self._world = world
        self._board = board
        self._webhook = webhook
        self._speaker = speaker
        self._look_s = look_s  # how long a raised alert is left standing

    async def play(self, scenes: tuple[Scene, ...] = SCENES) -> list[Outcome]:
        """Play all scenes, overlapping; return what became of each."""
        return list(await asyncio.gather(*(self._scene(scene) for scene in scenes)))

    async def _scene(self, scene: Scene) -> Outcome:
        """Let it happen, see it raised and told, let it end, see it cleared and told."""
        outcome = Outcome(scene)
        await asyncio.sleep(scene.start_s)
        self._speaker.say(*scene.begins)
        end = self._begin(scene)
        try:
            await self._raised(outcome)
            await asyncio.sleep(self._look_s)
        except TimeoutError as error:
            outcome.trouble = str(error)
        end()
        self._speaker.say(*scene.ends)
        try:
            await self._cleared(outcome)
        except TimeoutError as error:
            outcome.trouble = outcome.trouble or str(error)
        return outcome

    def _begin(self, scene: Scene) -> Callable[[], None]:
        """Let it happen; return what ends it."""
        if scene.kind != BATTERY_WORN:
            number = self._world.begin(scene.kind, scene.site, now_ms())
            return lambda: self._world.end(number, now_ms())
        [unit] = self._world[scene.site].upses.values()

        def wear(*, worn: bool) -> None:
            unit.worn = worn

        wear(worn=True)
        return lambda: wear(worn=False)

    async def _raised(self, outcome: Outcome) -> None:
        """Wait until the incident is there and the message about it arrived."""
        scene = outcome.scene
        item = await self._incident(scene, lambda _item: True, RAISE_S, "was not raised")
        outcome.incident = item["id"]
        await self._told(item["id"], 1, "the alert did not reach the webhook")
        outcome.delivered = True
        outcome.causes.append(self._board[item["id"]]["cause"])
        self._speaker.delivered(self._webhook.messages(item["id"])[0].title)

    async def _cleared(self, outcome: Outcome) -> None:
        """Wait until the incident is over and the message about that arrived."""
        number = outcome.incident
        if number is None:
            return
        item = await self._incident(
            outcome.scene, lambda item: item["cleared_ms"] is not None, CLEAR_S, "was not cleared"
        )
        outcome.cleared = True
        if not outcome.delivered:
            return  # who was not told of it is not told that it is over
        await self._told(number, 2, "the recovery did not reach the webhook")
        outcome.recovery_delivered = True
        outcome.causes.append(item["cause"])
        self._speaker.delivered(self._webhook.messages(number)[-1].title)

    async def _incident(
        self, scene: Scene, wanted: Callable[[Item], bool], limit_s: float, trouble: str
    ) -> Item:
        """Wait for the scene's incident to be as wanted."""

        def find() -> Item | None:
            return next(
                (
                    item
                    for item in self._board.items()
                    if (item["site"], item["condition"]) == (scene.site, scene.condition) and wanted(item)
                ),
                None,
            )

        return await self._board.until(find, limit_s, f"{scene.site}: {scene.condition} {trouble}")

    async def _told(self, number: int, count: int, trouble: str) -> None:
        """Wait until that many messages about an incident arrived."""
        await self._board.until(
            lambda: len(self._webhook.messages(number)) >= count or None, TELL_S, f"#{number}: {trouble}"
        )
