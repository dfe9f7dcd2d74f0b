"""Every exercise: its solution passes, each known mistake is named, a stub is not attempted."""

import ast
import contextlib
import dataclasses
import functools
import inspect
import re
import subprocess
import sys
import threading
import time
from fractions import Fraction

import nbformat
import numpy as np
import place_exercises
import pytest
import tensorflow_answers
from tensorflow_answers import WITHOUT

from vae_tutorial import exercises
from vae_tutorial._tensorflow import tf
from vae_tutorial.exercises import EXERCISES, _trial
from vae_tutorial.exercises._bank import REPLACED
from vae_tutorial.exercises._trial import Fault, form_of, same, show

MISTAKES = [
    pytest.param(name, mistake.diagnosis, variant, id=f"{name}-{number}-{other}")
    for name, exercise in EXERCISES.items()
    for number, mistake in enumerate(exercise.mistakes)
    for other, variant in enumerate(mistake.variants)
]


def stub_of(name: str):
    """A function that does nothing, with the arguments of the solution."""
    arguments = ", ".join(inspect.signature(EXERCISES[name].solution).parameters)
    space = {}
    exec(f"def {name}({arguments}):\n    '''Do something.'''\n    ...\n", space)
    return space[name]


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_is_right(name):
    # In time as well: what computes for longer than _trial.TIME_LIMIT is not right.
    verdict = exercises.check(name, EXERCISES[name].solution)
    assert (verdict.status, verdict.message) == (exercises.RIGHT, EXERCISES[name].why)


@pytest.mark.parametrize("name", [name for name in EXERCISES if name not in WITHOUT])
def test_an_answer_in_tensorflow_is_right(name):
    verdict = exercises.check(name, getattr(tensorflow_answers, name))
    assert verdict.status == exercises.RIGHT, verdict


@pytest.mark.parametrize("name", sorted(WITHOUT))
def test_where_tensorflow_adds_nothing_a_tensor_is_still_right(name):
    verdict = exercises.check(name, lambda *given: tf.constant(EXERCISES[name].solution(*given)))
    assert verdict.status == exercises.RIGHT


@pytest.mark.parametrize(("name", "diagnosis", "variant"), MISTAKES)
def test_a_known_mistake_gets_its_own_diagnosis(name, diagnosis, variant):
    verdict = exercises.check(name, variant)
    said = f"{exercises.KNOWN} {diagnosis}"
    assert (verdict.status, verdict.message) == (exercises.WRONG, said)


@pytest.mark.parametrize("name", EXERCISES)
def test_an_untouched_stub_is_not_attempted(name):
    assert repr(exercises.check(name, stub_of(name))) == f"{name}: not attempted yet"


@pytest.mark.parametrize("name", EXERCISES)
def test_a_hard_coded_answer_is_refused(name):
    exercise = EXERCISES[name]
    shown = exercise.solution(*exercise.example_arguments())
    assert exercises.check(name, lambda *given: shown).status == exercises.WRONG
    # Nor does it help to know the example by heart and to be wrong elsewhere.
    assert exercise.example.startswith(f"{name}(")
    assert exercise.example_result()


@pytest.mark.parametrize("name", EXERCISES)
def test_every_exercise_is_complete(name):
    exercise = EXERCISES[name]
    assert exercise.points == {"warm-up": 1, "standard": 2, "harder": 3}[exercise.level]
    assert exercise.minutes in (5, 10, 15, 20)
    assert len(exercise.mistakes) >= 3
    assert len({mistake.diagnosis for mistake in exercise.mistakes}) == len(exercise.mistakes)
    assert exercise.statement.endswith((".", "?"))
    for text in (exercise.why, exercise.reasoning, *(m.diagnosis for m in exercise.mistakes)):
        assert text.endswith(".")
    assert len(exercise.reasoning.split()) >= 40  # the reasoning, and not only the code
    assert (name in WITHOUT) != hasattr(tensorflow_answers, name)


