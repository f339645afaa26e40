"""Two minds in whole calls in virtual time: a brief goes out, the talker goes on, and the answer is woven in."""

from __future__ import annotations

import asyncio
import datetime
import re
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.agent import Agent, AgentFileError, ServerSettings
from agent_runtime.boxed import BOXED_MODEL
from agent_runtime.call import Call, play_call
from agent_runtime.clock import run_live, run_outside, run_virtual
from agent_runtime.parts import Parts, open_parts, with_served_tools
from agent_runtime.replay import refold
from agent_runtime.second_mind import open_thinker
from agent_runtime.testing import Line, ScriptedCaller, Segment, after_turn, into_turn
from agent_runtime.testing.fakes import TimedVoice
from agent_runtime.thinkers import Thinker, ThinkerError, thinker_tool
from agent_runtime.tools import ToolContext
from policies.brief import Brief, BriefLimits
from policies.shapes import NoteField
from tests.agent_runtime import scenes
from tests.agent_runtime.scenes import TODAY, clip, desk

boxed = pytest.mark.skipif(not (BOXED_MODEL / "model.safetensors").exists(), reason="no model in the box")

NOTES = (NoteField("day", "choice", ("monday", "tuesday", "wednesday")),)
WAITING = (
    "<expect> more <say> i am asking our doctor about that, and while he has a look at it i can tell you our hours, "
    "we are open from nine to five on every day. <end>"
)
SAYS = {
    "knee": "<think> monday <expect> advice <call> ask_doctor about my knee hurts when i run <end>",
    "started": WAITING,
    "ice": "<expect> more <say> he says rest and ice. <end>",
    "failed": "<expect> more <say> it did not work. <end>",
    "back": "<think> monday <expect> more <say> rest and ice for the knee, and warmth for the back. <end>",
    "bye": "<think> monday <expect> bye <say> goodbye. <bye>",
}
ASKS = Line("asks", after_turn(0.6), (Segment(clip("my knee hurts when i run on monday")),))
BYE = Line("bye", after_turn(1.5), (Segment(clip("that is all thanks bye")),))


class Doctor:
    """A sub-agent that takes its time and keeps its briefs."""

    def __init__(self, takes_s: float, answer: str = "rest and ice") -> None:
        self.briefs: list[Brief] = []
        self.takes_s, self.answer = takes_s, answer

    def thinker(self, **settings: Any) -> Thinker:
        async def doctor(brief: Brief) -> str:
            self.briefs.append(brief)
            await asyncio.sleep(self.takes_s)
            if not self.answer:
                raise LookupError("no such illness")
            return self.answer

        return Thinker(kind="tool", name="doctor", function=doctor, **settings)


def played(thinker: Thinker, *lines: Line) -> Call:
    """A call of words with a talker of fixed words and a real second mind."""

    async def main() -> Call:
        agent = desk(notes=NOTES, thinker=thinker)
        async with AsyncExitStack() as stack:
            tool = await open_thinker(agent, run_outside, stack)
            parts = scenes.parts(agent.with_served([tool]), SAYS)
            with tempfile.TemporaryDirectory() as folder:
                return await play_call(
                    agent,
                    ScriptedCaller.of_lines(*(lines or (ASKS, BYE))),
                    Parts(parts.ears, parts.engine, parts.language, parts.voice, (tool,)),
                    folder=Path(folder),
                    today=TODAY,
                    audio=False,
                )

    return run_virtual(main())


def agent_lines(call: Call) -> list[str]:
    return [words for who, words in call.transcript if who == "agent"]


def orders(call: Call, kind: type) -> list[Any]:
    return [entry.what for entry in call.entries if isinstance(entry.what, kind)]


# --- whole calls -------------------------------------------------------------------------------------------------


def test_an_answer_in_the_middle_of_a_sentence_is_woven_into_its_unheard_rest() -> None:
    doctor = Doctor(4.0)
    call = played(doctor.thinker())
    assert agent_lines(call)[1:] == [
        "i am asking our doctor about that, and while he has a look at it i can tell you our hours,",
        "he says rest and ice.",
        "goodbye.",
    ]
    (trim,) = [entry for entry in call.entries if isinstance(entry.what, do.Trim)]
    returned = next(entry for entry in call.entries if isinstance(entry.what, ev.ToolReturned))
    heard = next(
        e for e in call.entries if isinstance(e.what, ev.UtteranceHeard) and e.what.utterance == trim.what.utterance
    )
    assert trim.at_us == returned.at_us < heard.at_us, "it was speaking, and finished its clause"
    assert not heard.what.complete


