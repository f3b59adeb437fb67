"""Rules of the source that ruff and mypy do not know: sizes, names, randomness, side effects."""

import ast
import re
import subprocess
from collections.abc import Callable, Iterator

import pytest
from source_tree import MODULES, PACKAGE, ROOT, Module

MOST_LINES, MOST_FUNCTION_LINES, MOST_PARAMETERS = 300, 40, 5

COMPONENTS = ("models", "augmentations", "preprocessing", "datasets", "optimizers", "schedules", "metrics")
COMMANDS = PACKAGE / "cli" / "commands"
OVERRIDES = {"redirect_request"}
"""Methods whose parameters a library decides."""

VAGUE = {"util", "utils", "helper", "helpers", "common", "base", "core", "misc", "manager", "wrapper", "handler"}
NOT_OURS = {"config", "experiment", "job", "task"}
"""The project's words are study, settings, trial: these would be second names for the same things."""

DRAWS = {"rand", "randn", "randint", "randperm", "bernoulli", "multinomial", "normal"}
GENERATORS = {"default_rng", "Generator", "SeedSequence", "PCG64"}
PURE = {
    "Path",
    "frozenset",
    "set",
    "tuple",
    "get_args",
    "re.compile",
    "multiprocessing.get_all_start_methods",
    "logging.getLogger",
    "typer.Option",
    "typer.Argument",
}
"""What a constant may be made with, beside classes: making one changes nothing outside of it."""

PRIVATE_BY_NAME_ONLY = {"os._exit"}
RUNS_TEXT = {"eval", "exec", "compile", "__import__", "execfile"}
RUNS_SHELL = {
    "system",
    "popen",
    "getoutput",
    "getstatusoutput",
    "create_subprocess_shell",
    "spawnl",
    "spawnv",
    "startfile",
}
SAFE_ONLY_WITH: dict[str, tuple[str, object]] = {
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "np.save": ("allow_pickle", False),
    "extractall": ("filter", "data"),
    "tar.extract": ("filter", "data"),
    "Environment": ("autoescape", True),
}
"""Calls by the end of their dotted names, and the keyword without which each runs or trusts what it is given."""

NEVER = {"read_pickle", "unsafe_load", "full_load", "load_all", "from_string", "create_unverified_context", "mktemp"}
UNSAFE_MODULES = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "cloudpickle",
    "joblib",
    "random",
    "xml",
    "telnetlib",
    "ftplib",
}
ALLOWED = [("sources.cifar_batches", {"pickle"}), ("training.generators", {"random"})]
"""The official batches of CIFAR-10 and CIFAR-100 are pickles: read there by an Unpickler that makes arrays alone."""

IMPORTERS = {"components", "sampling"}
"""The files that import what a study file names."""

