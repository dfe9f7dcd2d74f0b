"""Count the faults that the tests would miss: change the library in small ways and run the tests.

    python tools/mutants.py metrics --count 40 --seed 0

A mutant is a module with one small change: a comparison flipped, an operator swapped, a number one
larger, a condition negated, a statement removed. It is killed if a test fails or does not end.
Survivors are printed; each is a hole in the tests, or makes no difference that a reader could see.
Those of the second kind stand in equivalent_mutants.toml, with the reason, and do not count.

Mutants live in a temporary copy of the project. Each is tested in a process forked from one that
has in memory what the tests import, such as TensorFlow, but none of our code. The tests that are
known to run the changed line come first, the quickest of them at the start, and property tests
with few examples; only what survives that meets all of them. Modules that have their tests in
common share the run of the unchanged code, which finds out what runs which line.

Neither of the usual tools does this: mutmut wraps every function in another one, which changes what
TensorFlow compiles and what show_source shows, and it takes no random sample of a module's mutants;
cosmic-ray changes the files of the working tree and imports TensorFlow anew for every mutant.
"""

import argparse
import ast
import importlib.util
import json
import os
import platform
import random
import shutil
import signal
import sys
import tempfile
import time
import tomllib
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KNOWN = Path(__file__).with_name("equivalent_mutants.toml")
SECONDS = "processor time for a mutant, beyond twice that of the unchanged tests (10)"
# Examples of a property that are tried at first, and how much longer all of them may take.
FEW, ALL_EXAMPLES = 15, 5
# Each module of the library, and the files of tests/ that should notice what goes wrong in it.
TESTS = {
    "_checks": ["checks"],
    "_dataset": ["datasets"],
    "_drawn": ["plotting"],
    "_exact": ["retrieval"],
    "_index_file": ["retrieval"],
    "_pictures": ["folders"],
    "_rankings": ["metrics", "comparison", "retrieval"],
    "baselines": ["baselines"],
    "comparison": ["comparison"],
    "datasets": ["datasets"],
    "features": ["features"],
    "folders": ["folders"],
    "matching": ["metrics"],
    "metrics": ["metrics"],
    "models/_data": ["data_of_models", "models"],
    "models/base": ["models", "data_of_models", "settings", "distribution"],
    "models/binary": ["models"],
    "models/bundled": ["pretrained"],
    "models/networks": ["models"],
    "models/targets": ["targets"],
    "models/vae": ["models", "data_of_models", "targets"],
    "models/views": ["views", "training", "models"],
    "multimodal": ["multimodal", "data_of_models"],
    "neighbours": ["neighbours", "retrieval"],
    "notebook": ["notebook_helpers"],
    "objectives": ["objectives"],
    "plotting": ["plotting", "figures"],
    "precision": ["metrics"],
    "progress": ["progress", "notebook_helpers"],
    "retrieval": ["retrieval"],
    "training": ["training", "data_of_models"],
    "_words": ["words"],
    "exercises/__init__": ["exercises"],
    "exercises/__main__": ["marking"],
    "exercises/_cells": ["marking"],
    "exercises/_class": ["marking"],
    "exercises/_notebooks": ["marking"],
    "exercises/_process": ["marking"],
    "exercises/_relations": ["relations"],
    "exercises/_table": ["marking"],
    "exercises/_trial": ["exercises"],
}
# Tried when they are named only: these hold little logic, or start TensorFlow anew in every test.
OTHERS = {
    "__init__": ["package"],
    "_tensorflow": ["startup", "package"],
    "models/__init__": ["package"],
    "exercises/_background": ["exercises"],
    "exercises/_bank": ["exercises"],
    "exercises/_better_representations": ["exercises"],
    "exercises/_beyond_one_machine": ["exercises"],
    "exercises/_elbo": ["exercises"],
    "exercises/_encoder_decoder": ["exercises"],
    "exercises/_interpretability": ["exercises"],
    "exercises/_many_modalities": ["exercises"],
    "exercises/_retrieval": ["exercises"],
    "exercises/_richer_images": ["exercises"],
    "exercises/_training": ["exercises"],
}
ALL = TESTS | OTHERS
SWAPS = {
    ast.Lt: ("<", ["<=", ">="]),
    ast.LtE: ("<=", ["<", ">"]),
    ast.Gt: (">", [">=", "<="]),
    ast.GtE: (">=", [">", "<"]),
    ast.Eq: ("==", ["!="]),
    ast.NotEq: ("!=", ["=="]),
    ast.Is: ("is", ["is not"]),
    ast.IsNot: ("is not", ["is"]),
    ast.In: ("in", ["not in"]),
    ast.NotIn: ("not in", ["in"]),
    ast.And: ("and", ["or"]),
    ast.Or: ("or", ["and"]),
    ast.Add: ("+", ["-"]),
    ast.Sub: ("-", ["+"]),
    ast.Mult: ("*", ["/"]),
    ast.Div: ("/", ["*"]),
    ast.FloorDiv: ("//", ["/"]),
    ast.Mod: ("%", ["*"]),
    ast.Pow: ("**", ["*"]),
    ast.BitOr: ("|", ["&"]),
    ast.BitAnd: ("&", ["|"]),
}


