"""Every exercise: its solution passes, each known mistake is named, a stub is not attempted."""

import inspect
import threading
import time

import nbformat
import numpy as np
import place_exercises
import pytest
import tensorflow_answers
from tensorflow_answers import WITHOUT

from vae_tutorial import exercises
from vae_tutorial._tensorflow import tf
from vae_tutorial.exercises import EXERCISES, _trial

MISTAKES = [
    pytest.param(name, number, id=f"{name}-{number}")
    for name, exercise in EXERCISES.items()
    for number in range(len(exercise.mistakes))
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


@pytest.mark.parametrize(("name", "number"), MISTAKES)
def test_a_known_mistake_gets_its_own_diagnosis(name, number):
    mistake = EXERCISES[name].mistakes[number]
    for _ in range(5):  # inputs are random
        verdict = exercises.check(name, mistake.answer)
        assert (verdict.status, verdict.message) == (exercises.WRONG, mistake.diagnosis)


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


def never_ends(distances, k):
    while True:
        pass


def fails(distances, k):
    return distances[k + 1000]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (changes_its_input, "changes its input in place"),
        (prints, "Your function prints"),
        (never_ends, "not done after 1.5 s of computing"),
        (fails, "stops with an error, IndexError: index 10"),
        (lambda distances, k: print("x"), "Your function prints"),
        (lambda distances, k: distances.sort(), "changes its input"),
        (lambda distances, k: {}.get("x"), "returns nothing"),
        (lambda distances, k: "near", "returns str"),
        (lambda distances, k: distances, "should have shape"),
        (lambda distances, k: np.full(k, np.nan), "holds NaN or infinity"),
        (lambda distances: distances, "TypeError"),
        (lambda distances, k: object(), "Return numbers"),
        (lambda distances, k: [[1], [2, 3]], "Return numbers"),
        (42, "needs the function itself, got a value of type int"),
    ],
)
def test_strange_answers_are_answered_in_words(answer, said, capsys):
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


def test_an_unknown_mistake_gets_the_smallest_failing_input():
    def wrong_when_large(n_images, latent_dim, bits):
        return n_images * latent_dim * bits // 8 + (bits >= 8)

    message = exercises.check("gallery_bytes", wrong_when_large).message
    # bits are 2, 4, 8, ...: the third input is the first to fail.
    assert "A small input on which it fails" in message
    assert message.splitlines()[1].endswith(", 8")


def test_an_order_that_differs_from_the_known_one_is_recognised_too():
    verdict = exercises.check("top_k", lambda d, k: np.argsort(d)[:k][::-1])
    assert "right images in the wrong order" in verdict.message


def test_a_tuple_must_have_its_parts():
    message = exercises.check("product_of_experts", lambda m, v: m.sum(0)).message
    assert message == "Return 2 results, separated by commas."
    both = exercises.check("product_of_experts", lambda m, v: (m.sum(0), v)).message
    assert "should have shape (2,)" in both


def test_an_unknown_exercise_is_refused():
    with pytest.raises(ValueError, match="'precision_at_k'"):
        exercises.check("precision", top_k)


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
    def kl_divergence(mean, log_var):
        # YOUR CODE HERE
        raise NotImplementedError()

    verdict = exercises.check("kl_divergence", kl_divergence)
    assert repr(verdict) == "kl_divergence: not attempted yet"


def test_a_wrong_axis_is_named_and_not_only_the_shape():
    message = exercises.check("pool_clip", lambda d: d.mean(2)).message
    assert message == "You pool over axis 2, the numbers of a frame. The frames are axis 1."
    assert "should have shape" in exercises.check("pool_clip", lambda d: d.mean(0)).message


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
        places = [cell.source for cell in notebook.cells if cell.id.startswith("solution-")]
        assert len(places) == len(names)
        assert all(map(str.__contains__, places, [EXERCISES[n].reasoning for n in names]))
        assert stored == {f"{name}: not attempted yet" for name in names}