Rule = Callable[[Module], Iterator[ast.AST]]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(module: Module) -> Iterator[Function]:
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def calls(module: Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the dotted name of what is called."""
    return ((ast.unparse(node.func), node) for node in ast.walk(module.tree) if isinstance(node, ast.Call))


def has_keyword(call: ast.Call, name: str, value: object = ...) -> bool:
    """Whether a keyword is given, and where a value is asked for, whether it is that constant."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return value is ... or (isinstance(keyword.value, ast.Constant) and keyword.value.value == value)
    return False


def long_functions(module: Module) -> Iterator[ast.AST]:
    for node in functions(module):
        if (node.end_lineno or node.lineno) - node.lineno >= MOST_FUNCTION_LINES:
            yield node


def functions_with_many_parameters(module: Module) -> Iterator[ast.AST]:
    """Choices of a component and options of a command are the schema of a file and of the command line: not counted."""
    for node in functions(module):
        named = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
        counted = len(named) - (named[:1] in (["self"], ["cls"]))
        if not (node.name == "build" and module.unit in COMPONENTS):
            counted += len(node.args.kwonlyargs)
        if counted > MOST_PARAMETERS and module.path.parent != COMMANDS and node.name not in OVERRIDES:
            yield node


def vague_names(module: Module) -> Iterator[ast.AST]:
    named: list[tuple[str, ast.AST]] = [(module.name, module.tree)]
    for node in ast.walk(module.tree):
        if isinstance(node, Function | ast.ClassDef):
            named.append((node.name, node))
        elif isinstance(node, ast.arg):
            named.append((node.arg, node))
    # In the one folder that knows MLflow, an experiment is MLflow's own thing.
    forbidden = (VAGUE | NOT_OURS) - ({"experiment"} if module.unit == "tracking" else set())
    for name, node in named:
        if words_of(name) & forbidden:
            yield node


def words_of(name: str) -> set[str]:
    """The words of a snake_case, CamelCase or dotted name, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)}


SEEDS = "training.generators"
"""The one module that seeds the global generators, which components of others may draw from, and puts them back."""


def global_draws(module: Module) -> Iterator[ast.AST]:
    """Random numbers that do not come from a generator of their own."""
    if module.name == SEEDS:
        return
    for name, call in calls(module):
        parent, _, last = name.rpartition(".")
        of_numpy = parent in {"np.random", "numpy.random"} and last not in GENERATORS
        of_torch = parent == "torch" and last in DRAWS and not has_keyword(call, "generator")
        seeding = last in {"manual_seed", "manual_seed_all", "seed_all"} and parent.startswith("torch")
        if of_numpy or of_torch or (seeding and parent != "torch.Generator()"):
            yield call


def swallowed_errors(module: Module) -> Iterator[ast.AST]:
    """Handlers that do nothing; what may be ignored is named in `contextlib.suppress`, and never every error."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and all(isinstance(each, ast.Pass | ast.Continue) for each in node.body):
            yield node
    for name, call in calls(module):
        if name.endswith("suppress") and {"Exception", "BaseException"} & {ast.unparse(each) for each in call.args}:
            yield call


def prints(module: Module) -> Iterator[ast.AST]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.Name) and node.id == "print")


def import_time_effects(module: Module) -> Iterator[ast.AST]:
    """At the top of a module stand imports, definitions and constants."""
    for node in module.tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom | Function | ast.ClassDef):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "__name__ == '__main__'"}:
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            yield node
        for each in ast.walk(node):
            if isinstance(each, ast.Call) and not makes_a_constant(ast.unparse(each.func)):
                yield each


def makes_a_constant(name: str) -> bool:
    return name in PURE or name.rpartition(".")[2].lstrip("_")[:1].isupper()


def private_names_of_others(module: Module) -> Iterator[ast.AST]:
    """`thing._name`, unless the module itself gives something that name."""
    own = {node.name for node in ast.walk(module.tree) if isinstance(node, Function | ast.ClassDef)}
    own |= {
        node.attr
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self"
    }
    own |= {
        node.target.id
        for node in ast.walk(module.tree)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute):
            if is_private(node.attr) and node.attr not in own and ast.unparse(node) not in PRIVATE_BY_NAME_ONLY:
                yield node
        elif isinstance(node, ast.ImportFrom):
            names = [*str(node.module).split("."), *(alias.name for alias in node.names)]
            if any(map(is_private, names)):
                yield node


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def dangerous_calls(module: Module) -> Iterator[ast.AST]:
    for name, call in calls(module):
        if is_dangerous(module, name, call):
            yield call
    for node in ast.walk(module.tree):
        # Also where it is not called but handed on: `map(eval, lines)`.
        if isinstance(node, ast.Name) and node.id in RUNS_TEXT:
            yield node
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            taken = {alias.name for alias in node.names} if isinstance(node, ast.ImportFrom) else set()
            unsafe = {name.partition(".")[0] for name in names} & UNSAFE_MODULES
            if (unsafe and (module.name, unsafe) not in ALLOWED) or taken & (RUNS_SHELL | NEVER | {"load", "loads"}):
                yield node