def test_there_are_enough_exercises_on_each_page():
    pages = [exercise.page for exercise in EXERCISES.values()]
    assert len(pages) >= 30
    for page in ("background", "elbo", "encoder-decoder", "training", "retrieval"):
        assert pages.count(page) >= 4
    assert min(map(pages.count, pages)) >= 2


# -- What else an answer may do -------------------------------------------------------------------


def top_k(distances, k):
    return np.argsort(distances)[:k]


def changes_its_input(distances, k):
    distances.sort()
    return np.arange(k)


def prints(distances, k):
    print(distances)
    return top_k(distances, k)


def prints_what_the_screen_has(distances, k):
    print("≤".encode(sys.stdout.encoding, sys.stdout.errors).decode(sys.stdout.encoding))
    return top_k(distances, k)


def never_ends(distances, k):
    while True:
        pass


TEST_IS_OVER = threading.Event()


def catches_all(distances, k):
    while not TEST_IS_OVER.is_set():
        with contextlib.suppress(BaseException):
            while not TEST_IS_OVER.is_set():
                len(distances)


@pytest.fixture(autouse=True)
def no_answer_goes_on():
    """End what no check can end: it would take half the time of every test that follows."""
    before = set(threading.enumerate())
    yield
    TEST_IS_OVER.set()
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=600)
        assert not thread.is_alive(), thread.name
    TEST_IS_OVER.clear()


class ConvertsForEver:
    def __array__(self, *args, **kwargs):
        while True:
            pass


class ConvertsBadly:
    def __array__(self, *args, **kwargs):
        sys.exit(3)


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError


def fails_badly():
    raise Unspeakable


def closes_standard_output(distances, k):
    sys.stdout.close()
    print("closed")
    return np.full(k, np.nan)


def fails(distances, k):
    return distances[k + 1000]


def fails_without_a_word(distances, k):
    raise ValueError


def fails_at_length(distances, k):
    raise ValueError("one\ntwo")


def forgets_to_return(distances, k):
    top_k(distances, k)


def leaves(distances, k):
    sys.exit(3)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (changes_its_input, "changes its input in place"),
        (never_ends, "not done after 0.5 s of computing. Does a loop never end? If not, other"),
        (catches_all, "not done after 0.5 s of computing"),
        (lambda distances, k: ConvertsForEver(), "not done after 0.5 s of computing"),
        (fails, "stops with an error, IndexError: index 10"),
        (lambda distances, k: print("x"), "returns nothing"),
        (closes_standard_output, "holds NaN or infinity"),
        (
            lambda distances, k: fails_badly(),
            "stops with an error, Unspeakable: no further message",
        ),
        (lambda distances, k: ConvertsBadly(), "stops with an error, SystemExit: 3"),
        (lambda distances, k: {distances[0]: k}, "returns dict"),
        (lambda distances, k: 10**5000, "a number of thousands of digits"),
        (lambda distances, k: np.argmin(distances), "You return the nearest image alone"),
        (lambda distances, k: distances.sort(), "changes its input"),
        (lambda distances, k: {}.get("x"), "returns nothing"),
        (lambda distances, k: "near", "returns str"),
        (lambda distances, k: distances[:-1], "should have shape (3,)"),
        (lambda distances, k: np.full(k, np.nan), "holds NaN or infinity"),
        (lambda distances: distances, "TypeError"),
        (lambda distances, k: object(), "Return numbers"),
        (lambda distances, k: [[1], [2, 3]], "The rows of your result differ in length."),
        (lambda distances, k: [][k], "stops with an error, IndexError: list index out of range\n"),
        (fails_without_a_word, "stops with an error, ValueError: no further message\n"),
        (fails_at_length, "stops with an error, ValueError: one\nThe input was top_k(np.array(["),
        (forgets_to_return, "returns nothing"),
        (leaves, "stops with an error, SystemExit: 3"),
        (lambda distances, k: 0, "but yours has shape ()."),
        (42, "needs the function itself, got a value of type int"),
    ],
)
def test_strange_answers_are_answered_in_words(answer, said, capsys, monkeypatch):
    monkeypatch.setattr(_trial, "TIME_LIMIT", 0.5)
    verdict = exercises.check("top_k", answer)
    assert verdict.status == exercises.WRONG
    assert said in verdict.message
    assert capsys.readouterr().out == ""
    print("still heard")  # standard output is back where it was
    assert capsys.readouterr().out == "still heard\n"


