"""The core model as a chat model: messages in, words and tool calls out; what a server's chat template does.

The model thinks before it acts. As hidden reasoning is, its notes are kept at the server and stand in the stream again
when the same talk goes on.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from agent_runtime.agent import Agent
from agent_runtime.engines.core_language import CoreLanguage
from agent_runtime.tools import parse_spoken_call, spoken_call
from policies.learned.core.lexicon import Lexicon
from policies.learned.core.model import CoreModel
from policies.learned.core.tokenizer import Tokenizer
from policies.trajectory import Role, Segment, Trajectory

HIDDEN = (Role.THINK, Role.EXPECT)


@dataclass(frozen=True)
class Said:
    """A part of a reply: words, or a call with its arguments as JSON."""

    text: str = ""
    call: tuple[str, str] | None = None


@dataclass
class CoreChat:
    """The chat side of a server for one agent's model."""

    agent: Agent
    tokenizer: Tokenizer
    language: CoreLanguage
    thoughts: dict[str, tuple[Segment, ...]] = field(default_factory=dict)
    """Stream before a reply -> what was thought before it."""

    @classmethod
    def load(cls, folder: Path, agent: Agent) -> CoreChat:
        """Of a folder of weights."""
        tokenizer = Tokenizer.load(folder)
        lexicon = Lexicon(tokenizer, (folder / "lexicon.txt").read_text("utf-8").split())
        return cls(agent, tokenizer, CoreLanguage(tokenizer, agent, lexicon))

    @property
    def spelling(self) -> Any:
        """Decodes tokens."""
        return self.tokenizer

    async def reply(self, model: CoreModel, body: dict[str, Any]) -> AsyncIterator[Said]:
        """The parts of the reply to a request."""
        stream = self._stream(body["messages"])
        names = {tool["function"]["name"] for tool in body.get("tools", ())}
        blocked = [tool.name for tool in self.agent.tools if tool.name not in names]
        due = body.get("tool_choice", {}).get("function", {}).get("name", "")
        after_result = bool(stream.segments) and stream.segments[-1].role is Role.RESULT
        grammar = self.language.grammar(stream, after_result=after_result, blocked=blocked, due=due)
        cache = model.new_cache()
        logits = model.extend(cache, self.language.encode(stream))
        role, words, shown, hidden = None, list[int](), 0, list[Segment]()
        while not grammar.done and cache.length < 1_000:
            mask = grammar.allowed()
            token = int(np.argmax(logits if mask is None else np.where(mask, logits, -np.inf)))
            grammar.advance(token)
            logits = model.extend(cache, [token])
            turned = self.language.role_of(token)
            if turned is None:
                words.append(token)
                if role is Role.SAY:
                    text = self.language.decode(words)
                    new, shown = text[shown:], len(text)
                    yield Said(new)
                continue
            text = self.language.decode(words).strip()
            if role in HIDDEN:
                hidden.append(Segment(role, text))
            elif role is Role.CALL:
                tool, arguments = parse_spoken_call(self.agent.tools, text)
                yield Said(call=(tool.name, json.dumps(arguments)))
            role, words, shown = turned, [], 0
        self.thoughts[stream.text()] = tuple(hidden)
        if role is Role.BYE and "hang_up" in names:
            yield Said(call=("hang_up", "{}"))

    def _stream(self, messages: Sequence[dict[str, Any]]) -> Trajectory:
        """The stream that a talk stands for."""
        stream = Trajectory()
        wrong = {one["tool_call_id"] for one in messages if (one.get("content") or "").startswith("not called: ")}
        for message in messages:
            ids = {message.get("tool_call_id"), *(call["id"] for call in message.get("tool_calls", ()))}
            if ids & wrong:
                continue  # the model in the box knows no such talk: it answers as if it had not called
            role, content = message["role"], message.get("content") or ""
            if role == "system":
                stream = stream.append(Segment(Role.CARD, content.split("\n\n")[0]))
            elif role == "user" and content != "(the call is answered)":
                stream = stream.append(Segment(Role.HEARD, content), Segment(Role.TURN))
            elif role == "assistant":
                stream = stream.append(*self.thoughts.get(stream.text(), ()))
                for call in message.get("tool_calls", ()):
                    tool = self.agent.tool(call["function"]["name"])
                    spoken = spoken_call(tool, json.loads(call["function"]["arguments"]))
                    stream = stream.append(Segment(Role.CALL, spoken, Role.END))
                if content:
                    said = Role.FILLER if message.get("tool_calls") else Role.SAY
                    stream = stream.append(Segment(said, content, Role.END))
            elif role == "tool":
                stream = stream.append(Segment(Role.RESULT, message["content"]))
        return stream
