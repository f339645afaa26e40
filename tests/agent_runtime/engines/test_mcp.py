"""MCP servers as tools, against a real server process of the official SDK."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from agent_runtime.acting import Acting
from agent_runtime.agent import Agent
from agent_runtime.boxed import BOXED_MODEL, FRONT_DESK
from agent_runtime.bus import Bus
from agent_runtime.call import run_call
from agent_runtime.clock import MeasuredCost, run_live, run_outside, run_virtual
from agent_runtime.commands import CallTool, CancelTool
from agent_runtime.events import Event, ToolFailed, ToolReturned
from agent_runtime.log import MemoryLog
from agent_runtime.parts import open_parts, with_served_tools
from agent_runtime.replay import refold
from agent_runtime.testing import load_script
from agent_runtime.testing.fakes import TimedVoice
from agent_runtime.tool_servers import ServedTool, ToolServer, ToolServerError
from agent_runtime.tools import Tool, ToolContext

pytest.importorskip("mcp", reason="the official MCP client is not installed; it comes with the extra `mcp`")

from agent_runtime.engines.mcp.link import MOST_FAILURES
from agent_runtime.engines.mcp.threads import open_servers

boxed = pytest.mark.skipif(not (BOXED_MODEL / "model.safetensors").exists(), reason="no model in the box")

SERVER = str(Path(__file__).with_name("mcp_server.py"))


def clinic(folder: Path, *allow: str, **settings: Any) -> ToolServer:
    """The server; its limits are wide, because a busy machine may take 20 s to start it (it costs 1.7 s of CPU)."""
    terms = {name: ServedTool(timeout_s=120) for name in allow} | settings.pop("tools", {})
    command = (sys.executable, SERVER, str(folder))
    return ToolServer(name="clinic", command=command, allow=allow, start_s=120, tools=terms, **settings)


def context_of(folder: Path) -> ToolContext:
    return ToolContext(today=datetime.date(2026, 11, 23), call_id="c", folder=folder)


@asynccontextmanager
async def tools_of(server: ToolServer, folder: Path) -> AsyncIterator[dict[str, Callable[..., Awaitable[Any]]]]:
    """Name -> a way to run the tool with JSON arguments."""

    def runner(one: Tool) -> Callable[..., Awaitable[Any]]:
        return lambda **arguments: one.run(arguments, context_of(folder))

    async with open_servers([server], folder, run_outside) as tools:
        yield {one.name: runner(one) for one in tools}


def served(server: ToolServer, folder: Path, scene: Callable[..., Awaitable[Any]], *, live: bool = True) -> Any:
    """Play a scene with the tools of a server."""

    async def main() -> Any:
        async with tools_of(server, folder) as tools:
            return await scene(**tools)

    return run_live(main()) if live else run_virtual(main(), MeasuredCost())


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def test_tools_are_listed_called_and_confirmed_writes_and_the_server_ends_with_the_block(tmp_path: Path) -> None:
    async def main() -> tuple[list[Tool], Any, int]:
        server = clinic(tmp_path, "book", "find_slots", "process")
        async with open_servers([server], tmp_path, run_outside) as tools:
            by_name = {one.name: one for one in tools}
            found = await by_name["find_slots"].run({"day": "wednesday"}, context_of(tmp_path))
            return list(tools), found, await by_name["process"].run({}, context_of(tmp_path))

    tools, found, process = run_live(main())
    assert [repr(one) for one in tools] == [
        "<tool book(day, time, name), write, confirmed>",
        "<tool find_slots(day, part=...), write, confirmed>",
        "<tool process(), write, confirmed>",
    ]
    assert [one.kind for one in tools[0].shape.parameters] == ["choice", "time", "heard"]
    assert tools[1].doc == "Up to three free times on a day."
    assert found == ["08:00", "11:00", "17:00"]
    assert gone(process)


def test_hints_are_believed_only_where_the_owner_says_so_and_terms_come_first(tmp_path: Path) -> None:
    async def effects(**settings: Any) -> list[str]:
        async with open_servers([clinic(tmp_path, "find_slots", "book", **settings)], tmp_path, run_outside) as tools:
            return [f"{one.shape.effect} {one.shape.confirm} {one.timeout_s:g} {one.filler}" for one in tools]

    assert run_live(effects(trust_hints=True)) == ["read False 120 None", "write True 120 None"]
    terms = {
        "find_slots": ServedTool(effect="read", timeout_s=4, filler="let me look."),
        "book": ServedTool(confirm=False),
    }
    assert run_live(effects(tools=terms)) == ["read False 4 let me look.", "write False 10 None"]


def test_arguments_reach_the_server_under_its_names_with_what_is_fixed(tmp_path: Path) -> None:
    async def scene(echo: Any) -> Any:
        return await echo(at_time="10:30", guests=4)

    server = clinic(tmp_path, "echo", tools={"echo": ServedTool(fixed={"calendar": {"id": "7"}})})
    assert served(server, tmp_path, scene) == {"time": "10:30:00", "guests": 4, "calendar": {"id": "7"}}


def test_a_parameter_that_cannot_be_spoken_stops_the_start_with_one_line(tmp_path: Path) -> None:
    with pytest.raises(ToolServerError, match=r"^tool server clinic, tool echo, parameter calendar: is of type object"):
        served(clinic(tmp_path), tmp_path, lambda **tools: asyncio.sleep(0))
    with pytest.raises(ToolServerError, match=r"^tool server clinic has no tool 'find'; it lists find_slots, book"):
        served(clinic(tmp_path, "find"), tmp_path, lambda **tools: asyncio.sleep(0))


def test_a_call_that_is_given_up_is_given_up_at_the_server(tmp_path: Path) -> None:
    """Through the organ: its answer is 'cancelled', and the server's own function is cancelled too."""

    async def main() -> list[Any]:
        log = MemoryLog()
        bus = Bus(log)
        server = clinic(tmp_path, "wait", "was_given_up", "process")
        async with open_servers([server], tmp_path, run_outside) as tools, asyncio.TaskGroup() as group:
            acting = Acting(bus, group, {one.name: one for one in tools}, context_of(tmp_path))
            acting.obey(bus.order(CallTool(1, "wait", {}), 0))
            acting.obey(bus.order(CallTool(2, "process", {}), 0))
            while not any(isinstance(entry.what, ToolReturned) for entry in log.entries):
                await bus.next()  # the server answers in order: `wait` has begun when `process` is done
            acting.obey(bus.order(CancelTool(1), 0))
            acting.obey(bus.order(CallTool(3, "was_given_up", {}), 0))
        return [entry.what for entry in log.entries if isinstance(entry.what, Event)]

    _, cancelled, told = run_live(main())
    assert (cancelled.call, cancelled.reason) == (1, "cancelled")
    assert (told.call, told.result) == (3, True)


