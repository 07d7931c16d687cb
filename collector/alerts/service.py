"""The process that delivers messages: one thread per channel, so that a slow one delays nobody else."""

from __future__ import annotations

import os
import socket
import threading
from typing import TYPE_CHECKING, Final

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from collector.alerts import lifecycle, stages
from collector.alerts.channels import build_channels
from collector.alerts.outbox import WAITING
from collector.alerts.retry import Result
from collector.alerts.routes import Routing
from collector.alerts.stages import Post
from collector.storage.state import Outbox

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Engine

    from collector.alerts.channels import Channel
    from collector.clock import Clock
    from collector.config import Config
    from collector.log import Reporter
    from collector.metrics import Metrics

AT_ONCE: Final = 20  # messages looked up at a time
UPKEEP_S: Final = 5.0


class AlertService:
    """Delivers what is due until it is told to stop. ``channels`` replaces the configured ones in tests."""

    def __init__(
        self,
        config: Config,
        engine: Engine,
        metrics: Metrics,
        reporter: Reporter,
        clock: Clock,
        *,
        channels: Mapping[str, Channel] | None = None,
    ) -> None:
        self._config = config
        self._engine = engine
        self._metrics = metrics
        self._reporter = reporter
        self._clock = clock
        self._routing = Routing.of(config.alerts)
        self._channels = build_channels(config.alerts) if channels is None else channels
        self._owner = f"{socket.gethostname()}-{os.getpid()}"

    def run(self, stop: threading.Event) -> None:
        """Deliver until ``stop``; a send in progress gets its timeout, then its claim runs out by itself."""
        threads = [
            threading.Thread(target=self._serve, args=(name, stop), name=f"alerts-{name}", daemon=True)
            for name in self._channels
        ]
        for thread in threads:
            thread.start()
        self._keep_up(stop)
        for thread in threads:
            thread.join(self._config.alerts.timeout_ms / 1000 + 1)

    def deliver(self, name: str) -> int:
        """Deliver what is due on one channel now; return how many messages were taken up."""
        post = self._post(name)
        line = stages.assemble(post)
        due = self._due(name)
        for row_id in due:
            outcome = stages.run(post, line, row_id)
            if outcome is not None and outcome.result in {Result.TEMPORARY, Result.PERMANENT}:
                self._reporter.problem(f"channel_{outcome.result.value}", f"channel {name}: {outcome.reason}")
        return len(due)

    def _post(self, name: str) -> Post:
        return Post(
            engine=self._engine,
            clock=self._clock,
            metrics=self._metrics,
            routing=self._routing,
            owner=self._owner,
            name=name,
            config=self._config.alerts.channels[name],
            channel=self._channels[name],
            public_url=self._config.web.public_url,
        )

    def _due(self, name: str) -> list[int]:
        query = select(Outbox.id).where(Outbox.channel == name, stages.claimable(self._clock.now_ms()))
        with Session(self._engine) as session:
            return list(session.scalars(query.order_by(Outbox.due_ms, Outbox.id).limit(AT_ONCE)))

    def _serve(self, name: str, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                taken = self.deliver(name)
            except SQLAlchemyError as error:
                self._reporter.problem("state_unavailable", f"channel {name}: {type(error).__name__}")
                taken = 0
            if taken < AT_ONCE:
                stop.wait(self._config.alerts.poll_ms / 1000)

    def _keep_up(self, stop: threading.Event) -> None:
        while True:
            try:
                self.upkeep()
            except SQLAlchemyError as error:
                self._reporter.problem("state_unavailable", f"upkeep: {type(error).__name__}")
            if stop.wait(UPKEEP_S):
                return

    def upkeep(self) -> None:
        """Reopen repairs that data did not confirm; cancel messages to channels that are gone."""
        with Session(self._engine) as session, session.begin():
            lifecycle.reopen_unverified(session, self._clock.now_ms(), self._routing)
            session.execute(
                update(Outbox)
                .where(Outbox.status.in_(WAITING), Outbox.channel.not_in(list(self._channels)))
                .values(status="cancelled", reason="channel is not configured any more")
                .execution_options(synchronize_session=False)
            )