def test_a_slow_clock_is_no_endless_loop(monkeypatch):
    def slow(distances, k):  # as on a computer that is busy with something else
        time.sleep(0.1)
        return top_k(distances, k)

    monkeypatch.setattr(_trial, "TIME_LIMIT", 1)
    assert exercises.check("top_k", slow).status == exercises.RIGHT


def test_an_answer_that_waits_for_ever_is_told_so_and_holds_nothing_up(monkeypatch):
    never = threading.Event()
    monkeypatch.setattr(_trial, "LONGEST_WAIT", 0.2)
    verdict = exercises.check("top_k", lambda distances, k: never.wait())
    never.set()
    assert "Does it sleep, or ask for input?" in verdict.message


def test_a_function_that_cannot_be_stopped_does_not_keep_python_from_ending():
    code = (
        "import time\nfrom vae_tutorial import exercises\n"
        "exercises._trial.LONGEST_WAIT = 0.2\n"
        "print(exercises.check('top_k', lambda distances, k: time.sleep(3600)).status)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=900)
    assert (done.returncode, done.stdout) == (0, "not yet right\n")


def test_an_answer_need_not_be_a_plain_function():
    class Sorts:
        def __call__(self, distances, k):
            return top_k(distances, k)

    for answer in (Sorts(), functools.partial(top_k)):
        assert exercises.check("top_k", answer).status == exercises.RIGHT
    assert exercises.check("top_k", functools.partial(top_k, k=0)).status == exercises.WRONG


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (lambda distances, k: None, exercises.UNTOUCHED),
        (lambda distances, k: 0, exercises.WRONG),
        (lambda distances, k: (None, k)[0], exercises.WRONG),
    ],
)
def test_only_a_function_that_does_nothing_is_not_attempted(answer, status):
    assert exercises.check("top_k", answer).status == status


def test_a_verdict_is_shown_with_its_message_below():
    assert repr(exercises.Verdict("a", "right", "Because.")) == "a: right\nBecause."
    verdict = exercises.Verdict("a", "right", "")
    assert repr(verdict) == "a: right"
    with pytest.raises(dataclasses.FrozenInstanceError):  # nobody passes by writing
        verdict.status = exercises.RIGHT


@pytest.mark.parametrize(
    ("want", "got", "alike"),
    [
        (1.0, 1.00005, True),
        (1.0, 1.0005, False),
        (0.0, 5e-6, True),
        (0.0, 5e-5, False),
        (1, 1.00001, False),
        (29, 28.999999, True),
        (10**12, 10**12 + 0.5, False),
        (2**70, 2**70, True),
        (2**70, 2**70 + 1, False),
        (1.0, 10**400, False),
        (True, 1, True),
        (np.nan, np.nan, True),
        (np.nan, 0.0, False),
        (np.ones(2), np.ones((1, 2)), False),
        (np.array([1, 2]), np.array([1, 3]), False),
        ((1, 2.0), (1, 2.0), True),
        ((1, 2.0), (1, 3.0), False),
        ((1, 2), (1, 2, 3), False),
    ],
)
def test_when_two_results_agree(want, got, alike):
    assert same(want, got) == alike


def test_inputs_are_shown_short():
    assert show((np.arange(20), 0.123456)).endswith(" 19], 0.1235")
    assert "..." in show((np.arange(21),)) and "..." not in show((np.arange(20),))
    assert show((1e-9,)) == "0."  # no powers of ten


def test_infinity_is_named_only_where_the_right_result_is_finite():
    assert "holds NaN or infinity" in form_of(np.array([1.0, np.inf]), np.array([1.0, 2.0]))
    assert form_of(np.array([1.0, np.nan]), np.array([np.inf, 2.0])) == ""
    assert "should have one number, but yours has shape" in form_of(np.ones(1), 1.0)


