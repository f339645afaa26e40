"""The running vLLM: a thread with an event loop of its own, on which `AsyncLLM` lives and time is real.

`AsyncLLM` computes in processes of its own and talks to them by sockets, which a call's virtual loop (a replay) cannot
wait for. So every request runs here, and what comes of it is taken piece by piece by jobs that the call's `Runner`
runs and charges. This file refuses to know sessions, grammars and what a request is for.

An abort is acknowledged. `AsyncLLM.abort` only sends a message; but the engine takes its messages in their order,
between two steps, and answers a question (`is_sleeping`). So the answer to a question that was asked after an abort
says that the request is gone and its blocks are free.
"""

from __future__ import annotations

import asyncio
import gc
import os
import queue
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, TypeVar

from vllm import SamplingParams, TokensPrompt
from vllm.engine.arg_utils import AsyncEngineArgs
from vllm.lora.request import LoRARequest
from vllm.sampling_params import RequestOutputKind
from vllm.v1.engine.async_llm import AsyncLLM

from .faults import VLLMFault, fault_of

__all__ = ["Answer", "Line", "Piece", "Request", "chosen"]

T = TypeVar("T")

AT_ONCE = 128
"""Requests in flight at the same time, over all calls of the process; more wait. A guess, above most batches."""
ACKNOWLEDGE_LIMIT_S = 2.0
"""How long an abort waits for the engine's word. A step takes milliseconds: an engine so silent is dead."""
CLOSE_LIMIT_S = 10.0
"""How long the end waits for vLLM's processes; then the thread, a daemon, is left behind."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `prompt` is written on by at most `most` tokens, the likeliest each. Lower `priority` goes first."""

    prompt: tuple[int, ...]
    most: int
    priority: int = 0
    stops: tuple[int, ...] = ()
    """The reply ends with any of these; it is part of it."""
    only: tuple[int, ...] = ()
    """When given, what is written is the likeliest of these."""
    asked: tuple[int, ...] = ()
    """Tokens whose log-probability is wanted at the first place, in place of writing."""
    adapter: LoRARequest | None = field(default=None, compare=False)

    def parameters(self) -> SamplingParams:
        """Greedy; vLLM's own ends of a reply do not count, ours are known to the call alone."""
        return SamplingParams(
            temperature=0.0,
            max_tokens=self.most,
            ignore_eos=True,
            stop_token_ids=list(self.stops),
            allowed_token_ids=list(self.only) or None,
            logprob_token_ids=list(self.asked) or None,
            detokenize=False,
            output_kind=RequestOutputKind.DELTA,
        )


@dataclass(frozen=True, slots=True)
class Piece:
    """What came at once: tokens, how much of the prompt was in the cache, and log-probabilities by token."""

    tokens: tuple[int, ...] = ()
    cached: int = 0
    scores: Mapping[int, float] | None = None


class Answer:
    """One request in flight and the pieces of its answer. `take` and `wait` block and belong into a job."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._pieces: queue.SimpleQueue[tuple[Piece | None, VLLMFault | None, float]] = queue.SimpleQueue()
        self._loop = loop
        self._pumping: asyncio.Task[None] | None = None
        self.aborted = False
        self.over = threading.Event()
        """The engine has finished with the request, or has acknowledged its abort."""

    def take(self) -> tuple[Piece | None, float]:
        """The next piece and the seconds it took to come; None at the end, or after an abort. Raises `VLLMFault`."""
        piece, fault, took_s = self._pieces.get()
        if piece is None:
            self._pieces.put((None, fault, 0.0))  # the end stays the end
        if fault is not None and not self.aborted:
            raise fault
        return piece, took_s

    def abort(self) -> None:
        """Give the request up; `over` says when the engine has done so. No error when it is over already."""
        if not self.aborted and not self.over.is_set() and not self._loop.is_closed():
            self.aborted = True
            self._loop.call_soon_threadsafe(self._give_up)

    def _give_up(self) -> None:
        if self._pumping is not None:
            self._pumping.cancel()  # else it has not begun, and will see that it need not

    def wait(self) -> None:
        """Until it is over."""
        self.over.wait(2 * ACKNOWLEDGE_LIMIT_S)

    async def pump(self, outputs: AsyncIterator[Any], acknowledged: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        """On the line's loop: bring the pieces in; when given up, wait until the engine knows."""
        fault: VLLMFault | None = None
        now_s = self._loop.time
        self._pumping = asyncio.current_task()
        try:
            if self.aborted:
                return
            async with aclosing(outputs) as source:  # type: ignore[type-var]
                begin_s = now_s()
                async for output in source:
                    self._pieces.put((_piece(output), None, now_s() - begin_s))
                    begin_s = now_s()
        except asyncio.CancelledError:
            try:
                async with asyncio.timeout(ACKNOWLEDGE_LIMIT_S):
                    await acknowledged()
            except Exception as error:  # nobody takes any more pieces; the next request meets the same fault
                fault = fault_of(error)
            raise
        except Exception as error:
            fault = fault_of(error)
        finally:
            self._pieces.put((None, fault, 0.0))
            self.over.set()