def is_dangerous(module: Module, name: str, call: ast.Call) -> bool:
    """Whether a call may run a text, a shell or a pickle, or import what somebody names."""
    last = name.rpartition(".")[2]
    for end, (keyword, value) in SAFE_ONLY_WITH.items():
        if (name == end or name.endswith(f".{end}")) and not has_keyword(call, keyword, value):
            return True
    if name.startswith("yaml.") and last in {"load", "parse", "compose", "scan"}:
        return not any(each.arg == "Loader" and ast.unparse(each.value) == "yaml.SafeLoader" for each in call.keywords)
    if last == "import_module":
        return module.unit not in IMPORTERS and not isinstance(call.args[0], ast.Constant)
    return (
        (last in RUNS_SHELL and name.partition(".")[0] in {"os", "subprocess", "asyncio"})
        or (last in NEVER)
        or any(has_keyword(call, keyword, True) for keyword in ("shell", "allow_pickle"))
    )


RULES: tuple[Rule, ...] = (
    long_functions,
    functions_with_many_parameters,
    vague_names,
    global_draws,
    swallowed_errors,
    prints,
    import_time_effects,
    private_names_of_others,
    dangerous_calls,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_has_no(rule: Rule) -> None:
    assert not [f"{module.at(node)}: {ast.unparse(node)[:80]}" for module in MODULES for node in rule(module)]


BREACHES = {
    long_functions: "def f():\n" + "    x = 1\n" * MOST_FUNCTION_LINES,
    functions_with_many_parameters: "def f(a, b, c, *, d, e, f): ...",
    vague_names: "class TrialManager: ...",
    global_draws: "import torch\ndef f(): return torch.rand(3)",
    swallowed_errors: "try:\n    x = 1\nexcept ValueError:\n    pass",
    prints: "def f(): print(1)",
    import_time_effects: "x = open('file')",
    private_names_of_others: "import optuna\ndef f(): return optuna._private",
    dangerous_calls: "import subprocess\nsubprocess.run('ls', shell=True)",
}
DANGERS = (
    "eval(x)",
    "exec(x)",
    "list(map(eval, x))",
    "compile(x, '', 'exec')",
    "__import__(x)",
    "import importlib\nimportlib.import_module(x)",
    "import os\nos.system(x)",
    "import os\nos.popen(x)",
    "from os import system",
    "import subprocess\nsubprocess.getoutput(x)",
    "import subprocess\nsubprocess.Popen(x, shell=True)",
    "import asyncio\nasyncio.create_subprocess_shell(x)",
    "import pickle",
    "from pickle import loads",
    "import xml.etree",
    "import torch\ntorch.load(x)",
    "import torch\ntorch.load(x, weights_only=False)",
    "from torch import load",
    "import numpy as np\nnp.load(x)",
    "import numpy as np\nnp.load(x, allow_pickle=True)",
    "import pandas as pd\npd.read_pickle(x)",
    "import yaml\nyaml.load(x, Loader=yaml.Loader)",
    "import yaml\nyaml.compose(x)",
    "import yaml\nyaml.unsafe_load(x)",
    "tar.extractall(x)",
    "tar.extractall(x, filter='fully_trusted')",
    "import jinja2\njinja2.Environment()",
    "environment.from_string(x)",
    "import ssl\nssl.create_unverified_context()",
)


@pytest.mark.parametrize("source", DANGERS)
def test_what_runs_code_or_trusts_data_is_found(source: str, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("source_tree.PACKAGE", tmp_path)
    (tmp_path / "wrong.py").write_text(source)
    assert list(dangerous_calls(Module(tmp_path / "wrong.py")))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_finds_what_it_forbids(rule: Rule, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("source_tree.PACKAGE", tmp_path)
    (tmp_path / "wrong.py").write_text(BREACHES[rule])
    assert list(rule(Module(tmp_path / "wrong.py")))


def test_files_are_short_enough_to_be_read_at_once() -> None:
    lengths = {str(module.path.relative_to(ROOT)): module.text.count("\n") for module in MODULES}
    assert not {name: length for name, length in lengths.items() if length > MOST_LINES}


def test_nothing_names_a_place_outside_the_project() -> None:
    """`.ci/run` alone may look beside the checkout."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: which files belong to the project is not known")
    outside = re.compile("|".join(map(re.escape, ("../" + "shared", "/" + "work/"))))
    paths = [ROOT / name for name in listed.stdout.splitlines() if name != ".ci/run"]
    texts = {path: path.read_text("utf-8", errors="ignore") for path in paths if path.is_file()}
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), 1)
        if outside.search(line)
    ]
    assert not found