def test_an_unknown_mistake_gets_the_smallest_failing_input():
    def wrong_when_large(n_images, latent_dim, bits):
        return n_images * latent_dim * bits // 8 + (bits >= 8)

    message = exercises.check("gallery_bytes", wrong_when_large).message
    assert "A small input on which it fails" in message
    assert message.splitlines()[1:] == [
        "  gallery_bytes(3, 16, 8)",
        "expected 48",
        "got      49",
    ]


@pytest.mark.parametrize("prints", [prints, prints_what_the_screen_has])
def test_an_answer_may_print_while_it_is_looked_into(capsys, prints):
    verdict = exercises.check("top_k", prints)
    assert verdict.status == exercises.RIGHT
    assert verdict.message == f"{EXERCISES['top_k'].why}\n{exercises.PRINTS}"
    assert capsys.readouterr().out == ""


def test_an_answer_that_is_no_function_of_python_is_no_stub():
    class Odd:
        def __call__(self, distances, k):
            return top_k(distances, k)

        def __getattr__(self, name):
            raise ValueError(name)

    assert exercises.check("top_k", Odd()).status == exercises.RIGHT

    class Untouched:
        def top_k(self, distances, k): ...

    assert exercises.check("top_k", Untouched().top_k).status == exercises.UNTOUCHED


