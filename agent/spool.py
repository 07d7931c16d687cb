"""Sealed frames until the collector has said what became of them.

RAM first (a tmpfs file, so that the death of the process loses nothing), flash when told to ``flush``.
Over the limit (of bytes; of frames too where memory is short) the oldest ``data`` frames are thinned and
events kept until nothing else is left. Whatever is dropped is counted in ``dropped``, which lies beside the
segments in RAM: it goes on over restarts of the agent as long as the machine runs. A file system that is full
or read-only is counted and never fatal: a few frames are then held in memory.
"""

from agent import account, segment, thinning
from agent.errors import SpoolError
from agent.ports.memory import fitting
from agent.shelf import SEGMENT_BYTES, Entry, Segment, Shelf, move
from agent.wire import intervals

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.log import Log
    from agent.ports.files import Files
    from agent.segment import Record

MEMORY_BYTES = fitting(32768, 4)  # of frames that no file takes
MAX_FRAMES = fitting(100_000, 192)  # the index has a place for each in memory


class Spool:
    """The index of all frames that wait, and the two shelves they lie on."""

    def __init__(
        self, files: "Files", folders: "tuple[str, str | None]", limit_bytes: int, log: "Log"
    ) -> None:
        """Spool into ``folders`` = (RAM, flash or None), together at most ``limit_bytes``."""
        self._ram = Shelf(files, folders[0], sync=False)
        self._flash = Shelf(files, folders[1], sync=True) if folders[1] else None
        self._limit = limit_bytes
        self._log = log
        self._held: list[Entry] = []  # in memory because no file takes them
        self._index: dict[bytes, dict[int, Entry]] = {}
        self._incarnations: dict[bytes, bytes] = {}  # what many entries have in common, once
        self._topics: dict[str, str] = {}
        self._account = account.Account(files, folders[0])
        self.dropped = self._account.dropped
        self.continued = False  # whether an earlier run of this start of the machine left its account
        self.troubles = 0  # refusals by the file system

    def recover(self, device: str, kernel_boot: bytes = b"") -> None:
        """Take up what earlier runs left for this device; call once, before ``add``."""
        for shelf in self._shelves():
            try:
                shelf.open()
            except OSError as error:
                self._trouble("open", error)
        self.continued = self._account.load(kernel_boot)
        for shelf in self._shelves():
            for found in list(shelf.segments):
                self._recover_segment(found, device)
        self._save_account()

    def add(self, record: "Record") -> Entry:
        """Spool a sealed frame. Never raises: at worst the frame is counted as dropped and ``gone``."""
        data = segment.encode(record)
        entry = self._slim(Entry(record, len(data)))
        self._index.setdefault(entry.incarnation, {})[entry.seq] = entry
        if self._make_room(entry):
            self._place(entry, data)
        elif entry.kind == "birth" and entry.size <= MEMORY_BYTES:  # without it nobody hears who this is
            self._hold(entry, data)
        else:
            self._drop(entry)
        self._save_account()
        return entry

    def tell(self, what: str, number: int = 1) -> None:
        """Add to the account what was lost elsewhere; ``what`` is one of ``account.NAMES``."""
        self._count(what, number)
        self._save_account()

    def read(self, entry: Entry) -> bytes:
        """Return a spooled frame's bytes. Raises SpoolError when they are not there any more."""
        try:
            at = segment.frame_at(entry.topic)
            start, frame = self._data(entry, 0, at), self._data(entry, at)
            segment.check(start, frame)
            return frame
        except (OSError, SpoolError) as error:
            self._trouble("read", error)
            if entry.place is not None:
                entry.place.shelf.retire(entry.place)
            raise SpoolError("unreadable", "a spooled frame cannot be read: " + str(error))

    def done(self, entry: Entry) -> None:
        """Forget a frame that the collector has stored. Raises StateError when it is gone already."""
        self._tidy(self._forget(entry, "stored"))

    def lose(self, entry: Entry, reason: str) -> None:
        """Forget a frame and count it under ``reason``: ``refused`` or ``unreadable``."""
        if not entry.gone:
            self._count(reason)
            place = self._forget(entry, "refused" if reason == "refused" else "dropped")
            self._save_account()  # before the record goes: a count without a loss is undone, not the reverse
            self._tidy(place)

    def flush(self) -> bool:
        """Move everything to flash; True when flash was written. Without flash there is nothing to do."""
        waiting = [entry for entry in self.entries() if not self._on_flash(entry)]
        if self._flash is None or not waiting:
            return False
        try:
            for batch in _batches(waiting):
                self._flush_batch(self._flash, batch)
        except OSError as error:
            self._trouble("flush", error)
        self._save_account()
        return True

    def entries(self) -> list[Entry]:
        """Return all that waits, as it was sealed."""
        found = [entry for entries in self._index.values() for entry in entries.values()]
        return sorted(found, key=Entry.order)

    def of_incarnation(self, incarnation: bytes) -> "dict[int, Entry] | None":
        """Return {seq: entry} of what waits of one incarnation; None when nothing does."""
        return self._index.get(incarnation)

    def frames(self) -> int:
        """Return how many frames wait."""
        return sum([len(entries) for entries in self._index.values()])

    def size(self) -> int:
        """Return the bytes taken in both shelves and in memory."""
        return sum([s.size for s in self._segments()]) + sum([entry.size for entry in self._held])

    def on_flash(self) -> int:
        """Return how many frames lie in flash."""
        return len([entry for entry in self.entries() if self._on_flash(entry)])

    # --- the two shelves ---

    def _shelves(self) -> list[Shelf]:
        return [self._ram] if self._flash is None else [self._flash, self._ram]

    def _segments(self) -> list[Segment]:
        return [s for shelf in self._shelves() for s in shelf.segments if not s.stuck]

    def _on_flash(self, entry: Entry) -> bool:
        return entry.place is not None and entry.place.shelf is self._flash

    def _slim(self, entry: Entry) -> Entry:
        """Let an entry share its texts with the others: on a router most of its memory would go to them."""
        entry.incarnation = self._incarnations.setdefault(entry.incarnation, entry.incarnation)
        entry.topic = self._topics.setdefault(entry.topic, entry.topic)
        return entry

    def _data(self, entry: Entry, begin: int = 0, end: "int | None" = None) -> bytes:
        """Return a record's bytes, or a piece of them: there may be no room for them and the frame."""
        if entry.place is not None:
            return entry.place.shelf.read(entry, entry.place, begin, entry.size if end is None else end)
        if entry.held is None:
            raise SpoolError("gone", "the frame has left the spool")
        return entry.held[begin:end]

    def _recover_segment(self, found: Segment, device: str) -> None:
        try:
            torn = found.shelf.load(found)
        except OSError as error:
            found.stuck = True
            self._trouble("read", error)
            return
        if torn:
            self._count("torn_bytes", torn)
        for entry in list(found.entries):
            self._recover_entry(self._slim(entry), device)
        if torn or not found.entries:
            self._rewrite(found)

    def _recover_entry(self, entry: Entry, device: str) -> None:
        known = self._index.setdefault(entry.incarnation, {})
        foreign = entry.topic.split("/")[3:4] != [device]
        gone = intervals.contains(self._account.gone.get(entry.incarnation.hex(), []), entry.seq)
        if foreign:
            self._count("foreign")
        if gone and entry.place is not None:
            entry.place.dead.append((entry.incarnation, entry.seq))
        if foreign or gone or entry.seq in known:  # one lies on both shelves when its move was cut off
            move(entry, None)
        else:
            known[entry.seq] = entry
            entry.fire("spooled")
        if not known:
            del self._index[entry.incarnation]

    def _flush_batch(self, flash: Shelf, batch: list[Entry]) -> None:
        found = [(entry, self._whole(entry)) for entry in batch]
        entries = [entry for entry, data in found if data]
        left = [entry.place for entry in entries]
        if entries:
            flash.append(entries, [data for _, data in found if data])
        self._held = [entry for entry in self._held if entry.held is not None]
        for place in left:
            self._tidy(place)

    def _whole(self, entry: Entry) -> bytes:
        """Return the record's bytes; what is not whole any more is given up, and empty."""
        try:
            data = self._data(entry)
            segment.decode(data)
        except (OSError, SpoolError) as error:
            self._trouble("read", error)
            self.lose(entry, "unreadable")
            return b""
        return data

    def _place(self, entry: Entry, data: bytes) -> None:
        try:
            self._ram.append([entry], [data])
            entry.fire("spooled")
        except OSError as error:
            self._trouble("write", error)
            self._hold(entry, data)

    # --- room ---

    def _make_room(self, entry: Entry) -> bool:
        """Make the spool smaller until a frame fits; False when it cannot, or must not at others' cost."""
        if entry.size > self._limit:
            return False
        while self.size() + entry.size > self._limit or self.frames() > MAX_FRAMES:
            if not self._give_way(entry):
                return False
        return True

    def _give_way(self, entry: Entry) -> bool:
        """Take one step towards room for a frame; False when nothing may go for it."""
        waste = thinning.wasteful(self._segments())
        if waste is not None:
            self._rewrite(waste)
            return True
        given_up = thinning.victims(self._segments(), self._held, events=entry.kind == "event")
        if not given_up:
            return False
        place = given_up[0].place
        for each in given_up:
            self._drop(each)
        self._save_account()
        if place is not None:
            self._rewrite(place)
        return True

    def _rewrite(self, changed: Segment) -> None:
        try:
            changed.shelf.rewrite(changed)
        except OSError as error:
            changed.stuck = True
            self._trouble("rewrite", error)

    def _tidy(self, place: "Segment | None") -> None:
        """Remove a file once nothing in it matters; that may go well where a rewrite lacked room."""
        if place is not None and not place.entries and place in place.shelf.segments:
            self._rewrite(place)

    def _hold(self, entry: Entry, data: bytes) -> None:
        """Keep a frame in memory; the oldest data make room, then the oldest events."""
        entry.fire("spooled")
        entry.held = bytes(data)  # the sealer's next frame is made where this one is
        self._held.append(entry)
        while sum([held.size for held in self._held]) > MEMORY_BYTES:
            data_first = [held for held in self._held if held.kind != "event"] or self._held
            self._drop(data_first[0])

    # --- the account ---

    def _drop(self, entry: Entry) -> None:
        """Give a frame up; who calls saves the account, then sees to the file."""
        self._count("event" if entry.kind == "event" else "data")
        self._forget(entry, "dropped")

    def _forget(self, entry: Entry, event: str) -> "Segment | None":
        """End a frame's life; return the file in which its record still lies."""
        entry.fire(event)
        place = entry.place
        if place is not None and event != "stored":
            place.dead.append((entry.incarnation, entry.seq))
        move(entry, None)
        self._held = [held for held in self._held if held is not entry]
        of_incarnation = self._index[entry.incarnation]
        del of_incarnation[entry.seq]
        if not of_incarnation:
            del self._index[entry.incarnation]
        return place

    def _count(self, what: str, number: int = 1) -> None:
        self._account.add(what, number)

    def _held_now(self) -> dict[str, int]:
        """Return how many frames are in memory alone, as they would be counted if they were lost."""
        held: dict[str, int] = {}
        for entry in self._held:
            kind = "event" if entry.kind == "event" else "data"
            held[kind] = held.get(kind, 0) + 1
        return held

    def _save_account(self) -> None:
        held = self._held_now()
        try:
            if self._account.stale(held):
                self._account.save(self._gone(), held)
        except OSError as error:
            self._trouble("account", error)

    def _gone(self) -> "dict[str, list[list[int]]]":
        """Return what was given up and still lies in a file, by incarnation."""
        gone: dict[str, list[list[int]]] = {}
        for shelf in self._shelves():
            for incarnation, seq in [dead for found in shelf.segments for dead in found.dead]:
                intervals.add(gone.setdefault(incarnation.hex(), []), seq)
        return gone

    def _trouble(self, what: str, error: Exception) -> None:
        self.troubles += 1
        self._log.trouble("spool_" + what, "the spool cannot " + what + ": " + str(error))


def _batches(entries: list[Entry]) -> list[list[Entry]]:
    """Cut a list so that one write, and the memory it takes, stays near a segment's size."""
    batches: list[list[Entry]] = []
    size = 0
    for entry in entries:
        if not batches or size + entry.size > SEGMENT_BYTES:
            batches.append([])
            size = 0
        batches[-1].append(entry)
        size += entry.size
    return batches