def test_a_server_that_dies_in_mid_call_fails_that_call_and_is_started_anew_for_the_next(tmp_path: Path) -> None:
    async def main() -> list[Any]:
        log = MemoryLog()
        bus = Bus(log)
        server = clinic(tmp_path, "die", "process")
        async with open_servers([server], tmp_path, run_outside) as tools:
            for at, name in enumerate(("process", "die", "process"), 1):
                async with asyncio.TaskGroup() as group:
                    acting = Acting(bus, group, {one.name: one for one in tools}, context_of(tmp_path))
                    acting.obey(bus.order(CallTool(at, name, {}), 0))
        return [entry.what for entry in log.entries if isinstance(entry.what, Event)]

    first, died, again = run_live(main())
    assert (type(died), died.reason) == (ToolFailed, "raised")
    assert died.detail == (
        "ToolServerError: tool server clinic, tool die: the server ended in mid-call; the next call starts it anew"
    )
    assert gone(first.result)
    assert isinstance(again, ToolReturned)
    assert again.result != first.result


def test_a_server_that_was_killed_between_calls_is_there_for_the_next(tmp_path: Path) -> None:
    async def scene(process: Any) -> tuple[int, int]:
        first = await process()
        os.kill(first, signal.SIGKILL)
        try:
            return first, await process()
        except ToolServerError:  # the call was on its way when the end was noticed: it says so, and the next one works
            return first, await process()

    first, second = served(clinic(tmp_path, "process"), tmp_path, scene)
    assert first != second


def test_a_server_that_keeps_dying_is_left_alone(tmp_path: Path) -> None:
    async def scene(die: Any) -> list[str]:
        faults = []
        for _ in range(MOST_FAILURES + 1):
            with pytest.raises(ToolServerError) as fault:
                await die()
            faults.append(str(fault.value))
        return faults

    *died, left = served(clinic(tmp_path, "die"), tmp_path, scene)
    assert all("ended in mid-call" in line for line in died)
    assert left == f"tool server clinic: failed {MOST_FAILURES} times in a row; it is tried again in 30 s"


def test_a_hanging_call_ends_in_its_time_also_on_a_clock_that_stands_still(tmp_path: Path) -> None:
    async def scene(wait: Any, was_given_up: Any) -> bool:
        with pytest.raises(ToolServerError, match=r"^tool server clinic, tool wait: gave no result within its 0\.2 s$"):
            await wait()
        return bool(await was_given_up())

    server = clinic(tmp_path, "wait", "was_given_up", tools={"wait": ServedTool(timeout_s=0.2)})
    assert served(server, tmp_path, scene, live=False)


