"""The engine port over vLLM's `AsyncLLM` in this program: one model for all calls, its arithmetic in vLLM's processes.

Requests bring token ids, so the model must be one of our token language; any other is better served by ``vllm serve``
and talked to in messages (`engines.openai`).

vLLM's ``StreamingInput`` (a request that goes on taking input) is not used. It saves the tokens behind the last full
block, and pays with what a call needs: it only appends, so a revised word cannot be taken back; a chunk cannot
interrupt a running one; the grammar, adapter and priority are those of its opening; and the last token that it writes
is lost. With blocks of 16 the saving is one short step.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from vllm.lora.request import LoRARequest

from audio.outcome import Outcome, Runner

from ...ports import AdapterRef, Caps, Extent
from ..writing import Writing
from .faults import VLLMFault
from .line import Answer, Line, Piece, Request
from .session import VLLMSession

__all__ = ["ADAPTER_RANK", "VLLMEngine"]

ADAPTER_RANK = 64
"""Largest rank of an adapter: both halves of ours, 32 each."""


class VLLMEngine:
    """One model for all calls of the process, as an async context manager that starts vLLM and ends it.

    `line` may run already; then it goes on when the engine is left. `run` is how work leaves the loop (kind ``llm``,
    units: tokens); the seconds vLLM took to answer are charged as if they were CPU seconds. Entering takes a minute or
    more and raises `VLLMFault` where vLLM does not start.
    """

    def __init__(self, line: Line, run: Runner, *, adapters: int = 0) -> None:
        self.line, self._run, self._adapters_most = line, run, adapters
        self.caps = Caps(ids=True, exact_rollback=True, fork=True, grammar=True, logprobs=True)
        self._owns_line = False
        self._adapters: dict[tuple[str, int], LoRARequest] = {}
        self._paths: dict[tuple[str, int], str] = {}
        self._warmed: dict[str, list[int]] = {}

    @classmethod
    def load(
        cls,
        folder: Path | str,
        run: Runner,
        *,
        max_model_len: int | None = None,
        gpu_memory_utilization: float | None = None,
        dtype: str = "auto",
        adapters: int = 0,
        **arguments: Any,
    ) -> VLLMEngine:
        """The engine of a model folder in ``transformers`` form. `adapters`: how many may be in use in one batch.

        `arguments`: any others of `vllm.AsyncEngineArgs`. What is not given is vLLM's own choice.
        """
        given: dict[str, Any] = {
            "max_model_len": max_model_len,
            "gpu_memory_utilization": gpu_memory_utilization,
            **({"enable_lora": True, "max_loras": adapters, "max_lora_rank": ADAPTER_RANK} if adapters else {}),
            **arguments,
        }
        chosen = {name: value for name, value in given.items() if value is not None}
        line = Line(
            {
                "model": str(folder),
                "dtype": dtype,
                "skip_tokenizer_init": True,
                "enable_prefix_caching": True,
                "scheduling_policy": "priority",
                "generation_config": "vllm",  # a folder's own would bring sampling settings with it
                "enable_log_requests": False,
                "disable_log_stats": True,
                **chosen,
            }
        )
        return cls(line, run, adapters=adapters)

    async def __aenter__(self) -> VLLMEngine:
        if not self.line.running:
            self._owns_line = True
            try:
                await asyncio.to_thread(self.line.start)
            except BaseException:
                await self.close()
                raise
        self.caps = replace(self.caps, block_tokens=self.line.block_tokens)
        return self

    async def __aexit__(self, *details: Any) -> None:
        await self.close()

    async def open(self, session: str, *, adapter: AdapterRef | None = None, priority: int = 0) -> VLLMSession:
        """A session; sessions of a lower `priority` go first. Raises `ValueError` for an adapter that is not loaded."""
        lora = None if adapter is None else self._loaded(adapter)
        held = self._warmed.get(lora.lora_name if lora else "", [])
        return VLLMSession(self, session, priority=priority, adapter=lora, held=held)

    async def warm(self, tokens: Sequence[int], *, adapter: AdapterRef | None = None) -> Extent:
        """Have a shared prefix read; the cache serves every session that begins with it, by whole blocks."""
        session = await self.open("warm", adapter=adapter)
        extent = await session.sync(tokens)
        lora = None if adapter is None else self._loaded(adapter)
        self._warmed[lora.lora_name if lora else ""] = list(session.held)
        return extent

    async def load_adapter(self, ref: AdapterRef) -> None:
        """Load an adapter in PEFT form. Loading it again changes nothing. Raises `ValueError`.

        vLLM keys its cache by an adapter's name and path, never by its weights: so a name and version stand for one
        path for good, and get one number in vLLM for as long as it runs.
        """
        if not self._adapters_most:
            raise ValueError(
                f"this vLLM was started without adapters, got {ref.name!r}; give adapters=1 or more when it is loaded"
            )
        known = self._paths.get((ref.name, ref.version), ref.path)
        if known != ref.path:
            raise ValueError(
                f"adapter {ref.name!r} version {ref.version} was loaded from {known}, now {ref.path}; give changed "
                "weights a new version"
            )
        numbers = list(self._paths)
        key = (ref.name, ref.version)
        number = numbers.index(key) + 1 if key in numbers else len(numbers) + 1
        lora = LoRARequest(f"{ref.name}@v{ref.version}", number, ref.path)
        try:
            await self._asked(lambda: self.line.llm.add_lora(lora))
        except VLLMFault as fault:
            raise ValueError(f"adapter {ref.name!r} cannot be loaded from {ref.path}: {fault}") from fault
        self._paths[key], self._adapters[key] = ref.path, lora

    async def unload_adapter(self, ref: AdapterRef) -> None:
        """Free an adapter's memory; no new session gets it. Raises `ValueError` when it is not loaded.

        A session that still uses it has vLLM load it again from its path.
        """
        lora = self._loaded(ref)
        del self._adapters[ref.name, ref.version]
        await self._asked(lambda: self.line.llm.remove_lora(lora.lora_int_id))

    async def close(self) -> None:
        """End vLLM, if this engine started it; requests in flight end. Closing twice is no error."""
        if self._owns_line:
            await asyncio.to_thread(self.line.close)

    def _loaded(self, ref: AdapterRef) -> LoRARequest:
        found = self._adapters.get((ref.name, ref.version))
        if found is None:
            raise ValueError(f"no adapter {ref.name!r} version {ref.version} is loaded; load it first")
        return found

    # --- requests ------------------------------------------------------------------------------------------------

    @property
    def _pool(self) -> ThreadPoolExecutor:
        return self.line.pool

    def write(self, name: str, request: Request) -> Answer:
        """Send a request. Raises `VLLMFault` where the model has no position for one more token."""
        if len(request.prompt) >= self.line.context_tokens:
            raise VLLMFault(
                f"the call has {len(request.prompt)} tokens and the model {self.line.context_tokens} positions; raise "
                "[engine] max_model_len, or end calls earlier (time_limit_s)"
            )
        return self.line.write(name, request)

    async def next_tokens(self, answer: Answer, reply: Writing) -> list[int] | None:
        """The next tokens of a reply that may come, None at the end of the answer."""

        def job() -> Outcome[list[int] | None]:
            piece, waited_s = answer.take()
            if piece is None:
                return Outcome(None, waited_s, 0.0)
            return Outcome(reply.take(piece.tokens), waited_s, float(len(piece.tokens)))

        return await self._run("llm", self._pool, job)

    async def first(self, answer: Answer) -> Piece:
        """The one piece of an answer; an empty one where it was given up."""

        def job() -> Outcome[Piece]:
            piece, waited_s = answer.take()
            return Outcome(piece or Piece(), waited_s, 1.0)

        return await self._run("llm", self._pool, job)

    async def finish(self, answer: Answer) -> None:
        """An answer that is not over is given up; returns when the engine has said that it is."""
        answer.abort()
        if answer.over.is_set():
            return

        def job() -> Outcome[None]:
            answer.wait()
            return Outcome(None, 0.0, 0.0)

        await self._run("llm", self._pool, job)

    async def _asked(self, question: Any) -> None:
        def job() -> Outcome[None]:
            self.line.ask(question)
            return Outcome(None, 0.0, 0.0)

        await self._run("llm", self._pool, job)