# -- Making mutants -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """One change: the lines it touches, as they were and as they are, and the whole new source."""

    line: int
    last: int
    before: str
    after: str
    source: str


class Changes(ast.NodeVisitor):
    """Collects (start, end, text) for every change that can be made to a source."""

    def __init__(self, source: str):
        self.data = source.encode()
        self.starts = [0]
        for line in self.data.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.found = []
        self.visit(ast.parse(source))

    def start(self, node) -> int:
        return self.starts[node.lineno - 1] + node.col_offset

    def end(self, node) -> int:
        return self.starts[node.end_lineno - 1] + node.end_col_offset

    def text(self, node) -> str:
        return self.data[self.start(node) : self.end(node)].decode()

    def replace(self, node, text: str) -> None:
        self.found.append((self.start(node), self.end(node), text))

    def swap(self, left, operator, right, suffix: str = "") -> None:
        """Write another operator between two operands."""
        symbol, others = SWAPS.get(type(operator), ("", []))
        start, end = self.end(left), self.start(right)
        gap = self.data[start:end].decode()
        for other in others:
            self.found.append((start, end, gap.replace(symbol + suffix, other + suffix, 1)))

    def visit(self, node) -> None:
        getattr(self, f"change_{type(node).__name__.lower()}", lambda node: None)(node)
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "type_comment"):
                continue
            for child in value if isinstance(value, list) else [value]:
                # Positions inside a formatted string are not to be relied on in Python 3.11.
                if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr):
                    self.visit(child)

    def change_compare(self, node) -> None:
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            self.swap(left, operator, right)

    def change_boolop(self, node) -> None:
        for left, right in zip(node.values, node.values[1:], strict=False):
            self.swap(left, node.op, right)

    def change_binop(self, node) -> None:
        self.swap(node.left, node.op, node.right)

    def change_augassign(self, node) -> None:
        self.swap(node.target, node.op, node.value, "=")
        self.replace(node, "pass")

    def change_unaryop(self, node) -> None:
        length = {ast.Not: 3, ast.USub: 1, ast.Invert: 1}.get(type(node.op))
        if length:
            self.found.append((self.start(node), self.start(node) + length, ""))

    def change_constant(self, node) -> None:
        if isinstance(node.value, bool):
            self.replace(node, str(not node.value))
        elif isinstance(node.value, (int, float)):
            self.replace(node, repr(node.value + 1))

    def change_if(self, node) -> None:
        # Other conditions have a change of their own already.
        if not isinstance(node.test, (ast.Compare, ast.UnaryOp, ast.BoolOp)):
            self.replace(node.test, f"not ({self.text(node.test)})")

    change_while = change_ifexp = change_if

    def change_comprehension(self, node) -> None:
        for test in node.ifs:
            self.replace(test, f"not ({self.text(test)})")

    def change_return(self, node) -> None:
        if node.value is not None and self.text(node.value) != "None":
            self.replace(node.value, "None")

    def change_expr(self, node) -> None:
        if not isinstance(node.value, ast.Constant):
            self.replace(node, "pass")

    def change_assign(self, node) -> None:
        # Without its first value a name is an error, which any test finds.
        names = {name.id for name in ast.walk(node.value) if isinstance(name, ast.Name)}
        again = any(isinstance(t, ast.Name) and t.id in names for t in node.targets)
        if again or any(isinstance(t, (ast.Attribute, ast.Subscript)) for t in node.targets):
            self.replace(node, "pass")

    def change_raise(self, node) -> None:
        self.replace(node, "pass")

    change_break = change_continue = change_delete = change_raise

    def change_arguments(self, node) -> None:
        for default in [*node.defaults, *node.kw_defaults]:
            if isinstance(default, ast.Constant) and isinstance(default.value, str):
                self.replace(default, repr(default.value + "x"))

    def change_call(self, node) -> None:
        if len(node.args) < 2 or any(isinstance(arg, ast.Starred) for arg in node.args[:2]):
            return
        one, two = node.args[:2]
        between = self.data[self.end(one) : self.start(two)].decode()
        swapped = self.text(two) + between + self.text(one)
        self.found.append((self.start(one), self.end(two), swapped))


