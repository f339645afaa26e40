"""agent.toml: every key it takes, and one clear line for everything else."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import pytest

from agent_runtime import agent_file
from agent_runtime.agent import (
    Agent,
    AgentFileError,
    EngineSettings,
    RecogniserSettings,
    ServerSettings,
    VLLMSettings,
    VoiceSettings,
)
from agent_runtime.tool_servers import ServedTool, ToolServer
from agent_runtime.wording import Wording
from policies.barge_in import BargeInSettings
from policies.endpointing import EndpointSettings
from policies.filler import FillerSettings
from policies.idle import IdleSettings
from policies.repair import RepairSettings
from policies.shapes import NoteField

HEAD = '[agent]\nname = "desk"\npersona = "front desk"\ngreeting = "hello."\n'

FULL = """
[agent]
name = "desk"
persona = "front desk"
greeting = "hello."
direction = "outbound"
today = 2026-11-23
time_limit_s = 60
hours = ["09:00", "17:00"]
hints = ["be brief"]

[[note]]
name = "day"
kind = "choice"
values = ["monday", "tuesday"]

[[note]]
name = "name"
kind = "heard"

[tools]
module = "tools.py"
names = ["second"]

[[tools.mcp]]
name = "crm"
command = ["crm-server", "--quiet"]
env = ["CRM_TOKEN"]
allow = ["find"]
trust_hints = true
start_s = 5

[tools.mcp.tool.find]
effect = "read"
confirm = false
timeout_s = 3
slow_s = 1.5
filler = "let me look."
prefetch = true
fixed = { zone = "utc" }
leave_out = ["tags"]
times = ["at"]

[[tools.mcp]]
name = "far"
url = "https://tools.example/mcp"
token_env = "FAR_TOKEN"

[voice]
name = "de"
rate_wpm = 150
pitch = 40

[recogniser]
kind = "whisper"
phrases = "phrases.txt"
model = "weights"
language = "de"
compute = "float32"
step_ms = 500

[[engine]]
kind = "vllm"
model = "weights"
max_model_len = 2048
gpu_memory_utilization = 0.4
dtype = "bfloat16"
stall_s = 1.5

[[engine]]
kind = "openai"
base_url = "http://127.0.0.1:8000/v1"
model = "core"
tokens = true

[[engine]]

[endpointing]
noise_ms = 500
word_weight = 1
habit_most_ms = 250.5

[barge_in]
many_words = 4

[filler]
texts = ["hm."]
longer = ["still at it."]
limit_ms = 900

[idle]
hold_ms = 30000
most = 3

[repair]
after = 3
text = "just the {field}, like {example}."

[wording]
apology = "pardon?"
tool_failed = "that did not work. shall i try again?"
still_there = "hello?"
lost_you = "goodbye then."

[thinking]
prefill = false
listen = false
draft = false
predict = false
speak = false
most_peeks = 1
most_drafts = 2
keep_ms = 3000
whole_at = 0.9
"""

TOOLS = """
from agent_runtime.tools import tool

@tool
async def first() -> None: ...

