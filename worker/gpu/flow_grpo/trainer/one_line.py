"""Log records of one line each, exceptions included."""

import logging


class OneLineFormatter(logging.Formatter):
    """Shows an exception as its type and message at the end of the line; the stack stays out of the log."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        error = record.exc_info[1] if record.exc_info else None
        suffix = f" ({type(error).__name__}: {error})" if error else ""
        line = f"{self.formatTime(record)} {record.levelname} trainer {record.getMessage()}{suffix}"
        return " | ".join(line.splitlines())