def test_secrets_reach_the_server_they_are_named_for_and_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(tell_secret: Any) -> str:
        with pytest.raises(ToolServerError) as fault:
            await tell_secret()
        return str(fault.value)

    server = clinic(tmp_path, "tell_secret", env=("CLINIC_TOKEN",))
    with pytest.raises(ToolServerError, match=r"^tool server clinic: the environment variable CLINIC_TOKEN is not set"):
        served(server, tmp_path, scene)
    monkeypatch.setenv("CLINIC_TOKEN", "s3cr3t-7")
    monkeypatch.setenv("OTHER_SECRET", "never-named")
    said = served(server, tmp_path, scene)
    assert "token *** was refused; None" in said
    assert "s3cr3t" not in said + repr(server)


def test_a_server_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(**tools: Any) -> None:
        return None

    monkeypatch.setenv("CLINIC_BROKEN", "s3cr3t-8")
    with pytest.raises(ToolServerError, match=r"^tool server clinic: did not start: cannot start with \*\*\*$"):
        served(clinic(tmp_path, env=("CLINIC_BROKEN",)), tmp_path, nothing)
    missing = ToolServer(name="clinic", command=("/no/such/program",))
    with pytest.raises(ToolServerError, match=r"^tool server clinic: did not start: FileNotFoundError"):
        served(missing, tmp_path, nothing)
    silent = ToolServer(name="clinic", command=("sleep", "60"), start_s=0.3)
    with pytest.raises(ToolServerError, match=r"^tool server clinic: did not start in 0\.3 s"):
        served(silent, tmp_path, nothing)


def test_a_long_result_is_cut_and_never_a_failure(tmp_path: Path) -> None:
    async def scene(read_book: Any) -> str:
        return str(await read_book())

    said = served(clinic(tmp_path, "read_book"), tmp_path, scene)
    assert 1900 < len(said) <= 2000
    assert said.endswith("word")


def test_a_server_is_reached_by_its_url_and_told_the_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINIC_TOKEN", "s3cr3t-9")
    command = [sys.executable, SERVER, str(tmp_path), "--web"]

    async def scene(find_slots: Any) -> Any:
        return await find_slots(day="wednesday")

    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            running = next(line for line in process.stderr if "running on" in line)
            url = re.findall(r"http://[\w.:]+", running)[0] + "/mcp"
            far = ToolServer(name="far", url=url, token_env="CLINIC_TOKEN", allow=("find_slots",), start_s=120)
            assert served(far, tmp_path, scene) == ["08:00", "11:00", "17:00"]
            with pytest.raises(ToolServerError, match=r"^tool server far: did not start: ") as fault:
                served(dataclasses.replace(far, token_env=""), tmp_path, scene)
            assert "s3cr3t" not in str(fault.value)
        finally:
            process.terminate()


@boxed
def test_a_whole_call_plays_on_the_tools_of_a_server_as_on_the_agents_own(tmp_path: Path) -> None:
    """In virtual time: the shipped call of the front desk, its calendar behind a server."""
    desk = Agent.load(FRONT_DESK)
    terms = {"find_slots": ServedTool(effect="read", slow_s=1.5)}
    server = clinic(tmp_path, "find_slots", "book", "cancel-booking", tools=terms)
    behind_server = dataclasses.replace(desk, tools=(), servers=(server,))
    calls = [
        run_call(agent, load_script(FRONT_DESK / "calls" / "demo"), audio=False, voice=TimedVoice())
        for agent in (desk, behind_server)
    ]
    own, behind = ([words for words in call.tool_results if words[0] != "find_slots"] for call in calls)
    assert behind == own == [("book", "ok")]
    assert refold(calls[1].entries, run_live(with_served_tools(behind_server))) is None
    with pytest.raises(ValueError, match="known to its servers and thinker only"):
        refold(calls[1].entries, behind_server)
    assert (tmp_path / "calendar.sqlite").is_file(), "the server's own folder holds the booking"


def test_without_the_client_the_parts_say_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for module in ("agent_runtime.engines.mcp.threads", "agent_runtime.engines.mcp.link", "mcp"):
        monkeypatch.setitem(sys.modules, module, None)
    agent = Agent(name="desk", persona="front desk", greeting="hello.", servers=[clinic(tmp_path)])

    async def main() -> None:
        async with open_parts(agent, words_only=True, voice=TimedVoice()):
            pytest.fail("parts without their servers")

    with pytest.raises(
        ToolServerError, match=r"^tool server clinic: needs the official MCP client .*duologue\[mcp\]'$"
    ):
        run_virtual(main())