def all_mutants(source: str) -> list[Mutant]:
    """Return every mutant of a source."""
    changes, mutants = Changes(source), []
    for start, end, text in sorted(set(changes.found)):
        data = changes.data
        changed = (data[:start] + text.encode() + data[end:]).decode()
        line, last = (data.count(b"\n", 0, place) + 1 for place in (start, end))
        after = changed.splitlines()[line - 1 : last + changed.count("\n") - source.count("\n")]
        before = source.splitlines()[line - 1 : last]
        one, two = (" ".join(" ".join(lines).split()) for lines in (before, after))
        mutants.append(Mutant(line, last, one, two, changed))
    return [mutant for mutant in mutants if mutant.before != mutant.after]


def choose(source: str, count: int, seed: str) -> list[Mutant]:
    mutants = all_mutants(source)
    return sorted(
        random.Random(seed).sample(mutants, min(count, len(mutants))), key=lambda m: m.line
    )


# -- Running tests --------------------------------------------------------------------------------


class Plugin:
    """Puts the named tests first, the quickest at the start; notes how long each one took.

    A ``few`` run leaves out all others, and tries few examples of each property.
    """

    def __init__(self, first=(), known=None, few=False):
        self.first, self.known, self.few, self.seconds = set(first), known or {}, few, {}

    def pytest_configure(self, config):
        with suppress(ImportError):
            from hypothesis import Phase, settings

            # A failure is enough; nobody needs the smallest example of it.
            options = {"phases": (Phase.explicit, Phase.generate)}
            options |= {"max_examples": FEW} if self.few else {}
            settings.register_profile("mutants", settings.default, **options)
            settings.load_profile("mutants")

    def pytest_collection_modifyitems(self, items):
        for item in items:
            item.rank = item.nodeid not in self.first, self.known.get(item.nodeid, 0)
        items.sort(key=lambda item: item.rank)
        known = [item for item in items if not item.rank[0]]
        if self.few and known:
            items[:] = known

    def pytest_runtest_logreport(self, report):
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0) + report.duration


def forked(work, copy: Path, limit: int | None = None) -> tuple[int, float]:
    """Run ``work`` in a process of its own; return its status and its processor time.

    ``limit`` is in seconds of processor time; ten times as long by the clock ends it too.
    """
    import resource  # not on Windows, where tests of this file are collected all the same

    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            os.setsid()
            os.chdir(copy)
            sys.path.insert(0, str(copy))
            os.environ["PYTHONPATH"] = str(copy)
            with (copy / "log").open("wb") as log:
                os.dup2(log.fileno(), 1)
                os.dup2(log.fileno(), 2)
            if limit:
                resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
                signal.alarm(10 * limit)
                sys.dont_write_bytecode = True
                os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
            code = int(work())
        finally:
            sys.stdout.flush()
            os._exit(code)
    _, status, usage = os.wait4(pid, 0)
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    return status, usage.ru_utime + usage.ru_stime


