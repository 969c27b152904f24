"""no_grad and its relatives end with their block, however the block ends."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import signal
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

import autograd_np as ag
from autograd_np import blocks, modes


def recording() -> bool:
    return (ag.Tensor(1.0, requires_grad=True) * 2).requires_grad


def in_no_grad() -> Iterator[int]:
    with ag.no_grad():
        yield 1
        yield 2


@pytest.fixture(autouse=True)
def _every_test_ends_as_it_began() -> Iterator[None]:
    yield
    assert recording()
    assert not modes.anomaly_mode()


def test_nothing_is_left_behind() -> None:
    with ag.no_grad(), ag.detect_anomaly(), ag.scope("a"):
        assert not recording()
        assert modes.current_scope() == "a"
    assert modes.mode_entry() is modes.DEFAULT  # the fast path again
    assert modes.current_scope() == ""


@pytest.mark.parametrize("line", range(12))
@pytest.mark.parametrize("method", ["__enter__", "flush"])
def test_an_interrupt_at_any_line_of_beginning_and_ending(method: str, line: int) -> None:
    """As Ctrl-C does, raise between two lines."""
    code = getattr(blocks.Block, method).__code__
    left = [line]

    def tracer(frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code is code:
            if event == "line":
                left[0] -= 1
            if left[0] < 0 or (line == 0 and event == "call"):
                left[0] = 1000
                raise KeyboardInterrupt
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    kept = None
    try:
        with ag.no_grad():
            pass
    except KeyboardInterrupt as error:
        kept = error  # as interactive sessions do
    sys.settrace(before)
    assert recording()
    del kept


def test_interrupts_by_a_signal() -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    gc.disable()  # a library's callback of the collector would swallow the interrupt
    try:
        kept = []
        for k in range(300):
            try:
                signal.setitimer(signal.ITIMER_REAL, 2e-5 + k * 1e-7)
                for _ in range(20_000):  # not for ever, should Python drop the interrupt where it frees an object
                    with ag.no_grad():
                        pass
            except KeyboardInterrupt as error:
                kept.append(error)
            assert recording(), k
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        gc.enable()


def test_a_generator_that_is_closed_or_dropped() -> None:
    steps = in_no_grad()
    next(steps)
    assert not recording()
    steps.close()
    assert recording()
    steps = in_no_grad()
    next(steps)
    del steps
    gc.collect()
    assert recording()
    for _ in in_no_grad():
        break
    assert recording()


def test_a_generator_that_is_closed_in_another_context_or_thread() -> None:
    for run in (lambda f: contextvars.copy_context().run(f), lambda f: contextvars.Context().run(f), in_a_thread):
        steps = in_no_grad()
        next(steps)
        run(steps.close)
        assert recording()
        steps = in_no_grad()
        contextvars.copy_context().run(next, steps)
        assert recording()
        assert list(steps) == [2]
        assert recording()


def in_a_thread(f: Any) -> None:
    thread = threading.Thread(target=f)
    thread.start()
    thread.join()


def test_asynchronous_generators() -> None:
    async def numbers() -> AsyncIterator[int]:
        with ag.no_grad():
            yield 1
            yield 2

    async def main() -> list[bool]:
        seen = []
        async for _ in numbers():
            break
        await asyncio.sleep(0)
        gc.collect()
        await asyncio.sleep(0.01)
        seen.append(recording())
        steps = numbers()
        await anext(steps)
        await asyncio.create_task(steps.aclose())
        seen.append(recording())
        steps = numbers()
        await asyncio.create_task(anext(steps))
        seen.append(recording())
        await steps.aclose()
        seen.append(recording())
        return seen

    assert asyncio.run(main()) == [True] * 4


def test_a_task_keeps_the_mode_it_was_made_in() -> None:
    async def task(finish: asyncio.Event) -> bool:
        await finish.wait()
        return recording()

    async def main() -> tuple[bool, bool]:
        finish = asyncio.Event()
        with ag.no_grad():
            quiet = asyncio.create_task(task(finish))
        finish.set()
        return recording(), await quiet

    assert asyncio.run(main()) == (True, False)


def test_an_end_out_of_order_says_so_and_ends_what_it_should() -> None:
    outer, inner = ag.no_grad(), ag.detect_anomaly()
    outer.__enter__()
    inner.__enter__()
    with pytest.warns(RuntimeWarning, match=r"no_grad ended before .* reverse order") as told:
        outer.__exit__(None, None, None)
    assert told[0].filename == __file__
    assert recording()
    assert modes.anomaly_mode()
    inner.__exit__(None, None, None)
    assert not modes.anomaly_mode()


def test_blocks_that_are_used_wrongly_say_so() -> None:
    block = ag.no_grad()
    for _ in range(2):  # inside itself, and a second time
        with contextlib.nullcontext() if block.closed else block, pytest.raises(RuntimeError, match="begun already"), block:
            pass
    ag.no_grad().__exit__(None, None, None)
    with pytest.raises(TypeError):

        @ag.no_grad  # type: ignore[call-arg]
        def f() -> None:
            pass


def test_a_block_that_is_dropped_is_over() -> None:
    ag.no_grad().__enter__()
    assert recording()
    with contextlib.ExitStack() as stack:
        stack.enter_context(ag.no_grad())
        assert not recording()
        assert recording.__name__


def test_a_contextmanager_of_the_users_covers_its_block() -> None:
    @contextlib.contextmanager
    def evaluating() -> Iterator[None]:
        with ag.no_grad():
            yield

    with evaluating():
        assert not recording()
    assert recording()


def test_decorators_of_every_kind_of_function() -> None:
    @ag.no_grad()
    def recursive(n: int) -> list[bool]:
        return [recording(), *(recursive(n - 1) if n else [])]

    @ag.no_grad()
    def steps() -> Iterator[Any]:
        got = yield recording()
        try:
            got = yield got
        except ValueError:
            yield recording()
        return "done"

    @ag.no_grad()
    async def coroutine() -> bool:
        await asyncio.sleep(0)
        return recording()

    assert recursive(3) == [False] * 4
    run = steps()
    assert next(run) is False
    assert recording()  # it is suspended, and not inside
    assert run.send("x") == "x"
    assert run.throw(ValueError()) is False
    assert recording()
    with pytest.raises(StopIteration, match="done"):
        next(run)
    run = steps()
    next(run)
    run.close()
    assert next(steps()) is False
    assert asyncio.run(coroutine()) is False
    with pytest.raises(TypeError, match="asynchronous generator"):

        @ag.no_grad()
        async def numbers() -> AsyncIterator[int]:
            yield 1


def test_threads_sharing_nothing() -> None:
    results: list[bool] = []

    def work(k: int) -> None:
        for _ in range(200):
            with ag.no_grad() if k % 2 else contextlib.nullcontext():
                results.append(recording() == (k % 2 == 0))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(results)
    assert len(results) == 800
