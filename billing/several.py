"""Doing the same with several things at once, in threads. What holds for the thread that starts them holds in them."""

import contextvars
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import connection, connections

Thing = TypeVar("Thing")
Done = TypeVar("Done")


def each(
    work: Callable[[Thing], Done], things: Iterable[Thing], *, at_once: int, go_on: Callable[[], bool] = lambda: True
) -> list[Done]:
    """Do ``work`` with each thing, at most ``at_once`` at the same time, and return the results in no order.

    Pace, deadline and actor are the caller's. Each thread has a database connection of its own, and would not see the
    rows of a transaction: inside one, the things are done one after the other. ``go_on`` is asked after each thing. If
    it returns False, or if ``work`` raises, nothing more is begun, and what is under way is finished.

    Raises: the first error of ``work`` or ``go_on``, if there was one.
    """
    left, lock = iter(things), threading.Lock()
    done: list[Done] = []
    failed: list[BaseException] = []

    def one_after_the_other() -> None:
        try:
            while not failed:
                with lock:
                    if done and not go_on():
                        return
                    try:
                        thing = next(left)
                    except StopIteration:
                        return
                done.append(work(thing))
        except BaseException as error:  # noqa: BLE001  it is raised by the caller's thread
            failed.append(error)

    def in_a_thread() -> None:
        try:
            one_after_the_other()
        finally:
            connections.close_all()

    if at_once == 1 or connection.in_atomic_block:
        one_after_the_other()
    else:
        _run(in_a_thread, at_once, failed)
    if failed:
        raise failed[0]
    return done


def _run(work: Callable[[], None], at_once: int, failed: list[BaseException]) -> None:
    """Run this in so many threads, and wait for them. After Ctrl-C they finish what is under way."""
    threads: list[threading.Thread] = []
    try:
        for _ in range(at_once):
            thread = threading.Thread(target=contextvars.copy_context().run, args=[work], daemon=True)
            thread.start()
            threads.append(thread)
        for thread in threads:
            thread.join()
    except BaseException as error:
        failed.append(error)
        for thread in threads:
            thread.join()
        raise