def unchanged(copy: Path, tests: list[str]) -> tuple[dict, float]:
    """Run the tests on the unchanged code: the seconds of each, and those of the processor."""

    def work():
        import pytest

        plugin = Plugin(few=True)
        cover = ["--cov=vae_tutorial", "--cov-config=/dev/null", "--cov-context=test"]
        code = pytest.main([*tests, "-q", "-p", "no:cacheprovider", *cover], [plugin])
        files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
        loaded = [name for name, path in files.items() if "site-packages" in (path or "")]
        text = json.dumps({"seconds": plugin.seconds, "loaded": loaded})
        (copy / "unchanged.json").write_text(text, encoding="utf-8")
        return code

    status, seconds = forked(work, copy)
    if status:
        sys.exit(f"{(copy / 'log').read_text()}\nthe tests fail without a mutant; mend them first")
    return json.loads((copy / "unchanged.json").read_text(encoding="utf-8")), seconds


def warm_up(modules: list[str]) -> None:
    """Import other packages' modules, in the order given, without what they print."""
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    for name in modules:
        with suppress(ImportError):
            importlib.import_module(name)
    os.dup2(saved, 2)
    os.close(saved)
    os.close(nowhere)


def tests_of_lines(copy: Path, file: Path) -> dict[int, set[str]]:
    """Return the names of the tests that run each line."""
    from coverage import CoverageData

    data = CoverageData(str(copy / ".coverage"))
    data.read()
    lines = data.contexts_by_lineno(str(file)).items()
    return {line: {name.rpartition("|")[0] for name in names} - {""} for line, names in lines}


