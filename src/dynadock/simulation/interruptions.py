"""Exceptions that are no fault of what they interrupt: Ctrl-C, and what signal handlers raise."""

from __future__ import annotations


def interrupts(error: BaseException) -> bool:
    """Tell whether an exception came from outside: it is the caller's, whatever was being done."""
    return not isinstance(error, Exception) or _is_of_handler(error)


def _is_of_handler(error: BaseException) -> bool:
    # Only where something fails, which is not at the start.
    import signal

    handlers = (signal.getsignal(number) for number in signal.valid_signals())
    codes = {getattr(handler, "__code__", None) for handler in handlers if callable(handler)}
    step = error.__traceback__
    while step is not None:
        if step.tb_frame.f_code in codes:
            return True
        step = step.tb_next
    return False
