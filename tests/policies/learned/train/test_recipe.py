"""Training parts that need torch: the two forward passes agree, the folder loads elsewhere, the loss can fall."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path
from random import Random

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra `learn`")

from policies.learned.core import model as core_module  # noqa: E402
from policies.learned.core.model import CoreModel  # noqa: E402
from policies.learned.core.tokenizer import Tokenizer  # noqa: E402
from policies.learned.train import learner as learning  # noqa: E402
from policies.learned.train import model_torch, recipe  # noqa: E402
from policies.learned.train.counting import counting_call  # noqa: E402
from policies.learned.train.dialogue import expert_call  # noqa: E402
from policies.learned.train.export import export, restore, tensors_of  # noqa: E402
from policies.learned.train.lessons import Lessons, new_rows, row_of  # noqa: E402
from policies.learned.train.model_torch import CoreShape, TorchCore  # noqa: E402
from policies.learned.train.muon import Muon  # noqa: E402
from policies.learned.train.vocabulary import extend_vocabulary  # noqa: E402
from policies.learned.train.weighted import WeightedCall  # noqa: E402
from policies.trajectory import ROLE_TOKENS, Role  # noqa: E402

SHAPE = CoreShape(
    vocab_size=60,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=16,
    intermediate_size=48,
)
WEIGHTS = Path(core_module.__file__).parent / "weights" / "boxed"
IDS = np.random.default_rng(0).integers(0, 60, 230).tolist()


def random_core() -> TorchCore:
    torch.manual_seed(0)
    model = TorchCore(SHAPE)
    with torch.no_grad():
        for parameter in model.parameters():
            # halves exactly as they will be stored, so that only the arithmetic can differ
            parameter.copy_((parameter + 0.1 * torch.randn_like(parameter)).half().float())
    return model


def test_numpy_and_torch_give_the_same_logits(tmp_path: Path) -> None:
    model = random_core()
    export(model, tmp_path)
    core = CoreModel.load(tmp_path)
    with torch.no_grad():
        wanted = model(torch.tensor([IDS]))[0].numpy()
    assert np.abs(core.extend_all(core.new_cache(), IDS) - wanted).max() <= 1e-4


@pytest.mark.parametrize("made", ["just now", "shipped"])
def test_transformers_loads_the_folder_unchanged_and_agrees(made: str, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers is in the extra `learn`")
    folder = WEIGHTS
    if made == "just now":
        export(random_core(), tmp_path)
        folder = tmp_path
    core = CoreModel.load(folder)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    with torch.no_grad():
        wanted = theirs(torch.tensor([IDS])).logits[0].numpy()
    assert np.abs(core.extend_all(core.new_cache(), IDS) - wanted).max() <= 2e-4
    if made == "shipped":
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        text = " i'd like to come on wednesday at ten thirty"
        assert tokenizer(text, add_special_tokens=False).input_ids == Tokenizer.load(folder).encode(text)


def test_a_folder_is_read_back_as_it_was_stored(tmp_path: Path) -> None:
    model = random_core()
    export(model, tmp_path)
    again = restore(tmp_path)
    assert again.shape == model.shape
    assert all((tensor == again.state_dict()[name]).all() for name, tensor in model.state_dict().items())
    assert all((array == tensors_of(model)[name]).all() for name, array in tensors_of(again).items())


def test_a_grown_vocabulary_keeps_what_the_model_knows(tmp_path: Path) -> None:
    words = [" my quibblewort", " a quibblewort"]
    old = Tokenizer.load(WEIGHTS)
    more = len(old.encode(" quibblewort")) - 1
    extend_vocabulary(WEIGHTS / "tokenizer.json", tmp_path / "tokenizer.json", words, size=old.size + more)
    new = Tokenizer.load(tmp_path)
    assert new.size == old.size + more
    text = " i'd like to come on wednesday at ten thirty"
    assert new.encode(text) == old.encode(text)
    assert len(new.encode(" quibblewort")) == 1 < len(old.encode(" quibblewort"))
    model = restore(WEIGHTS)
    wider = recipe.grown(model, old, new)
    ids = torch.tensor([old.encode(text)])
    with torch.no_grad():
        assert torch.allclose(wider(ids)[..., : old.size], model(ids), atol=1e-5)
        row = wider.embedding.weight[new.encode(" quibblewort")[0]]
        assert torch.allclose(row, model.embedding.weight[old.encode(" quibblewort")].mean(0), atol=1e-6)


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    ids = torch.tensor([IDS[:40]])
    batch = learning.Batch(ids, ids, torch.ones(1, 40))
    learner = learning.Learner(random_core(), tmp_path, 0.02, 0.004)
    losses = [learner.learn(batch, 1.0) for _ in range(2)]
    learner.save()
    losses += [learner.learn(batch, 1.0) for _ in range(2)]
    other = learning.Learner(random_core(), tmp_path, 0.02, 0.004)
    other.resume()
    assert (other.steps, other.tokens) == (2, 2 * int((ids != 0).sum()))
    assert [other.learn(batch, 1.0) for _ in range(2)] == losses[2:]
    assert losses == sorted(losses, reverse=True)


def test_the_command_makes_a_model_and_goes_on_with_calls_it_has_not_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(WEIGHTS / "tokenizer.json", tmp_path)
    command = "--seed 3 --batch-tokens 900 --round-calls 0 --device cpu --report-steps 1 --out".split()
    recipe.main(["--steps", "1", *command, str(tmp_path)])
    model = CoreModel.load(tmp_path)
    assert (model.config.hidden_size, model.config.num_hidden_layers) == (128, 6)
    assert "hello" in (tmp_path / "lexicon.txt").read_text("utf-8").split()
    progress = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["progress"]
    assert (progress["steps"], progress["blocks"]) == (1, 2), "512 rows are sorted by length at a time"
    recipe.main(["--steps", "2", "--resume", *command, str(tmp_path)])
    progress = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["progress"]
    assert (progress["steps"], progress["blocks"]) == (2, 4)
    assert "step 2 " in capsys.readouterr().out


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error_of_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        recipe.main(["--out", "nowhere", "--device", "cuda"])
    assert "sees no GPU here; leave it out" in capsys.readouterr().err


def test_the_larger_weights_have_the_shape_that_the_recipe_names() -> None:
    large = CoreModel.load(WEIGHTS.parent / "large").config
    shape = recipe.SIZES["large"]
    for name in ("hidden_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "intermediate_size"):
        assert getattr(large, name) == getattr(shape, name)


def test_the_attention_of_a_gpu_is_that_of_a_cpu() -> None:
    torch.manual_seed(2)
    q, k, v = torch.randn(2, 4, 230, 16), torch.randn(2, 2, 230, 16), torch.randn(2, 2, 230, 16)
    mask = torch.full((230, 230), float("-inf")).triu(1)
    assert torch.allclose(model_torch._attend_fused(q, k, v), model_torch._attend(q, k, v, mask), atol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_learns_what_a_cpu_learns(tmp_path: Path) -> None:
    ids = torch.tensor([IDS[:40]])
    batch = learning.Batch(ids, ids, torch.ones(1, 40))
    losses = [
        [learner.learn(batch, 1.0) for _ in range(4)]
        for learner in (learning.Learner(random_core().to(where), tmp_path, 0.02, 0.004) for where in ("cpu", "cuda"))
    ]
    assert losses[1] == pytest.approx(losses[0], abs=0.05)


def test_muon_makes_matrices_of_equal_singular_values() -> None:
    wide, tall = (torch.nn.Parameter(torch.zeros(shape)) for shape in ((16, 48), (48, 16)))
    torch.manual_seed(1)
    wide.grad, tall.grad = torch.randn(16, 48), torch.randn(48, 16)
    Muon([wide, tall], lr=1.0).step()
    assert torch.linalg.svdvals(wide.detach()).numpy() == pytest.approx(np.ones(16), abs=0.35)
    assert torch.linalg.svdvals(tall.detach()).numpy() == pytest.approx(np.full(16, 3**0.5), abs=0.6)


def test_weights_follow_the_segments() -> None:
    tokenizer = Tokenizer.load(WEIGHTS)
    call = expert_call(Random(4))
    ids, _, weights = row_of(call, tokenizer, Random(0))
    assert spoken(ids, tokenizer) == spoken(tokenizer.encode_parts(call.trajectory().parts()), tokenizer)
    assert {round(float(weight), 3) for weight in weights} <= {0.0, 0.1, 0.2, 0.5, 1.0}
    turns = weights[ids == tokenizer.special[str(Role.TURN)]]
    assert turns == pytest.approx(np.full(len(turns), 0.2))
    assert weights[0] == 0


def spoken(ids: Iterable[int], tokenizer: Tokenizer) -> list[int]:
    """`ids` without the words of expectations."""
    out: list[int] = []
    inside = False
    for id_ in ids:
        if id_ < len(ROLE_TOKENS):
            inside = id_ == tokenizer.special[str(Role.EXPECT)]
        if id_ < len(ROLE_TOKENS) or not inside:
            out.append(int(id_))
    return out


def test_what_came_is_the_target_of_an_expectation_and_never_stands_in_the_stream() -> None:
    """Where it does, a model reads its expectation instead of the words that follow."""
    tokenizer = Tokenizer.load(WEIGHTS)
    expect = tokenizer.special[str(Role.EXPECT)]
    told = guessed = 0
    for seed in range(40):
        call = expert_call(Random(seed))
        ids, wanted, weights = row_of(call, tokenizer, Random(seed), most=10_000)
        places = np.flatnonzero(ids == expect) + 1
        came = [call.came[index] for index, one in enumerate(call.segments) if one.role is Role.EXPECT]
        for place, label in zip(places, came, strict=True):
            right = tokenizer.encode(" " + label)
            guess = list(takewhile(lambda id_: id_ >= len(ROLE_TOKENS), ids[place:].tolist()))
            told += guess == right
            guessed += 1
            if not guess:
                continue
            assert wanted[place] == right[0]
            agreed = next((at for at, (a, b) in enumerate(zip(guess, right, strict=False)) if a != b), len(guess))
            assert (weights[place + agreed + 1 : place + len(guess)] == 0).all()
        elsewhere = np.ones(len(ids), bool)
        for place in places:
            elsewhere[place : place + 12] = False
        assert (ids == wanted)[elsewhere].all()
    assert 0.2 < told / guessed < 0.8


def test_a_long_count_is_learned_to_its_end_and_what_follows_it_too() -> None:
    """Read at the end of the call the whole count would be gone: only the caller's goodbye stands behind it."""
    tokenizer = Tokenizer.load(WEIGHTS)
    whole = after = 0
    long = [call for call in map(counting_call, map(Random, range(1500))) if words(call) > 150]
    long = [call for call in long if len(row_of(call, tokenizer, Random(0), most=10_000).ids) > 600]
    assert len(long) >= 5
    for call in long:
        said = [segment.text for segment in call.segments if segment.role is Role.SAY]
        for seed in range(8):
            text = tokenizer.decode(row_of(call, tokenizer, Random(seed)).ids.tolist())
            whole += all(one in text for one in said[:-1])
            after += said[-1] in text
    assert 0.3 < whole / (8 * len(long)) < 0.7
    assert 0.3 < after / (8 * len(long)) < 0.7


