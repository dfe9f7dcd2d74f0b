"""Run every student copy untouched, and every instructor copy, to its end (make test-classroom).

Not collected by a plain ``pytest``: it takes minutes, two notebooks at a time.
"""

import make_classroom
import pytest
from nbclient import NotebookClient
from place_exercises import BOOK, pages

from vae_tutorial.exercises import EXERCISES


def verdicts(page: str, kind: str, folder) -> list[tuple[str, str]]:
    """Return the text and the points that the check of each exercise puts out."""
    notebook = make_classroom.copy_of(BOOK / f"{page}.ipynb", kind)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}})
    client.execute()
    graded = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade")]
    return [(c.outputs[0].text, c.outputs[1].data["text/plain"]) for c in graded]


@pytest.mark.parametrize("page", pages())
@pytest.mark.parametrize("kind", ["student", "instructor"])
def test_the_copy_runs_to_its_end(page, kind, tmp_path):
    found = verdicts(page, kind, tmp_path)
    wanted = []
    for name, exercise in EXERCISES.items():
        if exercise.page == page and kind == "student":
            wanted.append((f"{name}: not attempted yet\n", "0"))
        elif exercise.page == page:
            points = exercise.points
            wanted.append((f"{name}: right\n{exercise.why}\n", str(points)))
    assert found == wanted
