"""Reading a file where its crash, its memory and its time are bounded: in a process of its own.

A small process that holds the readers and nothing else waits to be asked; it forks one child a file, which sends its chunks
through a socket as Arrow IPC. The caller itself is never forked, since it has threads. Whatever becomes of the caller, its end
of the sockets closes, and the small process leaves with its children. One file's memory never meets the next one's.
"""

from __future__ import annotations

import ctypes
import errno
import faulthandler
import gc
import os
import pickle
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.abc import MetaPathFinder
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa

from expectations.contract import Contract, structure
from tasks.deliveries import landed
from tasks.deliveries.correction import Correction
from tasks.read.file import Chunk
from tasks.read.limits import DEFAULT, Limits
from tasks.read.rows import File, Rejected
from tasks.words.vietnamese import number

ROOT = Path(__file__).parents[2]
START_SECONDS = 120
"""How long the small process may take to load the readers: a third of a second on a good machine."""
SAID = 1 << 20
"""Bytes that a child may write anywhere: what it says as it dies. It writes no files."""
OF_THE_MACHINE = frozenset(
    (
        *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.EAGAIN, errno.ENOMEM, errno.ECHILD),
        *(errno.ENOENT, errno.EACCES, errno.EPERM, errno.ESTALE),
    )
)
"""Errors that the machine makes, and those of a landed file that is not there or closed to us; any other is a reader's."""
_PR_SET_PDEATHSIG = 1
_SIZES = struct.Struct("=QQ")
_NOTHING = pa.table({})
_OUT_OF_MEMORY = re.compile(rb"memory allocation of \d+ bytes failed|bad_alloc|out of memory", re.IGNORECASE)
_FRAME = re.compile(r'^  File "(.+)", line (\d+) in ([\w<>]+)$', re.MULTILINE)

Frame = tuple[str, int, str]
"""File, line, function."""


class Broke(Exception):
    """The reader broke in a way that nobody foresaw; its own words stay behind, since they may quote a cell."""

    def __init__(self, kind: str, frames: list[Frame]) -> None:
        super().__init__(kind, frames)
        self.kind = kind
        """Class of the exception, or name of the signal."""
        self.frames = frames

    def __str__(self) -> str:
        return self.kind


@dataclass(frozen=True)
class _Job:
    """What a child is asked to do."""

    function: str
    arguments: dict[str, Any]
    limits: Limits

    def results(self) -> Iterator[Any]:
        module, name = self.function.split(":")
        found: Iterator[Any] = getattr(import_module(module), name)(**self.arguments)
        return found


def read(
    path: Path,
    contract: Contract,
    layout_name: str,
    secret_key: bytes,
    file_name: str,
    *,
    corrections: Sequence[Correction] = (),
    limits: Limits = DEFAULT,
    reader: str = "tasks.read.file:read",
) -> Generator[Chunk, None, None]:
    """What `tasks.read.file.read` yields and raises, whatever the file does to the reader: Rejected where it takes more than the
    limits, Broke where the reader dies of it. `path`: of a landed file its place, whichever way it lies there. `reader`: module and
    name of the function that reads.
    """
    with landed.at_hand(Path(path).absolute()) as plain:
        file = File(plain, file_name, contract, layout_name, limits)
        given = {"path": plain, "contract": contract, "layout_name": layout_name, "secret_key": secret_key, "file_name": file_name}
        yield from run(reader, given | {"limits": limits} | ({"corrections": corrections} if corrections else {}), file)


def quoted(
    path: Path,
    contract: Contract,
    layout_name: str,
    secret_key: bytes,
    file_name: str,
    wanted: Mapping[str, list[int]],
    *,
    sha256: str,
    corrections: Sequence[Correction] = (),
    limits: Limits = DEFAULT,
) -> Generator[pa.Table, None, None]:
    """What `tasks.read.quoted.quoted` yields, in the same way."""
    with landed.at_hand(Path(path).absolute()) as plain:
        file = File(plain, file_name, contract, layout_name, limits)
        given = {"path": plain, "contract": contract, "layout_name": layout_name, "secret_key": secret_key, "file_name": file_name}
        asked = {"sha256": sha256, "wanted": wanted, "corrections": corrections, "limits": limits}
        yield from run("tasks.read.quoted:quoted", given | asked, file)


