"""Where the log goes, and what a line of it says: who started the process decides, everybody else only logs.

There is one logger, `bakhong`, whatever module speaks. A line is one sentence in English with its particulars beside it as
`extra`: names and counts, never a cell or a secret. It bears the name of the run it is about, whichever thread it comes from; the
processes that read files are silent, whoever waits for them speaks.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler

from tasks.deliveries.run_lock import in_one_line, spoken_of
from tasks.words.vietnamese import VIETNAM, one_line
from warehouse.settings import Settings

LARGEST = 10 << 20
"""Most bytes of a file of the log; then another one is begun."""
KEPT = 9
"""Full files that are kept beside it."""

log = logging.getLogger("bakhong")

LONGEST = 4_000
"""Most characters of a sentence."""

_OURS = ("moment", "run", "run_id", "run_uuid")
_OWN = {*logging.makeLogRecord({}).__dict__, "message", "asctime", *_OURS}
"""What a record has of its own; everything else are particulars."""


def log_to_file(settings: Settings) -> None:
    """Has the log kept in the installation's folder: for a command that runs a night, whose terminal shows something else."""
    folder = settings.home / "log"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _begin(_PrivateFile(folder / "bakhong.log", maxBytes=LARGEST, backupCount=KEPT, encoding="utf-8", delay=True), settings)


def log_to_stderr(settings: Settings) -> None:
    """Has the log spoken to stderr: for a service, whose words somebody else keeps (journald, a container's log)."""
    _begin(logging.StreamHandler(), settings)


def log_with_prefect(settings: Settings) -> None:
    """Has Prefect keep the log of a flow's run beside it; in a worker's process, where nobody else did, to stderr as well."""
    from prefect.logging.handlers import APILogHandler  # noqa: PLC0415  # the command line reads this module for every question

    if not any(isinstance(handler, logging.StreamHandler) for handler in log.handlers):
        log_to_stderr(settings)
    for before in [handler for handler in log.handlers if isinstance(handler, APILogHandler)]:  # PREFECT_LOGGING_EXTRA_LOGGERS
        log.removeHandler(before)
    handler = APILogHandler()
    handler.setFormatter(_Plain("%(run)s%(message)s"))
    log.addHandler(handler)


class _PrivateFile(RotatingFileHandler):
    """A rotated file that only its owner reads, whatever the umask."""

    def _open(self) -> TextIOWrapper:
        return open(os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding=self.encoding)  # noqa: PTH123


def _begin(handler: logging.Handler, settings: Settings) -> None:
    handler.setFormatter(_json() if settings.log_format == "json" else _Plain("%(moment)s %(levelname)s %(run)s%(message)s"))
    for before in [handler for handler in log.handlers if isinstance(handler, logging.StreamHandler)]:  # and not who passes lines on
        log.removeHandler(before)
        before.close()
    log.addHandler(handler)
    log.addFilter(_about_a_run)
    log.setLevel(settings.log_level)
    log.propagate = False  # what else a process shows on its terminal is not the log


def _about_a_run(record: logging.LogRecord) -> bool:
    """Names the run a line is about; of an error at hand its kind and place, as its text and frames may quote a cell."""
    if hasattr(record, "run_id"):  # it comes from a worker of the cluster, where that was done
        return True
    name = spoken_of.get()
    record.moment = datetime.fromtimestamp(record.created, VIETNAM).isoformat(timespec="milliseconds")
    record.run_id, record.run_uuid = (None, None) if name is None else (name.run_id, str(name.run_uuid))
    record.run = "" if name is None else f"run={name.run_id}/{str(name.run_uuid)[:8]} "
    if record.exc_info and record.exc_info[1]:
        record.msg, record.args = f"{record.getMessage()}: {in_one_line(record.exc_info[1])}", ()
    record.exc_info = record.exc_text = record.stack_info = None
    return True


class _Plain(logging.Formatter):
    """A line for people: its particulars stand behind the sentence as name=value."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # logging's name
        """One line, whatever names of others stand in it."""
        told = (f" {name}={_word(value)}" for name, value in record.__dict__.items() if name not in _OWN and value is not None)
        return one_line(super().formatMessage(record), LONGEST) + "".join(told)


def _word(value: object) -> str:
    """A particular: in quotes where it would not be one word."""
    text = one_line(str(value))
    return text if text and not set(text) & set(' "=') else json.dumps(text, ensure_ascii=False)


def _json() -> logging.Formatter:
    """A line for programs: a JSON object."""
    from pythonjsonlogger.json import JsonFormatter  # noqa: PLC0415  # only where it is asked for

    return JsonFormatter(
        ["moment", "levelname", "run_id", "run_uuid", "module", "message"],
        rename_fields={"moment": "time", "levelname": "level", "run_id": "run"},
        reserved_attrs=_OWN,
    )
