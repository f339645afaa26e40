"""An MCP server of the official SDK, started by tests as a process: the front desk's tools, and some that go wrong.

python mcp_server.py FOLDER      FOLDER: where the calendar lies
"""

from __future__ import annotations

import asyncio
import datetime
import os
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations
from pydantic import Field

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from agent_runtime.agent_module import load_module
from agent_runtime.boxed import FRONT_DESK
from agent_runtime.tools import ToolContext

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday"]
Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]

server: Any = MCPServer("clinic")
desk: Any = load_module(FRONT_DESK / "tools.py")
context = ToolContext(today=datetime.date(2026, 11, 23), call_id="mcp", folder=Path(sys.argv[1]))
given_up = asyncio.Event()


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
async def find_slots(day: Day, part: Literal["morning", "afternoon"] | None = None) -> list[str]:
    """Up to three free times on a day."""
    return list(await desk.find_slots(context, day, part))


@server.tool()
async def book(day: Day, time: Clock, name: str) -> str:
    """Book a free half hour for a patient."""
    return str(await desk.book(context, day, datetime.time.fromisoformat(time), name))


@server.tool(name="cancel-booking")
async def cancel_booking(day: Day, name: str) -> str:
    """Give back what a patient has booked."""
    return str(await desk.cancel_booking(context, day, name))


@server.tool()
async def echo(atTime: datetime.time, guests: int, calendar: dict[str, str]) -> dict[str, Any]:  # noqa: N803
    """What came over the wire."""
    return {"time": atTime.isoformat(), "guests": guests, "calendar": calendar}


@server.tool()
async def wait() -> None:
    """Ends only when it is given up."""
    try:
        await asyncio.Event().wait()
    finally:
        given_up.set()


@server.tool()
async def was_given_up() -> bool:
    """True once a call of `wait` has been given up."""
    await given_up.wait()
    return True


@server.tool()
async def die() -> None:
    """Ends the server."""
    os._exit(3)


@server.tool()
async def process() -> int:
    """The number of the server's process."""
    return os.getpid()


@server.tool()
async def tell_secret() -> None:
    """Fails, and says more than it should."""
    raise ToolError(f"token {os.environ['CLINIC_TOKEN']} was refused; {os.environ.get('OTHER_SECRET')}")


@server.tool()
async def read_book() -> str:
    """Returns more than anybody listens to."""
    return "word " * 10_000


async def guarded(scope: Any, receive: Any, send: Any) -> None:
    """The web application, for those who bring the token."""
    if scope["type"] == "http" and dict(scope["headers"]).get(b"authorization") != TOKEN:
        await send({"type": "http.response.start", "status": 401, "headers": []})
        await send({"type": "http.response.body", "body": b""})
    else:
        await web(scope, receive, send)


if __name__ == "__main__":
    if "CLINIC_BROKEN" in os.environ:
        sys.exit(f"cannot start with {os.environ['CLINIC_BROKEN']}")
    if "--web" in sys.argv:
        TOKEN = f"Bearer {os.environ['CLINIC_TOKEN']}".encode()
        web = server.streamable_http_app()
        uvicorn.run(guarded, host="127.0.0.1", port=0)
    else:
        server.run("stdio")