def _piece(output: Any) -> Piece:
    row = output.outputs[0]
    scores = {int(token): float(one.logprob) for token, one in row.logprobs[0].items()} if row.logprobs else None
    return Piece(tuple(row.token_ids), output.num_cached_tokens or 0, scores)


class Line:
    """One vLLM and its thread. `arguments` are those of `vllm.AsyncEngineArgs`; in `pool`, jobs wait for pieces."""

    def __init__(self, arguments: Mapping[str, Any]) -> None:
        self._arguments = dict(arguments)
        self.pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="vllm-wait")
        self.block_tokens = 1
        self.context_tokens = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="vllm-line", daemon=True)
        self._llm: AsyncLLM | None = None
        self._answers: weakref.WeakSet[Answer] = weakref.WeakSet()
        self._count = 0

    @property
    def running(self) -> bool:
        """It was started and not closed."""
        return self._llm is not None

    def start(self) -> None:
        """Start vLLM and wait until it serves: a minute or more, so not on a call's loop. Raises `VLLMFault`."""
        if not self._thread.is_alive():
            self._thread.start()
        self.ask(self._start)

    def ask(self, question: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Have something done on the line's loop and wait for it; blocks. Raises `VLLMFault`."""
        try:
            return asyncio.run_coroutine_threadsafe(question(), self._loop).result()
        except Exception as error:
            raise fault_of(error) from error

    def write(self, name: str, request: Request) -> Answer:
        """Send a request now; its answer comes in on its own, whether or not it is taken."""
        llm, answer = self.llm, Answer(self._loop)
        self._count += 1
        number = f"{name}-{self._count}"

        async def run() -> None:
            outputs = llm.generate(
                TokensPrompt(prompt_token_ids=list(request.prompt)),
                request.parameters(),
                number,
                lora_request=request.adapter,
                priority=request.priority,
            )
            await answer.pump(outputs, llm.is_sleeping)

        self._answers.add(answer)
        asyncio.run_coroutine_threadsafe(run(), self._loop)
        return answer

    @property
    def llm(self) -> AsyncLLM:
        """Raises `RuntimeError` when it does not run."""
        if self._llm is None:
            raise RuntimeError("vLLM is not running; enter its engine with `async with` first")
        return self._llm

    def close(self) -> None:
        """Give up what is in flight, end vLLM's processes and the thread. Closing twice is no error."""
        if self._loop.is_closed() or not self._thread.is_alive():
            return
        for answer in list(self._answers):
            answer.abort()  # a job may be waiting for it
        llm, self._llm = self._llm, None
        if llm is not None:
            self._loop.call_soon_threadsafe(llm.shutdown)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_LIMIT_S)
        self.pool.shutdown(wait=False, cancel_futures=True)

    async def _start(self) -> None:
        # vLLM reports who uses it to its makers unless told not to; a runtime of telephone calls tells nobody
        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
        self._llm = AsyncLLM.from_engine_args(AsyncEngineArgs(**self._arguments))
        config = self._llm.vllm_config
        self.block_tokens = int(config.cache_config.block_size)
        self.context_tokens = int(config.model_config.max_model_len)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()
            gc.collect()  # its sockets, which otherwise close in whatever thread collects them


def chosen(scores: Mapping[int, float], asked: Sequence[int]) -> list[float]:
    """The log-probabilities of `asked` in their order. Raises `VLLMFault` where one is missing."""
    missing = [token for token in asked if token not in scores]
    if missing:
        raise VLLMFault(f"vLLM gave no log-probability of token {missing[0]}; use a version of 0.28 or later")
    return [scores[token] for token in asked]