def run(function: str, arguments: dict[str, Any], file: File) -> Generator[Any, None, None]:
    """What a function yields of a file, and the Rejected or OSError it raises; bounded in the same way.

    `function`: module and name. `file`: whose limits hold, and who is refused where they do not.
    """
    job = _Job(function, arguments, file.limits)
    ours, theirs = socket.socketpair()
    with ours, os.fdopen(os.memfd_create("said"), "rb") as said:
        with theirs:
            nursery = get_ready()
            child = nursery.start(theirs.fileno(), said.fileno())
        has_ended = False
        try:
            # One call a message and not one a buffer of the socket: each would wait for other threads to let go of the interpreter.
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", file.limits.silent_seconds, 0))
            with suppress(BrokenPipeError):  # it died before it was asked, and is not going to answer
                _send(ours, job)
            while True:
                try:
                    told = _receive(ours)
                except BlockingIOError:
                    raise file.refused("STR-022", advice=f"đọc quá {number(file.limits.silent_seconds)} giây không xong") from None
                except (EOFError, ConnectionResetError):
                    has_ended = True
                    raise _death(file, nursery.end(child), os.pread(said.fileno(), SAID, 0)) from None
                if told is None:
                    return
                if isinstance(told, MemoryError):
                    raise _too_much_memory(file)
                if isinstance(told, BaseException):
                    raise told
                yield told
        finally:
            if not has_ended:
                with suppress(ChildProcessError):  # gone, and the child with it
                    nursery.end(child)


def _send(connection: socket.socket, what: Any) -> None:
    """Sends anything small, or a chunk; waits for as long as the other side takes."""
    sink = pa.BufferOutputStream()
    if isinstance(what, Chunk):
        for table in (what.table, what.faults):
            with pa.ipc.new_stream(sink, table.schema) as stream:
                stream.write_table(table)
        what = replace(what, table=_NOTHING, faults=_NOTHING)
    head, body = pickle.dumps(what), sink.getvalue()
    connection.sendall(_SIZES.pack(len(head), body.size) + head)
    connection.sendall(body)


def _receive(connection: socket.socket) -> Any:
    """What the other side sends next; EOFError where it is gone."""
    head, body = _SIZES.unpack(_taken(connection, _SIZES.size))
    what = pickle.loads(_taken(connection, head))  # noqa: S301  # of our own process
    if body:
        tables = pa.BufferReader(_taken(connection, body))
        what = replace(what, table=pa.ipc.open_stream(tables).read_all(), faults=pa.ipc.open_stream(tables).read_all())
    return what


def _taken(connection: socket.socket, size: int) -> pa.Buffer:
    buffer = pa.allocate_buffer(size)
    rest = memoryview(buffer)
    while rest:
        taken = connection.recv_into(rest, 0, socket.MSG_WAITALL)
        if not taken:
            raise EOFError
        rest = rest[taken:]
    return buffer


def _too_much_memory(file: File) -> Rejected:
    return file.refused("STR-022", advice=f"cần hơn {number(file.limits.memory_mb)} MB bộ nhớ để đọc")


def _death(file: File, status: int, said: bytes) -> Exception:
    """Why a child ended in mid-sentence."""
    code = os.waitstatus_to_exitcode(status)
    if code == -signal.SIGKILL or _OUT_OF_MEMORY.search(said):  # killed by nobody but a system that runs out of memory
        return _too_much_memory(file)
    trace = said.decode("ascii", "replace").rpartition("(most recent call first):\n")[2]
    frames = [(name, int(line), function) for name, line, function in _FRAME.findall(trace) if Path(name).is_file()]
    return Broke(signal.Signals(-code).name if code < 0 else f"exit {code}", frames[::-1])


# The caller's side of the small process.


class _Nursery:
    """The small process that forks readers, started and asked."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(START_SECONDS)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  # our own module
                [sys.executable, "-c", f"from {__name__} import nursery; nursery()"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # a reader that panics prints cells
                start_new_session=True,  # Ctrl-C is for us; it ends when our end of the socket closes
                cwd=ROOT,
                # What is forked should have one thread; and memory that Arrow only reserves would count.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "MIMALLOC_ARENA_EAGER_COMMIT": "0"},
            )

    @property
    def process_id(self) -> int:
        """Its number; its children are the readers at work."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it still can be asked."""
        return self._process.poll() is None

    def start(self, connection: int, said: int) -> int:
        """Process number of a new child that listens on the connection."""
        return self._asked(lambda: socket.send_fds(self._control, [b"start"], [connection, said]))

    def end(self, child: int) -> int:
        """Ends the child where it is not at its end already, and returns its wait status."""
        return self._asked(lambda: self._control.send(b"%d" % child))

    def close(self) -> None:
        """Lets go of it."""
        self._control.close()

    def stop(self) -> None:
        """Ends it, as letting go of it does, and waits for that."""
        self.close()
        self._process.wait()

    def _asked(self, ask: Callable[[], object]) -> int:
        with self._lock:
            problem: OSError = ChildProcessError(errno.ECHILD, "the process that starts readers is gone")
            try:
                ask()
                if answer := self._control.recv(16):
                    return int(answer)
            except (BrokenPipeError, ConnectionResetError):
                pass
            except TimeoutError as silent:
                problem = silent
            # An answer that still came would be taken for that to another question; and whoever asks next has another process started.
            self._process.kill()
            self._process.wait()
            raise problem


