"""One folder of spool segments, in RAM (tmpfs) or in flash. Small numbered files, appended to, then removed.

Every method that touches a file raises ``OSError``; the spool above decides what that means.
"""

from agent import frame_life, segment
from agent.ports.memory import fitting

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.ports.files import Files
    from agent.segment import Record

SEGMENT_BYTES = fitting(16384, 8)  # is in memory as a whole when it is read, written anew or moved
_SUFFIX = ".seg"


class Entry:
    """One sealed frame: where it lies, and where in its life it is (``frame_life.TABLE``)."""

    def __init__(self, record: "Record", size: int) -> None:
        """Describe a record of ``size`` bytes that lies nowhere yet."""
        self.kind = record.kind
        self.boot = record.boot
        self.incarnation = record.incarnation
        self.seq = record.seq
        self.topic = record.topic
        self.size = size
        self.place: "Segment | None" = None
        self.offset = 0
        self.held: "bytes | None" = None  # the record itself, while no file takes it
        self.state = frame_life.SEALED

    @property
    def gone(self) -> bool:
        """Whether its life has ended: stored, refused or dropped."""
        return self.state in frame_life.ENDS

    def safe(self) -> bool:
        """Tell whether the broker has it, or nobody needs it any more."""
        return self.gone or self.state == frame_life.BROKER_ACKED

    def fire(self, event: str) -> None:
        """Take a step of the table. Raises StateError."""
        self.state = frame_life.after(self.state, event)

    def order(self) -> tuple[int, bytes, int]:
        """Sort entries as their frames were sealed."""
        return self.boot, self.incarnation, self.seq


class Segment:
    """One file; ``size`` is its length, ``entries`` those of its records that still matter."""

    def __init__(self, shelf: "Shelf", path: str) -> None:
        """Describe an empty file of this shelf."""
        self.shelf = shelf
        self.path = path
        self.size = 0
        self.entries: list[Entry] = []
        self.dead: list[tuple[bytes, int]] = []  # given up and counted, still in the file
        self.thinned = 0  # how often it was thinned
        self.stuck = False  # the file system refuses to change it

    def dead_bytes(self) -> int:
        """Return how much of the file nobody needs any more."""
        return self.size - sum([entry.size for entry in self.entries])


class Shelf:
    """The segments of one folder, oldest first."""

    def __init__(self, files: "Files", folder: str, *, sync: bool) -> None:
        """Keep segments in ``folder``; with ``sync`` every write is on the medium before it counts."""
        self._files = files
        self._folder = folder
        self._sync = sync
        self._next = 0
        self._active: "Segment | None" = None
        self.segments: list[Segment] = []

    def open(self) -> None:
        """Make the folder, forget half-made files, and list the segments of earlier runs (unread)."""
        self._files.make_folder(self._folder)
        for name in self._files.names(self._folder):
            if name.endswith(_SUFFIX + ".new"):
                self._remove_if_possible(self._folder + "/" + name)
            elif name.endswith(_SUFFIX) and name[: -len(_SUFFIX)].isdigit():
                self._next = max(self._next, int(name[: -len(_SUFFIX)]) + 1)
                self.segments.append(Segment(self, self._folder + "/" + name))

    def load(self, found: Segment) -> int:
        """Read a segment of an earlier run and fill its entries; return how many bytes are torn.

        A process that was killed between write and fsync left records that a power cut would still take; the
        copies in RAM are given up for them.
        """
        if self._sync:
            self._files.sync(found.path)
        data = self._files.read(found.path)
        found.size = len(data)
        torn = 0
        for offset, size, record in segment.walk(data):
            if record is None:
                torn += size
                continue
            entry = Entry(record, size)
            entry.place, entry.offset = found, offset
            found.entries.append(entry)
        return torn

    def append(self, entries: list[Entry], datas: list[bytes]) -> None:
        """Write records in one go and give their entries this place."""
        target = self._target()
        # A write that fails may leave half a record behind: nothing may follow it in that file.
        self._active = None
        try:
            self._files.append(target.path, datas[0] if len(datas) == 1 else b"".join(datas), sync=self._sync)
        except OSError:
            if target not in self.segments:  # else every attempt on a full disk would leave a file
                self._remove_if_possible(target.path)
            raise
        self._active = target
        if target not in self.segments:
            self.segments.append(target)
        for entry in entries:
            move(entry, target, target.size)
            target.size += entry.size

    def read(self, entry: Entry, place: Segment, begin: int, end: int) -> bytes:
        """Return a piece of a record."""
        return self._files.read(place.path, entry.offset + begin, end - begin)

    def retire(self, old: Segment) -> None:
        """Write no more into a segment: what is in it is not what was written."""
        if self._active is old:
            self._active = None

    def rewrite(self, changed: Segment) -> None:
        """Write a segment anew with only the records that still matter."""
        if not changed.entries:
            self.remove(changed)
            return
        datas = [self._files.read(changed.path, entry.offset, entry.size) for entry in changed.entries]
        self._files.write_new(changed.path, b"".join(datas), sync=self._sync)
        changed.size = 0
        changed.dead = []
        for at in range(len(datas)):
            changed.entries[at].offset = changed.size
            changed.size += len(datas[at])
        self._try_stuck_ones_again()

    def remove(self, empty: Segment) -> None:
        """Remove a segment's file."""
        if self._active is empty:
            self._active = None
        self._files.remove(empty.path)
        self.segments.remove(empty)
        self._try_stuck_ones_again()

    def _try_stuck_ones_again(self) -> None:
        """Let files that could not be changed be tried anew: there is room again, or no write lock."""
        for each in self.segments:
            each.stuck = False

    def _remove_if_possible(self, path: str) -> None:
        """Remove what is of no use; where that is refused it lies about until the next start."""
        try:
            self._files.remove(path)
        except OSError:
            return

    def _target(self) -> Segment:
        if self._active is None or self._active.size >= SEGMENT_BYTES:
            self._active = Segment(self, self._unused())
        return self._active

    def _unused(self) -> str:
        """Return the path of the next file; a folder that could not be listed may hold files of that name."""
        while True:
            path = self._folder + "/" + "%08d" % self._next + _SUFFIX
            self._next += 1
            if not self._files.exists(path):
                return path


def move(entry: Entry, place: "Segment | None", offset: int = 0) -> None:
    """Take an entry from where it lies to ``place`` (None: nowhere)."""
    if entry.place is not None:
        entry.place.entries.remove(entry)
    entry.held = None
    entry.place, entry.offset = place, offset
    if place is not None:
        place.entries.append(entry)