def test_the_other_mind_gets_a_brief_and_nothing_that_the_caller_said() -> None:
    doctor = Doctor(4.0)
    call = played(doctor.thinker(words=20, limits=["a price"]))
    assert doctor.briefs == [Brief("help with what is known", (("day", "monday"),), BriefLimits(20, ("a price",)))], (
        "the talker had nothing but the caller's sentence to ask with"
    )
    assert "knee hurts" not in doctor.briefs[0].text()
    (order,) = orders(call, do.CallTool)
    assert Brief.read(order.brief) == doctor.briefs[0], "what was told stands in the log"


def test_an_answer_after_a_barge_in_is_kept_and_the_other_mind_not_asked_twice() -> None:
    doctor = Doctor(4.0)
    barge = Line("barge", into_turn(2.0), (Segment(clip("and there is my back too that hurts")),), "barge_in")
    call = played(doctor.thinker(), ASKS, barge, BYE)
    spoken = agent_lines(call)
    assert spoken[-2:] == ["rest and ice for the knee, and warmth for the back.", "goodbye."]
    assert len(doctor.briefs) == len(orders(call, do.CallTool)) == 1
    returned = next(entry.seq for entry in call.entries if isinstance(entry.what, ev.ToolReturned))
    cancelled = next(entry.seq for entry in call.entries if isinstance(entry.what, do.Cancel))
    assert cancelled < returned, "the barge-in came first"
    assert not orders(call, do.Trim)


def test_a_mind_that_takes_too_long_or_fails_is_told_in_words() -> None:
    sorry = "sorry, i cannot look that up right now. is there anything else i can do for you?"
    for doctor, limit_s in ((Doctor(60.0), 3.0), (Doctor(3.0, ""), 20.0)):
        call = played(doctor.thinker(timeout_s=limit_s))
        assert sorry in agent_lines(call)
        assert agent_lines(call)[1].endswith("every day."), "no reason to interrupt ourselves"


def test_the_same_call_again_is_the_same_log_and_refolds() -> None:
    thinker = Doctor(4.0).thinker()
    first, second = played(thinker), played(thinker)
    assert first.entries == second.entries
    agent = run_live(with_served_tools(desk(notes=NOTES, thinker=thinker)))
    assert refold(first.entries, agent) is None
    with pytest.raises(ValueError, match="servers and thinker"):
        refold(first.entries, desk(notes=NOTES, thinker=thinker))


@boxed
def test_the_model_in_the_box_answers_as_a_second_mind_while_the_talker_speaks() -> None:
    call = played(Thinker(kind="embedded", name="doctor", model=BOXED_MODEL, words=12))
    (returned,) = orders(call, ev.ToolReturned)
    assert 0 < len(returned.result.split()) <= 12
    assert any(isinstance(entry.what, do.Trim | do.CancelGeneration) for entry in call.entries), "it was quick"


@boxed
def test_opened_with_the_other_parts_and_closed_with_them() -> None:
    async def main() -> None:
        given = desk(notes=NOTES, thinker=Doctor(1.0).thinker())
        async with open_parts(given, words_only=True, voice=TimedVoice()) as parts:
            (tool,) = parts.tools
            context = ToolContext(TODAY, "c", Path("."))
            assert await tool.run({"about": "knees"}, context, Brief("knees")) == "rest and ice"

    run_virtual(main())


# --- values ------------------------------------------------------------------------------------------------------


def test_the_tool_reads_runs_in_the_background_and_has_one_parameter() -> None:
    tool = thinker_tool(Doctor(1.0).thinker(topics=["knees", "backs"], knows="Ask for what only a doctor knows."))
    assert (tool.name, tool.shape.effect, tool.background, tool.slow_s) == ("ask_doctor", "read", True, 4.0)
    assert tool.doc.startswith("Ask for what only a doctor knows. Returns 'started' at once")
    assert tool.schema["properties"] == {"about": {"type": "string", "enum": ["knees", "backs"]}}
    assert thinker_tool(Doctor(1.0).thinker()).shape.parameters[0].kind == "text"
    with pytest.raises(ThinkerError, match="not open"):
        run_virtual(tool.run({"about": "knees"}, ToolContext(TODAY, "c", Path("."))))


def test_values_that_do_not_fit_get_one_line() -> None:
    async def ask(brief: Brief) -> str:
        return brief.task

    def plain(brief: Brief) -> str:
        return brief.task

    server = ServerSettings("http://127.0.0.1:1/v1", "m")
    for settings, message in (
        ({"kind": "oracle"}, "thinker kind is 'oracle'; expected one of openai, embedded, tool"),
        ({"kind": "openai"}, "of kind 'openai' needs base_url and model"),
        ({"kind": "tool", "function": ask, "server": server}, "of kind 'tool' takes no base_url and model; drop it"),
        ({"kind": "tool", "function": plain}, "its function is not async"),
        ({"kind": "tool", "function": ask, "words": 0}, "thinker words is 0; expected 1 to 200"),
        ({"kind": "tool", "function": ask, "name": "The Doctor"}, "the name cannot be spoken"),
        ({"kind": "tool", "function": ask, "topics": ("Red", "red")}, "sound the same"),
    ):
        with pytest.raises(ThinkerError, match=re.escape(message)):
            Thinker(**{"name": "doctor", **settings})