@tool
async def second() -> None: ...
"""


def write(folder: Path, text: str) -> Path:
    (folder / "agent.toml").write_text(text, "utf-8")
    (folder / "tools.py").write_text(TOOLS, "utf-8")
    (folder / "empty.py").write_text("", "utf-8")
    (folder / "broken.py").write_text("\n\n1 / 0\n", "utf-8")
    (folder / "phrases.txt").write_text("# callers\non {day}\n", "utf-8")
    (folder / "bad.txt").write_text("yes\non {dya}\n", "utf-8")
    (folder / "latin.txt").write_bytes(b"gr\xfc\xdf\n")
    (folder / "weights").mkdir(exist_ok=True)
    return folder


def test_every_key_arrives(tmp_path: Path) -> None:
    agent = Agent.load(write(tmp_path, FULL))
    assert (agent.name, agent.persona, agent.greeting, agent.direction) == ("desk", "front desk", "hello.", "outbound")
    assert (agent.today, agent.time_limit_s, agent.hours) == (datetime.date(2026, 11, 23), 60.0, ("09:00", "17:00"))
    assert agent.hints == ("be brief",)
    assert agent.notes == (NoteField("day", "choice", ("monday", "tuesday")), NoteField("name", "heard"))
    assert [tool.name for tool in agent.tools] == ["second"]
    terms = ServedTool(
        effect="read", confirm=False, timeout_s=3.0, slow_s=1.5, filler="let me look.",
        prefetch=True, fixed={"zone": "utc"}, leave_out=("tags",), times=("at",),
    )  # fmt: skip
    assert agent.servers == (
        ToolServer(
            name="crm", command=("crm-server", "--quiet"), env=("CRM_TOKEN",), allow=("find",), trust_hints=True,
            start_s=5.0, tools={"find": terms},
        ),
        ToolServer(name="far", url="https://tools.example/mcp", token_env="FAR_TOKEN"),
    )  # fmt: skip
    assert (agent.voice.name, agent.voice.rate_wpm, agent.voice.pitch) == ("de", 150, 40)
    assert agent.recogniser == RecogniserSettings("whisper", str(tmp_path / "weights"), "de", "float32", 500)
    assert set(agent.sentences()) == {"on monday", "on tuesday"}
    assert (agent.engine, agent.model, agent.folder) == ("vllm", tmp_path / "weights", tmp_path)
    assert agent.engines == (
        EngineSettings("vllm", tmp_path / "weights", vllm=VLLMSettings(2048, 0.4, "bfloat16"), stall_s=1.5),
        EngineSettings("openai", server=ServerSettings("http://127.0.0.1:8000/v1", "core", tokens=True)),
        EngineSettings("embedded"),
    )
    assert agent.endpointing == EndpointSettings(noise_ms=500, word_weight=1.0, habit_most_ms=250.5)
    assert agent.barge_in == BargeInSettings(many_words=4)
    assert agent.filler == FillerSettings(texts=("hm.",), longer=("still at it.",), limit_ms=900)
    assert agent.idle == IdleSettings(hold_ms=30_000, most=3)
    assert agent.repair == RepairSettings(after=3, text="just the {field}, like {example}.")
    assert agent.wording == Wording("pardon?", "that did not work. shall i try again?", "hello?", "goodbye then.")


def test_three_keys_are_enough(tmp_path: Path) -> None:
    agent = Agent.load(str(write(tmp_path, HEAD)))
    assert (agent.tools, agent.notes, agent.model, agent.today) == ((), (), None, None)
    assert agent.endpointing == EndpointSettings()
    assert "yes please" in agent.sentences()


def test_voices_and_recognisers_of_every_kind(tmp_path: Path) -> None:
    def voice(text: str) -> VoiceSettings:
        return Agent.load(write(tmp_path, HEAD + text)).voice

    assert voice("") == VoiceSettings("en-us", 170, 50) == voice('[voice]\nkind = "espeak"\n')
    model = str(tmp_path / "v" / "a.onnx")
    piper = '[voice]\nkind = "piper"\nmodel = "v/a.onnx"\nspeed = 1.2\nprogram = '
    assert voice(piper + '"bin/piper"') == VoiceSettings(
        kind="piper", model=model, speed=1.2, program=str(tmp_path / "bin" / "piper")
    )
    assert voice(piper + '"my-piper"').program == "my-piper", "a name is looked up on the PATH"
    assert voice(KOKORO + 'name = "af_heart"\nlanguage = "en-gb"') == VoiceSettings(
        "af_heart", kind="kokoro", model=str(tmp_path / "k.onnx"), voices="/far/v.bin", language="en-gb"
    )
    server = 'kind = "openai"\nmodel = "m"\nbase_url = "http://x/v1"\napi_key_env = "KEY"\ntimeout_s = 4\n'
    where: dict[str, Any] = {"kind": "openai", "model": "m", "base_url": "http://x/v1", "api_key_env": "KEY"}
    assert voice(f'[voice]\nname = "marin"\n{server}') == VoiceSettings("marin", **where, timeout_s=4.0)
    agent = Agent.load(write(tmp_path, f'{HEAD}[recogniser]\nlanguage = "de"\n{server}'))
    assert agent.recogniser == RecogniserSettings(language="de", **where, timeout_s=4.0)


def test_a_whisper_model_that_is_no_folder_here_is_a_name(tmp_path: Path) -> None:
    agent = Agent.load(write(tmp_path, HEAD + '[recogniser]\nkind = "whisper"\nmodel = "tiny.en"\n'))
    assert agent.recogniser == RecogniserSettings("whisper", "tiny.en")


def test_all_tools_without_names_and_a_date_as_text(tmp_path: Path) -> None:
    agent = Agent.load(write(tmp_path, HEAD + 'today = "2026-11-23"\n[tools]\nmodule = "tools.py"\n'))
    assert [tool.name for tool in agent.tools] == ["first", "second"]
    assert agent.today == datetime.date(2026, 11, 23)


KOKORO = "[voice]\nkind = 'kokoro'\nmodel = 'k.onnx'\nvoices = '/far/v.bin'\n"
OPENAI = "[engine]\nkind = 'openai'\n"
SERVER = OPENAI + "base_url = 'http://x'\nmodel = 'm'\n"
VLLM = "[engine]\nkind = 'vllm'\n"
TWO = "[[engine]]\n[[engine]]\nkind = 'openai'\n"
WHOLE_MS = "expected a whole number of milliseconds"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # tool servers
        (HEAD + "[tools]\nmcp = 1", "agent.toml: tools.mcp is not a list of sections; write [[tools.mcp]] above each"),
        (HEAD + '[[tools.mcp]]\nurl = "http://h"', 'agent.toml: [[tools.mcp]] 1 has no name; add name = "..."'),
        (HEAD + '[[tools.mcp]]\nname = "a"', "agent.toml: tool server a: has no command and url; give one of the two"),
        (
            HEAD + '[[tools.mcp]]\nname = "a"\nurl = "http://h"\n[tools.mcp.tool]\nfind = 1',
            "agent.toml: tool find is no section; write [tools.mcp.tool.find]",
        ),
        (
            HEAD + '[[tools.mcp]]\nname = "a"\nurl = "http://h"\n[tools.mcp.tool.find]\neffect = "both"',
            "agent.toml: [tools.mcp.tool.find] effect is 'both'; expected 'read' or 'write'",
        ),
        (
            HEAD + '[[tools.mcp]]\nname = "a"\nurl = "http://h"\n[[tools.mcp]]\nname = "a"\nurl = "http://g"',
            "agent.toml: two tool servers have one name among a, a; rename one",
        ),
        # slips in names
        (HEAD + 'greting = "x"', "agent.toml: unknown key 'greting' in [agent]; did you mean 'greeting'?"),
        (HEAD + "[endpoint]\nnoise_ms = 1", "agent.toml: unknown section [endpoint]; did you mean [endpointing]?"),
        (HEAD + "[zzz]", "agent.toml: unknown section [zzz]; known are [agent], [note], [tools], [voice]"),
        ('name = "desk"\n' + HEAD, "agent.toml: unknown key 'name' above the first section; known are [agent]"),
        (
            HEAD + "[voice]\nvolume = 3",
            "agent.toml: unknown key 'volume' in [voice]; known are 'name', 'rate_wpm', 'pitch'",
        ),
        (
            HEAD + "[thinking]\nmagic = true",
            "agent.toml: unknown key 'magic' in [thinking]; known are 'prefill', 'listen', 'draft', 'predict', 'speak'",
        ),
        # wrong types
        (HEAD + "[endpointing]\nnoise_ms = 'soon'", "[endpointing] noise_ms is 'soon'; " + WHOLE_MS),
        (HEAD + "[endpointing]\nnoise_ms = 1.5", "[endpointing] noise_ms is 1.5; " + WHOLE_MS),
        (HEAD + "[endpointing]\nnoise_ms = true", "[endpointing] noise_ms is true; " + WHOLE_MS),
        (HEAD + "[endpointing]\nnoise_ms = -1", "[endpointing] noise_ms is -1; " + WHOLE_MS),
        (HEAD + "[endpointing]\nword_weight = nan", "[endpointing] word_weight is nan; expected a number"),
        (HEAD + "[endpointing]\ncurve = []", "unknown key 'curve' in [endpointing]"),
        (HEAD + "[filler]\ntexts = 'hm.'", "[filler] texts is 'hm.'; expected a list of texts"),
        (HEAD + "[filler]\ntexts = [1]", "[filler] texts is [1]; expected a list of texts"),
        (HEAD + "hours = ['9:00']", '[agent] hours is [\'9:00\']; expected two times such as ["09:00", "17:00"]'),
        (HEAD + "hours = ['nine', 'five']", "[agent] hours is ['nine', 'five']; expected two times"),
        (
            HEAD + "today = 2026-11-23T10:00:00",
            "[agent] today is 2026-11-23 10:00:00; expected a date such as 2026-11-23",
        ),
        (HEAD + "today = 'monday'", "[agent] today is 'monday'; expected a date such as 2026-11-23"),
        (HEAD + "today = 20261123", "[agent] today is 20261123; expected a date such as 2026-11-23"),
        (HEAD + "direction = 'up'", "[agent] direction is 'up'; expected 'inbound' or 'outbound'"),
        (HEAD + "[agent.hints]\na = 1", "[agent] hints is {'a': 1}; expected a list of texts"),
        (HEAD + "voice = 'de'", "unknown key 'voice' in [agent]"),
        ("voice = 'de'\n" + HEAD, "agent.toml: voice is no section; write [voice] once"),
        (HEAD + "[[voice]]\nname = 'de'", "agent.toml: voice is no section; write [voice] once"),
        (HEAD + "[engine]\nkind = 'abacus'", "[engine] kind is 'abacus'; expected 'embedded' or 'openai' or 'vllm'"),
        (HEAD + "[voice]\nname = '" + "x" * 99 + "'\npitch = '" + "y" * 99 + "'", "[voice] pitch is 'yyyyyyyy"),
        # notes
        (HEAD + "[note]\nname = 'day'", "agent.toml: note is not a list of sections; write [[note]] above each"),
        (HEAD + "[[note]]\nname = 'day'", '[[note]] 1 has no kind; add kind = "..."'),
        (
            HEAD + "[[note]]\nname = 'a'\nkind = 'time'\n[[note]]\nkind = 'time'",
            '[[note]] 2 has no name; add name = "..."',
        ),
        (
            HEAD + "[[note]]\nname = 'a'\nkind = 'date'",
            "[[note]] 1 kind is 'date'; expected 'choice' or 'time' or 'heard'",
        ),
        (HEAD + "[[note]]\nname = 'a'\nkind = 'choice'", "agent.toml: choice note a has no values; list them"),
        # what the agent itself refuses
        ("[agent]\nname = 'desk'", "agent.toml: persona is empty"),
        ("", "agent.toml: name is empty"),
        (HEAD + "time_limit_s = 0", "agent.toml: time_limit_s is 0.0; expected seconds above 0"),
        (HEAD + "[voice]\nrate_wpm = 9000", "agent.toml: voice rate_wpm is 9000; expected 80 to 450"),
        # files
        (HEAD + "[tools]\nmodule = 'tolls.py'", "[tools] module is 'tolls.py'; expected a Python file in "),
        (HEAD + "[tools]\nmodule = '../tools.py'", "[tools] module is '../tools.py'; expected a Python file in "),
        (HEAD + "[tools]\nnames = ['first']", '[tools] has names but no module; add module = "tools.py"'),
        (HEAD + "[tools]\nmodule = 'empty.py'", "agent.toml: empty.py has no tool; put @tool above an async def"),
        (HEAD + "[tools]\nmodule = 'broken.py'", "broken.py:3: ZeroDivisionError: division by zero"),
        (
            HEAD + "[tools]\nmodule = 'tools.py'\nnames = ['fist']",
            "[tools] names has 'fist', which tools.py does not define; did you mean 'first'?",
        ),
        (HEAD + "[engine]\nmodel = 'nowhere'", "[engine] model is 'nowhere', but "),
        (HEAD + "[recogniser]\nkind = 'ears'", "[recogniser] kind is 'ears'; expected 'pocketsphinx' or 'whisper'"),
        (
            HEAD + "[recogniser]\nmodel = 'tiny'",
            "[recogniser] model is for whisper and openai; drop it, or set the kind",
        ),
        (HEAD + "[recogniser]\ncompute = 'int8'", '[recogniser] compute is for whisper; add kind = "whisper"'),
        (
            HEAD + "[recogniser]\nkind = 'whisper'\nstep_ms = 10",
            "agent.toml: recogniser step_ms is 10; expected 100 to 10000 milliseconds",
        ),
        (
            HEAD + "[recogniser]\nkind = 'whisper'\nmodel = ''",
            "agent.toml: recogniser model is empty; leave it out for 'base'",
        ),
        (HEAD + "[voice]\nkind = 'siri'", "[voice] kind is 'siri'; expected 'espeak' or 'piper' or 'kokoro' or"),
        (HEAD + "[voice]\nspeed = 1", "[voice] speed is for piper and kokoro and openai; drop it, or set the kind"),
        (HEAD + "[voice]\nvoices = 'v.bin'", '[voice] voices is for kokoro; add kind = "kokoro"'),
        (HEAD + "[voice]\nkind = 'piper'\npitch = 50", '[voice] pitch is for espeak; add kind = "espeak"'),
        (HEAD + "[voice]\nkind = 'piper'", "agent.toml: voice kind 'piper' has no model; give the .onnx file"),
        (HEAD + KOKORO, "agent.toml: voice kind 'kokoro' has no name; give one of them, like 'af_heart'"),
        (HEAD + KOKORO + "name = 'af'\nspeed = 3", "agent.toml: voice speed is 3.0; kokoro speaks 0.5 to 2 times as"),
        (HEAD + KOKORO + "name = 'af'\nlanguage = ''", "agent.toml: voice language is empty; leave it out for"),
        (HEAD + "[voice]\nkind = 'openai'\nmodel = 'm'", "voice kind 'openai' has no base_url; give an address"),
        (
            HEAD + "[voice]\nkind = 'openai'\nname = 'a'\nmodel = 'm'\nbase_url = 'http://x'\napi_key_env = 'sk-1'",
            "agent.toml: api_key_env is no name of an environment variable",
        ),
        (
            HEAD + "[recogniser]\nkind = 'openai'\nbase_url = 'http://x'",
            "agent.toml: recogniser kind 'openai' has no model; give its name at the server",
        ),
        (HEAD + "[engine]\nbase_url = 'http://x'", "[engine] base_url is for kind 'openai'; drop it or set the kind"),
        (HEAD + OPENAI + "base_url = 'http://x'", "[engine] kind 'openai' has no model; add model = \"...\""),
        (HEAD + OPENAI + "model = 'm'", "[engine] kind 'openai' has no base_url; add base_url = \"...\""),
        (HEAD + SERVER + "tokenizer = 'nowhere'", "[engine] tokenizer is 'nowhere', but "),
        (HEAD + SERVER + "timeout_s = 0", "agent.toml: engine timeout_s is 0.0; expected seconds above 0, at most 600"),
        (HEAD + SERVER + "api_key_env = 'sk-4711'", "agent.toml: api_key_env is no name of an environment variable"),
        (HEAD + OPENAI + "model = ' '\nbase_url = 'http://x'", "agent.toml: engine model is empty; name the model"),
        (HEAD + OPENAI + "model = 'm'\nbase_url = 'x:80'", "agent.toml: base_url is 'x:80'; expected an address such"),
        (HEAD + OPENAI + "model = 'm'\nbase_url = 'http://u:p@x'", "agent.toml: base_url holds a user, a password"),
        (HEAD + "[engine]\ndtype = 'float32'", "[engine] dtype is for kind 'vllm'; drop it or set the kind"),
        (HEAD + VLLM + "dtype = 'half'", "agent.toml: engine dtype is 'half'; expected one of auto, bfloat16, float16"),
        (HEAD + VLLM + "max_model_len = 12", "agent.toml: engine max_model_len is 12; expected at least 256 tokens"),
        (
            HEAD + VLLM + "gpu_memory_utilization = 80",
            "gpu_memory_utilization is 80.0; expected a share above 0, at most",
        ),
        (HEAD + VLLM + "timeout_s = 1", "[engine] timeout_s is for kind 'openai'; drop it or set the kind"),
        (HEAD + "[engine]\nstall_s = 1", "[engine] stall_s is for a list of engines; drop it, or write [[engine]]"),
        (HEAD + TWO + "base_url = 'x:80'\nmodel = 'm'", "agent.toml: [[engine]] 2: base_url is 'x:80'; expected an"),
        (HEAD + TWO + "base_url = 'http://x'", "[[engine]] 2 kind 'openai' has no model; add model = \"...\""),
        (HEAD + "[[engine]]\n[[engine]]\nstall_s = 0", "[[engine]] 2: engine stall_s is 0.0; expected seconds above 0"),
        ("engine = 'vllm'\n" + HEAD, "agent.toml: engine is no section; write [engine] once, or [[engine]] above each"),
        (HEAD + "[recogniser]\nphrases = 'no.txt'", "[recogniser] phrases is 'no.txt': cannot be read (No such file"),
        (
            HEAD + "[recogniser]\nphrases = 'latin.txt'",
            "[recogniser] phrases is 'latin.txt': cannot be read (not UTF-8)",
        ),
        (HEAD + "[recogniser]\nphrases = 'bad.txt'", "bad.txt:2: the slot {dya} has no values; known are none"),
        # the file itself
        ("[agent\n", "agent.toml: no valid TOML: "),
        (HEAD + HEAD, "agent.toml: no valid TOML: "),
    ],
)
def test_a_slip_gets_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AgentFileError, match=re.escape(message)) as caught:
        Agent.load(write(tmp_path, text))
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 300 + len(str(tmp_path))


def test_a_folder_without_an_agent(tmp_path: Path) -> None:
    with pytest.raises(AgentFileError, match=r"has no agent\.toml; give the folder of an agent"):
        Agent.load(tmp_path)
    with pytest.raises(AgentFileError, match=r"nowhere: no such folder; give the folder of an agent"):
        Agent.load(tmp_path / "nowhere")
    (tmp_path / "agent.toml").write_text(HEAD)
    with pytest.raises(AgentFileError, match=r"is a file; give the folder that holds agent\.toml"):
        Agent.load(tmp_path / "agent.toml")
    (tmp_path / "agent.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(AgentFileError, match=r"agent\.toml: byte 8 is no UTF-8"):
        Agent.load(tmp_path)
    (tmp_path / "agent.toml").unlink()
    (tmp_path / "agent.toml").mkdir()
    with pytest.raises(AgentFileError, match=r"agent\.toml: cannot be read"):
        Agent.load(tmp_path)


def test_the_table_lists_exactly_the_accepted_keys() -> None:
    listed = set(re.findall(r"^    \[+([\w.]+)\]+ (\w+)? {2,}\S", agent_file.__doc__ or "", re.MULTILINE))
    accepted = {(section, key) for section, keys in agent_file.accepted_keys().items() for key in keys or ("",)}
    assert listed == accepted