def test_an_import_is_no_endless_loop(monkeypatch, tmp_path):
    """As TensorFlow's, which computes for seconds."""
    (tmp_path / "slow_to_import.py").write_text(
        "import time\nend = time.process_time() + 1.5\nwhile time.process_time() < end:\n    pass\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(_trial, "TIME_LIMIT", 0.5)

    def imports(distances, k):
        import slow_to_import  # noqa: F401

        return top_k(distances, k)

    assert exercises.check("top_k", imports).status == exercises.RIGHT


@pytest.mark.slow
def test_an_answer_that_goes_on_after_its_time_takes_none_from_the_next(monkeypatch):
    monkeypatch.setattr(_trial, "TIME_LIMIT", 0.5)
    goes_on = True

    def stubborn(distances, k):
        while goes_on:
            with contextlib.suppress(BaseException):
                sum(range(1000))

    assert "of computing" in exercises.check("top_k", stubborn).message
    try:
        if hasattr(time, "pthread_getcpuclockid"):
            assert exercises.check("top_k", lambda d, k: time.sleep(0.1) or top_k(d, k)).status == (
                exercises.RIGHT
            )
    finally:
        goes_on = False


@pytest.mark.parametrize("name", EXERCISES)
def test_a_failing_input_can_be_pasted(name):
    """It is small, and the call gives what the message says was expected."""
    solution = EXERCISES[name].solution
    given = []

    def fails_late(*arguments):
        given.append(arguments)
        return solution(*arguments) if len(given) < 15 else "late"

    for answer in (lambda *arguments: "wrong", fails_late):
        with contextlib.suppress(Fault):
            exercises._judge(name, EXERCISES[name], answer)
    calls, inputs = exercises._inputs(name, EXERCISES[name])
    for call, arguments in zip(calls, inputs, strict=True):
        space = {"np": np, name: lambda *pasted: pasted}
        assert all(map(np.array_equal, eval(call, space), arguments))
    assert len(min(calls, key=len)) <= 100


def test_a_check_is_the_same_every_time():
    for name, exercise in EXERCISES.items():
        assert exercises._inputs(name, exercise)[0] == exercises._inputs(name, exercise)[0]


@pytest.fixture
def doubling(monkeypatch):
    """An exercise whose inputs are known, and the sizes that were asked for."""
    sizes = []

    def draw(rng, size):
        sizes.append(size)
        return [np.arange(size), rng.integers(10**9)]

    first = next(iter(EXERCISES.values()))
    made = dataclasses.replace(
        first,
        draw=draw,
        mistakes=(),
        solution=lambda x, n: 2 * x + n,
        example="doubling(np.arange(0), 1)",
        cases=(),
    )
    monkeypatch.setitem(EXERCISES, "doubling", made)
    monkeypatch.setattr(exercises, "_record", {})
    return sizes


def test_inputs_grow_from_the_smallest_on_and_are_the_same_every_time(doubling):
    seen = []
    for _ in range(2):
        assert (
            exercises.check("doubling", lambda x, n: seen.append(n) or 2 * x + n).status == "right"
        )
    assert doubling == 2 * list(range(1, 13))
    assert len(set(seen)) == 13 and seen[:13] == seen[13:]


def test_an_answer_must_hold_for_the_largest_input_too(doubling):
    for size in range(1, 13):
        verdict = exercises.check("doubling", lambda x, n, size=size: 2 * x + n + (len(x) == size))
        assert verdict.status == exercises.WRONG
        assert f"  doubling(np.array({np.arange(size).tolist()}), " in verdict.message


def test_an_order_that_differs_from_the_known_one_is_recognised_too():
    verdict = exercises.check("top_k", lambda d, k: np.argsort(d)[:k][::-1])
    assert "right images, but the farthest of them comes first" in verdict.message
    verdict = exercises.check("top_k", lambda d, k: np.roll(np.argsort(d)[:k], 1))
    assert "right images in the wrong order" in verdict.message


def test_a_tuple_must_have_its_parts():
    message = exercises.check("product_of_experts", lambda m, v: m.sum(0)).message
    assert message == "Return 2 results, separated by commas."
    both = exercises.check("product_of_experts", lambda m, v: (m.sum(0), v)).message
    assert "should have shape (1,), but yours has shape (1, 1)" in both
    three = exercises.check("product_of_experts", lambda m, v: (m.sum(0), v, v)).message
    assert three == message
    solution = EXERCISES["product_of_experts"].solution
    assert exercises.check("product_of_experts", lambda *given: list(solution(*given))).status == (
        exercises.RIGHT
    )


@pytest.mark.parametrize("asked", [exercises.hint, lambda name: exercises.check(name, top_k)])
def test_an_unknown_exercise_is_refused_and_the_nearest_are_named(asked):
    for name, said in {
        "precision": "did you mean 'precision_at_k' or ",
        "average_precison": "did you mean 'average_precision' or 'precision_at_k'",
        "topk": "did you mean 'top_k'",
        "xyz": "has all names",
    }.items():
        with pytest.raises(ValueError, match=f"there is no exercise '{name}'; .*{said}") as refused:
            asked(name)
        assert sum(repr(known) in str(refused.value) for known in EXERCISES) <= 3
    with pytest.raises(ValueError, match="'kl_divergence' was replaced by 'kl_to_scaled_prior'"):
        asked("kl_divergence")
    with pytest.raises(TypeError, match="name must be a string, got int"):
        asked(1)


def test_what_replaces_an_exercise_is_one():
    assert set(REPLACED.values()) <= set(EXERCISES)
    assert not set(REPLACED) & set(EXERCISES)


def test_each_call_gives_the_next_hint_and_the_last_one_stays(monkeypatch):
    monkeypatch.setattr(exercises, "_hinted", {})
    hints = [exercises.hint("top_k") for _ in range(5)]
    assert [(hint.name, hint.step) for hint in hints] == [("top_k", n) for n in (1, 2, 3, 3, 3)]
    assert [hint.text for hint in hints[:3]] == list(EXERCISES["top_k"].hints)
    assert repr(hints[2]).startswith("top_k, hint 3 of 3, nearly the code: `nearest = ")
    assert exercises.hint("pool_clip").step == 1  # each exercise counts for itself


@pytest.mark.parametrize("name", EXERCISES)
def test_hints_say_more_each_time_and_never_all(name):
    nudge, idea, nearly = EXERCISES[name].hints
    assert len({nudge, idea, nearly}) == 3
    source = EXERCISES[name].solution_source()
    nodes = list(ast.walk(ast.parse(source)))
    called = {node.attr for node in nodes if isinstance(node, ast.Attribute) and len(node.attr) > 4}
    assert "`" not in nudge and not [word for word in called if word in nudge]
    results = [ast.unparse(node.value) for node in nodes if isinstance(node, ast.Return)]
    for text in (nudge, idea, nearly):
        assert text.endswith((".", "?"))
        # A session prints it and a page typesets it: signs of Markdown are code, or not there.
        assert text.count("`") % 2 == 0
        assert not set(re.sub("`[^`]*`", "", text)) & set("*_[]{}$\\=@<>|")
        assert not [result for result in results if len(result) > 12 and result in text]


def test_every_printed_solution_runs_with_all_stubs_untouched():
    for page in place_exercises.pages():
        cells = nbformat.read(place_exercises.BOOK / f"{page}.ipynb", as_version=4).cells
        untouched = "\n".join(cell.source for cell in cells if cell.id.startswith("stub-"))
        for cell in (cell for cell in cells if cell.id.startswith("solution-")):
            space = {"np": np}
            exec(untouched, space)
            exec(
                re.search(r"^```python\n(.*?)^```$", cell.source, re.DOTALL | re.MULTILINE)[1],
                space,
            )
            name = cell.id.removeprefix("solution-")
            assert exercises.check(name, space[name]).status == exercises.RIGHT, name


def test_progress_shows_what_was_checked(monkeypatch):
    tables = []
    monkeypatch.setattr(exercises, "_record", {})
    monkeypatch.setattr(exercises, "show_table", lambda rows, columns: tables.append(rows))
    with pytest.raises(ValueError, match="nothing was checked"):
        exercises.progress()
    exercises.check("top_k", top_k)
    exercises.check("average_precision", stub_of("average_precision"))
    exercises.progress()
    assert tables[0] == [
        ["Top k without sorting everything", "standard", "2 of 2", "right"],
        ["Average precision with ties", "harder", "0 of 3", "not attempted yet"],
        ["together", "", "2 of 5", ""],
    ]
    assert (exercises.points("top_k"), exercises.points("average_precision")) == (2, 0)


def test_the_stub_that_nbgrader_writes_is_not_attempted():
    def elbo_of_batch(log_likelihood, kl):
        # YOUR CODE HERE
        raise NotImplementedError()

    verdict = exercises.check("elbo_of_batch", elbo_of_batch)
    assert repr(verdict) == "elbo_of_batch: not attempted yet"


def test_a_wrong_axis_is_named_and_not_only_the_shape():
    message = exercises.check("pool_clip", lambda d: d.mean(2)).message
    assert message.endswith("You pool over axis 2, the numbers of a frame. The frames are axis 1.")
    message = exercises.check("pool_clip", lambda d: d[:, :, :1].mean(1)).message
    assert "The result should have shape (1, 2), but yours has shape (1, 1)." in message


def test_the_book_holds_every_exercise_as_the_bank_has_it():
    for page in place_exercises.pages():
        notebook = nbformat.read(place_exercises.BOOK / f"{page}.ipynb", as_version=4)
        placed = [cell.source for cell in place_exercises.place(notebook, page)]
        assert placed == [cell.source for cell in notebook.cells], "run tools/place_exercises.py"
        stored = {
            output.data["text/plain"]
            for cell in notebook.cells
            if cell.cell_type == "code" and "exercises.check(" in cell.source
            for output in cell.outputs
        }
        names = [name for name, e in EXERCISES.items() if e.page == page]
        cells = {cell.id: cell.source for cell in notebook.cells}
        assert sum(place.startswith("solution-") for place in cells) == len(names)
        kinds = ("1: a nudge", "2: the idea", "3: nearly the code")
        for name in names:
            assert EXERCISES[name].reasoning in cells[f"solution-{name}"]
            hints = re.findall(
                r"^:::\{dropdown\} Hint (.+)\n(.+)\n:::$", cells[f"hints-{name}"], re.M
            )
            assert hints == list(zip(kinds, EXERCISES[name].hints, strict=True))
        assert stored == {f"{name}: not attempted yet" for name in names}


# -- Answers that passed and must not, were refused and must not be, or were named wrongly --------


def by_list_index(distances, k):
    return [distances.tolist().index(d) for d in sorted(distances)[:k]]


def by_fixed_shift(shift):
    return lambda w: np.exp(w + shift).sum(-1) ** 2 / np.exp(2 * (w + shift)).sum(-1)


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        (
            "merge_shards",
            lambda d, i, k: i.ravel()[np.argpartition(d.ravel(), k - 1)[:k]],
            "wrong order: argpartition does not sort",
        ),
        ("top_k", lambda d, k: np.argpartition(d, k - 1)[:k], "argpartition does not sort"),
        ("top_k", lambda d, k: np.argpartition(d, k)[:k], "You give argpartition k"),
        ("top_k", by_list_index, "one position twice"),
        ("top_k", lambda d, k: np.argsort(d)[-k:], "You return the farthest images"),
        ("active_units", lambda m, t: int((m.var(0) > 0.01).sum()), "write 0.01 in its place"),
        ("active_units", lambda m, t: int((m.mean(0) > t).sum()), "compare the mean"),
        ("active_units", lambda m, t: int((np.abs(m).mean(0) > t).sum()), "compare the mean"),
        ("active_units", lambda m, t: int((np.ptp(m, 0) > t).sum()), "compare the range"),
        ("held_out_images", lambda s, e: (s > 0) & (s % e == 0), "You leave symbol 0 out"),
        (
            "hamming_distances",
            lambda q, g: np.bitwise_count(q ^ g).sum(1, dtype=np.uint8),
            "You count in uint8",
        ),
        (
            "gallery_bytes",
            lambda n, d, b: int(np.prod([n, d, b], dtype=np.int32)) // 8,
            "You count in int32",
        ),
        ("effective_draws", by_fixed_shift(1000), "You shift by a fixed number"),
        ("effective_draws", by_fixed_shift(990), "You shift by a fixed number"),
        ("effective_draws", lambda w: EXERCISES["effective_draws"].solution(w) + 0.05, "plus 0.05"),
        ("free_bits", lambda kl, f: kl.mean(0).sum(), "The floor is missing"),
        ("warmup_weight", lambda e, n: 0.0 if e < n else 1.0, "as by // or by an if"),
        (
            "shift_image",
            lambda x, d, r: np.pad(x, ((d, 0), (r, 0)))[: -d or None, :-r],
            "small input on which it fails",
        ),
    ],
)
def test_what_passed_or_was_named_wrongly(name, answer, said):
    verdict = exercises.check(name, answer)
    assert verdict.status == exercises.WRONG
    assert said in verdict.message


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("hamming_distances", lambda q, g: np.unpackbits(q ^ g, axis=1).mean(1) * len(q) * 8),
        ("hamming_distances", lambda q, g: np.unpackbits(q ^ g, axis=1).sum(1).astype("f4")),
        (
            "product_of_experts",
            lambda m, v: np.array(EXERCISES["product_of_experts"].solution(m, v)),
        ),
        ("equivalent_beta", Fraction),
        ("free_bits", lambda kl, f: sum(max(Fraction(c.mean()), Fraction(f)) for c in kl.T)),
        ("active_units", lambda m, t: int((m.var(0, ddof=1) > t).sum())),
        ("top_k", lambda d, k: np.lexsort((-np.arange(len(d)), d))[:k]),
        ("merge_shards", lambda d, i, k: i.ravel()[np.lexsort((-i.ravel(), d.ravel()))[:k]]),
    ],
)
def test_what_was_refused_and_is_right(name, answer):
    verdict = exercises.check(name, answer)
    assert verdict.status == exercises.RIGHT, verdict


def test_whole_numbers_beyond_int64_are_numbers(monkeypatch):
    made = dataclasses.replace(EXERCISES["gallery_bytes"], cases=("f(10**20, 8, 1)",))
    monkeypatch.setitem(EXERCISES, "gallery_bytes", made)
    assert exercises.check("gallery_bytes", lambda n, d, b: n * d * b // 8).status == "right"
    message = exercises.check(
        "gallery_bytes", lambda n, d, b: n * d * b // 8 + (n > 10**19)
    ).message
    assert "expected 100000000000000000000\n" in message