def words(call: WeightedCall) -> int:
    return sum(len(segment.text.split()) for segment in call.segments)


def test_padding_costs_nothing_and_a_few_steps_lower_the_loss() -> None:
    tokenizer = Tokenizer.load(WEIGHTS)
    torch.manual_seed(0)
    shape = CoreShape(vocab_size=tokenizer.size, num_hidden_layers=1, hidden_size=32, intermediate_size=32, head_dim=16)
    model = TorchCore(shape)
    rows = [row_of(expert_call(Random(seed)), tokenizer, Random(seed)) for seed in range(4)]
    batch = learning.padded(rows)
    with torch.no_grad():
        alone = [learning.weighted_loss(model, learning.padded([row])).item() for row in rows]
        masses = [row.weights[1:].sum() for row in rows]
        together = learning.weighted_loss(model, batch).item()
    assert together == pytest.approx(np.average(alone, weights=masses), abs=1e-4)
    optimiser = Muon([p for p in model.parameters() if p.ndim == 2], lr=0.02)
    for _ in range(8):
        loss = learning.weighted_loss(model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        optimiser.zero_grad()
    assert loss.item() < together - 0.5


def test_the_rate_warms_up_stays_and_falls_to_zero() -> None:
    assert learning.learning_rate(0.0, 0) == pytest.approx(1 / 30)
    assert learning.learning_rate(0.4, 500) == 1.0
    assert learning.learning_rate(0.75, 500) == pytest.approx(0.5)
    assert learning.learning_rate(1.0, 500) == 0.0
    assert learning.learning_rate(0.75, 500, anneal=0.2) == 1.0


def test_batches_hold_calls_of_one_length() -> None:
    tokenizer = Tokenizer.load(WEIGHTS)
    rng = Random(1)
    source = learning.batches(Lessons(new_rows(tokenizer, rng), rng), rng, 4096)
    filled = []
    for _ in range(6):
        ids, wanted, weights = next(source)
        assert ids.shape == wanted.shape == weights.shape
        assert ids.numel() <= 4096 or len(ids) == 1
        filled.append((ids != 0).float().mean().item())
    assert np.mean(filled) > 0.9