def test_the_settings_digest_knows_the_thinker_but_not_its_code() -> None:
    plain, one, other = (desk(), desk(thinker=Doctor(1.0).thinker()), desk(thinker=Doctor(2.0).thinker()))
    assert plain.settings_digest() != one.settings_digest() == other.settings_digest()
    assert one.settings_digest() != desk(thinker=Doctor(1.0).thinker(words=9)).settings_digest()


# --- the agent file ----------------------------------------------------------------------------------------------

HEAD = '[agent]\nname = "desk"\npersona = "front desk"\ngreeting = "hello."\n'
TOOLS = """
from agent_runtime.tools import tool
from policies.brief import Brief
KEPT = []
@tool
async def note(text: str) -> int:
    KEPT.append(text)
    return len(KEPT)
async def research(brief: Brief) -> int:
    return len(KEPT)
"""


def loaded(folder: Path, text: str) -> Agent:
    (folder / "tools.py").write_text(TOOLS)
    (folder / "weights").mkdir(exist_ok=True)
    (folder / "agent.toml").write_text(HEAD + text)
    return Agent.load(folder)


def test_a_section_is_read(tmp_path: Path) -> None:
    served = loaded(
        tmp_path,
        '[thinker]\nkind = "openai"\nname = "doctor"\nbase_url = "http://h/v1"\nmodel = "big"\napi_key_env = "BIG"\n'
        'knows = "Illness."\ntopics = ["knees"]\nfiller = "i ask the doctor."\nslow_s = 2\nwords = 30\n'
        'limits = ["a price"]\n',
    ).thinker
    assert served == Thinker(
        kind="openai",
        name="doctor",
        server=ServerSettings("http://h/v1", "big", "BIG", timeout_s=20.0),
        knows="Illness.",
        topics=("knees",),
        filler="i ask the doctor.",
        slow_s=2.0,
        words=30,
        limits=("a price",),
    )
    embedded = loaded(tmp_path, '[thinker]\nkind = "embedded"\nname = "doctor"\nmodel = "weights"\n').thinker
    assert embedded is not None
    assert embedded.model == tmp_path / "weights"


def test_a_sub_agent_is_a_function_of_the_tools_module_and_shares_its_state(tmp_path: Path) -> None:
    agent = loaded(
        tmp_path, '[tools]\nmodule = "tools.py"\n[thinker]\nkind = "tool"\nname = "lab"\ntool = "research"\n'
    )

    async def main() -> Any:
        await agent.tool("note").function("one")
        async with AsyncExitStack() as stack:
            tool = await open_thinker(agent, run_outside, stack)
            return await tool.run({"about": "it"}, ToolContext(datetime.date(2026, 1, 1), "c", tmp_path), Brief("it"))

    assert run_virtual(main()) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "x"', "agent.toml: [thinker] has no kind"),
        ('kind = "tool"', "agent.toml: [thinker] has no name"),
        ('kind = "openai"\nname = "x"\nbase_url = "http://h"', "[thinker] kind 'openai' has no model"),
        ('kind = "openai"\nname = "x"\nbase_url = "h"\nmodel = "m"', "[thinker] base_url is 'h'; expected an address"),
        ('kind = "embedded"\nname = "x"\nmodel = "nowhere"', "[thinker] model is 'nowhere', but "),
        ('kind = "embedded"\nname = "x"\nbase_url = "http://h"', "[thinker] base_url is not for kind 'embedded'"),
        ('kind = "embedded"\nname = "x"', "[thinker] 'x' of kind 'embedded' needs a model folder"),
        ('kind = "tool"\nname = "x"\ntool = "research"', "[thinker] tool is 'research', but [tools] has no module"),
        (
            'kind = "tool"\nname = "x"\ntool = "serch"\n[tools]\nmodule = "tools.py"',
            "[thinker] tool is 'serch', no async function of tools.py; did you mean 'research'?",
        ),
        ('kind = "abacus"\nname = "x"', "[thinker] kind is 'abacus'; expected 'openai' or 'embedded' or 'tool'"),
    ],
)
def test_a_slip_gets_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AgentFileError, match=re.escape(message)) as caught:
        loaded(tmp_path, f"[thinker]\n{text}\n")
    assert "\n" not in str(caught.value)