def examine(modules: list[str], tests: list[str], given: argparse.Namespace):
    """Try mutants of modules that have their tests in common; print the survivors.

    Yields each module with its figures and the seconds that it took.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve() / "copy"
        skip = shutil.ignore_patterns(".*", "_build", "build", "__pycache__", "*.egg-info")
        shutil.copytree(given.root, copy, ignore=skip)
        files = {module: copy / "vae_tutorial" / f"{module}.py" for module in modules}
        examples = {module: str(file.relative_to(copy)) for module, file in files.items()}
        facts, seconds = unchanged(copy, [*tests, *examples.values()])
        warm_up(facts["loaded"])
        for module, file in files.items():
            own = [*tests, examples[module]]  # and the examples of its docstrings
            yield module, try_mutants(module, file, copy, own, facts, seconds, given), started
            started = time.monotonic()


def try_mutants(module, file: Path, copy: Path, tests, facts: dict, seconds, given) -> dict:
    """Return the figures of one module, whose file is as it was when this ends."""
    source = file.read_text(encoding="utf-8")
    covering = tests_of_lines(copy, file)
    Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
    equivalent = known_equivalent(module)
    result = {"mutants": 0, "killed": 0, "equivalent": 0, "survivors": []}
    chosen = choose(source, given.count, f"{given.seed} {module}")
    if given.survivors:
        stored = json.loads(given.output.read_text(encoding="utf-8"))["modules"][module]
        left = {said.split("  ", 1)[1] for said in stored["survivors"]}
        result = stored | {"mutants": stored["mutants"] - len(left), "survivors": []}
        chosen = [m for m in all_mutants(source) if f"{m.before}  ->  {m.after}" in left]
    for mutant in chosen:
        result["mutants"] += 1
        # Guards against a mistake of ours; without one it does nothing.
        unguarded = mutant.before.replace("strict=True", "strict=False") == mutant.after
        if unguarded or (mutant.before, mutant.after) in equivalent:
            result["equivalent"] += 1
            continue
        file.write_text(mutant.source, encoding="utf-8")
        lines = range(mutant.line, mutant.last + 1)
        names = set().union(*(covering.get(line, ()) for line in lines))
        said = f"vae_tutorial/{module}.py:{mutant.line}  {mutant.before}  ->  {mutant.after}"
        limits = [int(2 * times * seconds + given.seconds) for times in (1, ALL_EXAMPLES)]
        plugins = [Plugin(names, facts["seconds"], few) for few in (True, False)]
        if all(
            survives(copy, tests, plugin, limit, said)
            for plugin, limit in zip(plugins, limits, strict=True)
        ):
            print(said, flush=True)
            result["survivors"].append(said)
        else:
            result["killed"] += 1
    file.write_text(source, encoding="utf-8")
    return result


def survives(copy: Path, tests: list[str], plugin: Plugin, limit: int, said: str) -> bool:
    def work():
        import pytest

        return pytest.main([*tests, "-x", "-q", "-p", "no:cacheprovider"], [plugin])

    status = forked(work, copy, limit)[0]
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
        # It hangs; or the machine is so busy that the tests had no turn.
        print(f"ended by the clock: {said}", file=sys.stderr, flush=True)
    return status == 0


# -- What is known, and what is reported ----------------------------------------------------------


def known_equivalent(module: str) -> set[tuple[str, str]]:
    """Return the changes of a module that make no difference, as (before, after)."""
    if not KNOWN.is_file():
        return set()
    entries = tomllib.loads(KNOWN.read_text(encoding="utf-8")).get("equivalent", [])
    return {(entry["before"], entry["after"]) for entry in entries if entry["module"] == module}


def share(result: dict) -> float:
    """Return the killed part of the mutants that make a difference."""
    counted = result["mutants"] - result["equivalent"]
    return result["killed"] / counted if counted else 1.0


def versions() -> dict[str, str]:
    """Return those of Python and of what the tests depend on most, where it is installed."""
    found = {"python": platform.python_version()}
    for name in ("tensorflow", "keras", "numpy", "pytest"):
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def write(path: Path, results: dict, seed: int, count: int) -> None:
    """Write what was measured, and on what; the other modules keep what the file has of them."""
    known = json.loads(path.read_text(encoding="utf-8"))["modules"] if path.is_file() else {}
    about = {"seed": seed, "count": count, "versions": versions()}
    modules = known | {name: about | results[name] for name in results}
    content = {
        "command": f"python tools/mutants.py --output {path}",
        "modules": {name: modules[name] for name in [*ALL, *results] if name in modules},
    }
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("modules", nargs="*", help=f"default: {', '.join(TESTS)}")
    parser.add_argument("--count", type=int, default=40, help="mutants of a module (40)")
    parser.add_argument("--seed", type=int, default=0, help="which mutants (0)")
    parser.add_argument("--at-least", type=float, default=0.9, help="share to be killed (0.9)")
    parser.add_argument("--seconds", type=float, default=10, help=SECONDS)
    parser.add_argument("--output", type=Path, help="write the figures into this JSON file")
    parser.add_argument(
        "--survivors", action="store_true", help="try those alone that are in that file"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="of the project")
    parser.add_argument("--tests", nargs="+", help="test files in place of the module's own")
    given = parser.parse_args()
    if not hasattr(os, "fork"):
        parser.error("this needs a system that can fork a process: Linux or macOS")
    if given.survivors and not (given.output and given.output.is_file()):
        parser.error("--survivors needs a file of earlier figures as --output")
    if not given.tests and set(given.modules) - set(ALL):
        parser.error(f"no such module; one of {', '.join(ALL)}")
    return given


def main() -> None:
    given = arguments()
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = "1"
    groups, results = {}, {}
    for module in given.modules or TESTS:
        tests = given.tests or [f"tests/test_{name}.py" for name in ALL[module]]
        groups.setdefault(tuple(tests), []).append(module)
    for module, result, started in (
        found for tests, modules in groups.items() for found in examine(modules, tests, given)
    ):
        results[module] = result | {"share": round(share(result), 3)}
        numbers = {name: results[module][name] for name in ("mutants", "killed", "equivalent")}
        said = ", ".join(f"{value} {name}" for name, value in numbers.items())
        said += f", share {results[module]['share']:.1%}, {time.monotonic() - started:.0f} s"
        print(f"{module}: {said}", flush=True)
        if given.output:
            write(given.output, results, given.seed, given.count)
    weak = [module for module, result in results.items() if share(result) < given.at_least]
    if weak:
        sys.exit(f"below {given.at_least:.0%}: {', '.join(weak)}")


if __name__ == "__main__":
    main()