_nursery: _Nursery | None = None
_nursery_lock = Lock()


def get_ready() -> _Nursery:
    """Has the process that forks readers started, without waiting for it: it loads them beside other work."""
    global _nursery  # noqa: PLW0603  # one a process
    with _nursery_lock:
        if _nursery is None or not _nursery.is_alive:
            _nursery = _Nursery()
        return _nursery


def stand_down() -> None:
    """Gives back the memory that reading took, until something is to be read again."""
    global _nursery  # noqa: PLW0603  # one a process
    with _nursery_lock:
        if _nursery is not None:
            _nursery.stop()
        _nursery = None
    pa.default_memory_pool().release_unused()


def _forget() -> None:
    """In a fork of ours, the small process is its parent's."""
    global _nursery, _nursery_lock
    if _nursery is not None:
        _nursery.close()
    _nursery, _nursery_lock = None, Lock()


os.register_at_fork(after_in_child=_forget)


# The small process and its children.


class _WithoutPandas(MetaPathFinder):
    """pyarrow loads pandas at the first array that it makes, and does without where there is none: nothing that reads needs it, and it
    is a third of the start and of the memory of every reader.
    """

    def find_spec(self, name: str, _path: object, _target: object = None) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def nursery() -> None:
    """The small process: forks a child for each pair of descriptors it is sent, ends the child of each number it is sent."""
    control = socket.socket(fileno=0)
    structure()
    sys.meta_path.insert(0, _WithoutPandas())
    pa.array([""])  # which makes pyarrow look for it, once and for all children
    libc = ctypes.CDLL(None)
    gc.freeze()
    while True:
        asked, given, *_ = socket.recv_fds(control, 16, 2)
        if not asked:
            return  # with the children, to whom this is the death of their parent
        if given:
            ours = os.getpid()
            child = os.fork()
            if child == 0:
                libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() == ours:
                    _child(*given)
                os._exit(0)
            for descriptor in given:
                os.close(descriptor)
            control.send(b"%d" % child)
        else:
            # Not waited for before, so that its number is nobody else's.
            os.kill(int(asked), signal.SIGKILL)
            control.send(b"%d" % os.waitpid(int(asked), 0)[1])


def _child(connection: int, said: int) -> None:
    """A child's life: reads the file it is told, sends what comes of it."""
    os.dup2(1, 0)  # lets go of the small process's own socket
    os.dup2(said, 2)
    faulthandler.enable(all_threads=False)
    with suppress(BrokenPipeError), socket.socket(fileno=connection) as caller:
        job = _receive(caller)
        _bound(job.limits)
        try:
            for result in job.results():
                _send(caller, result)
            _send(caller, None)
        except BrokenPipeError:
            raise
        except BaseException as problem:
            _send(caller, _told(problem))


def _bound(limits: Limits) -> None:
    """Holds this process to the limits, beside the memory it has already."""
    status = Path("/proc/self/status").read_text("ascii")
    has = int(next(line for line in status.splitlines() if line.startswith("VmData:")).split()[1]) << 10
    bounds = {resource.RLIMIT_DATA: has + (limits.memory_mb << 20), resource.RLIMIT_FSIZE: SAID, resource.RLIMIT_CORE: 0}
    for kind, most in bounds.items():
        _, hard = resource.getrlimit(kind)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (bound, bound))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # rather this one than PostgreSQL


def _told(problem: BaseException) -> BaseException:
    """What the caller is told of a problem."""
    cause: BaseException | None = problem
    while cause is not None:  # a reader may have taken it for a damaged file
        if isinstance(cause, MemoryError) or (isinstance(cause, OSError) and cause.errno == errno.ENOMEM):
            return MemoryError()
        cause = cause.__cause__ or cause.__context__
    frames = [(frame.filename, frame.lineno or 0, frame.name) for frame in traceback.extract_tb(problem.__traceback__)]
    if isinstance(problem, Rejected) or (isinstance(problem, OSError) and problem.errno in OF_THE_MACHINE):
        return problem
    return Broke(type(problem).__name__, frames)
