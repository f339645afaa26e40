"""A whole call of words with the model in the box run by vLLM, and adapters: ``make test-vllm``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from agent_runtime import events as ev
from agent_runtime.boxed import BOXED_MODEL
from agent_runtime.call import Call, play_call
from agent_runtime.clock import CostModel, run_virtual
from agent_runtime.doors.typed import TypedDoor
from agent_runtime.engines.core_language import CoreLanguage
from agent_runtime.parts import Parts
from agent_runtime.ports import AdapterRef
from agent_runtime.session import Ears
from agent_runtime.testing.fakes import TimedVoice
from policies.learned.core.lexicon import Lexicon
from policies.learned.core.model import CoreModel
from policies.learned.core.tokenizer import Tokenizer
from tests.agent_runtime.engines.openai_servers import front_desk
from tests.agent_runtime.engines.test_contract import tokens
from tests.agent_runtime.engines.test_openai_calls import LINES, talk
from tests.agent_runtime.engines.tiny_engines import TINY, tiny_tensors
from tests.agent_runtime.engines.vllm_engines import NEEDS_VLLM, over, running, running_tiny

pytestmark = NEEDS_VLLM


@pytest.mark.skipif(not (BOXED_MODEL / "model.safetensors").exists(), reason="no model in the box")
def test_the_front_desk_books_through_vllm_word_for_word_as_through_the_engine_in_the_box(tmp_path: Path) -> None:
    agent = front_desk()
    today = agent.today
    assert today is not None
    alone = talk(agent, *LINES)

    async def main(made: Any) -> Call:
        said = iter(LINES)
        door = TypedDoor(lambda: next(said, None))
        tokenizer = Tokenizer.load(BOXED_MODEL)
        lexicon = Lexicon(tokenizer, (BOXED_MODEL / "lexicon.txt").read_text("utf-8").split())
        async with made() as engine:
            voice = TimedVoice(first_s=0.0, word_ms=10)
            parts = Parts(Ears(), engine, CoreLanguage(tokenizer, agent, lexicon), voice)
            return await play_call(agent, door, parts, folder=tmp_path, today=today, audio=False)

    with running(BOXED_MODEL, max_model_len=2048) as line:
        call = run_virtual(main(over(line)), CostModel.embedded())
    assert call.transcript == alone.transcript
    assert call.tool_results == alone.tool_results
    assert [name for name, _ in call.tool_results] == ["find_slots", "book"]
    assert [entry.what for entry in call.entries if isinstance(entry.what, ev.PartFailed)] == []
    assert any(isinstance(entry.what, ev.TurnScored) for entry in call.entries)


# --- adapters ----------------------------------------------------------------------------------------------------

RANK = 4


def write_adapter(folder: Path, seed: int) -> CoreModel:
    """An adapter of the tiny model in PEFT form; returns the model with the adapter merged into its weights."""
    folder.mkdir()
    random = np.random.default_rng(seed)
    merged, saved = tiny_tensors(), {}
    for layer in range(TINY.num_hidden_layers):
        for part in ("self_attn.q_proj", "mlp.down_proj"):
            name = f"model.layers.{layer}.{part}"
            out, into = merged[f"{name}.weight"].shape
            down, up = (random.normal(0, 0.3, shape).astype(np.float32) for shape in ((RANK, into), (out, RANK)))
            saved[f"base_model.model.{name}.lora_A.weight"] = down
            saved[f"base_model.model.{name}.lora_B.weight"] = up
            merged[f"{name}.weight"] = merged[f"{name}.weight"] + 2.0 * up @ down
    save_file(saved, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": 2 * RANK, "bias": "none", "task_type": "CAUSAL_LM"}
    config |= {"target_modules": ["q_proj", "down_proj"], "base_model_name_or_path": "tiny"}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return CoreModel(TINY, merged)


@pytest.fixture(scope="module")
def line() -> Iterator[Any]:
    """vLLM over the tiny weights with room for two adapters in one batch."""
    with running_tiny(enable_lora=True, max_loras=2, max_lora_rank=64) as running:
        yield running


def test_each_call_keeps_the_adapter_it_was_opened_with(line: Any, tmp_path: Path) -> None:
    stream, asked = tokens(1, 70), tokens(2, 5)
    models = {number: write_adapter(tmp_path / f"v{number}", number) for number in (1, 2)}
    refs = {number: AdapterRef("desk", number, str(tmp_path / f"v{number}")) for number in models}

    def truth(model: CoreModel) -> list[float]:
        logits = model.extend_all(model.new_cache(), stream)[-1].astype(np.float64)
        scores = logits - logits.max() - np.log(np.exp(logits - logits.max()).sum())
        return [float(scores[token]) for token in asked]

    async def main() -> None:
        async with over(line, adapters=2)() as engine:
            with pytest.raises(ValueError, match="no adapter 'desk' version 1 is loaded; load it first"):
                await engine.open("c", adapter=refs[1])
            for ref in refs.values():
                await engine.load_adapter(ref)
            await engine.load_adapter(refs[1])
            with pytest.raises(ValueError, match="give changed weights a new version"):
                await engine.load_adapter(AdapterRef("desk", 1, str(tmp_path / "v2")))
            with pytest.raises(ValueError, match=r"adapter 'none' cannot be loaded from .*nowhere"):
                await engine.load_adapter(AdapterRef("none", 1, str(tmp_path / "nowhere")))
            sessions = {number: await engine.open(f"call {number}", adapter=ref) for number, ref in refs.items()}
            plain = await engine.open("plain")
            for session in (*sessions.values(), plain):
                assert (await session.sync(stream)).computed == 70, "no call takes what another adapter computed"
            for number, session in sessions.items():
                assert await session.score([[one] for one in asked]) == pytest.approx(truth(models[number]), abs=1e-3)
            await engine.unload_adapter(refs[1])
            with pytest.raises(ValueError, match="no adapter 'desk' version 1 is loaded"):
                await engine.unload_adapter(refs[1])
            twin = await sessions[1].fork()
            assert await twin.score([[asked[0]]]) == pytest.approx(truth(models[1])[:1], abs=1e-3), (
                "a call keeps its own"
            )
            bare = await plain.score([[one] for one in asked])
            assert bare == pytest.approx(truth(CoreModel(TINY, tiny_tensors())), abs=1e-3)

    run_virtual(main())
