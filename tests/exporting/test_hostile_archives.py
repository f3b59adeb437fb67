"""A pt2 file from somebody else: what PyTorch would run of it is not run."""

import contextlib
import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from commands import ablate
from PIL import Image

from ablation.errors import InputError
from ablation.exporting import open_model

GRAPH = "archive/models/model.json"
WEIGHTS = "archive/data/weights/model_weights_config.json"
CONSTANTS = "archive/data/constants/model_constants_config.json"
INPUTS = "archive/data/sample_inputs/model.pt"


class Runs:
    """Makes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return Path.touch, (self.file,)


Alter = Callable[[dict[str, bytes], Path], None]


def edited(members: dict[str, bytes], name: str, edit: Callable[[dict], None]) -> None:
    value = json.loads(members[name])
    edit(value)
    members[name] = json.dumps(value).encode()


def pickled_weight(members: dict[str, bytes], mark: Path) -> None:
    def edit(table: dict) -> None:
        table["config"]["net.classifier.3.bias"]["use_pickle"] = True

    edited(members, WEIGHTS, edit)
    name = json.loads(members[WEIGHTS])["config"]["net.classifier.3.bias"]["path_name"]
    members[f"archive/data/weights/{name}"] = saved(mark)


def pickled_constant(members: dict[str, bytes], mark: Path) -> None:
    members["archive/data/constants/opaque_obj_0"] = pickle.dumps(Runs(mark))

    def edit(table: dict) -> None:
        table["config"]["lifted_tensor_0"] |= {"path_name": "opaque_obj_0", "use_pickle": True}

    edited(members, CONSTANTS, edit)


def legacy_weights(members: dict[str, bytes], mark: Path) -> None:
    members["archive/data/weights/model.pt"] = saved(mark)


def expression_of_a_size(members: dict[str, bytes], mark: Path) -> None:
    code = f"__import__('pathlib').Path({str(mark)!r}).touch() or 2"
    members[GRAPH] = members[GRAPH].replace(
        json.dumps(
            json.loads(members[GRAPH])["graph_module"]["graph"]["tensor_values"]["softmax"]["sizes"][0]
        ).encode(),
        json.dumps({"as_expr": {"expr_str": code, "hint": {"as_int": 2}}}).encode(),
    )


def function_by_name(members: dict[str, bytes], mark: Path) -> None:
    def edit(graph: dict) -> None:
        graph["graph_module"]["graph"]["nodes"][-1]["target"] = "torch.os.system"

    edited(members, GRAPH, edit)


def name_of_an_argument(members: dict[str, bytes], mark: Path) -> None:
    def edit(graph: dict) -> None:
        argument = graph["graph_module"]["graph"]["nodes"][0]["inputs"][-1]
        argument["name"] = f"layout=__import__('pathlib').Path({str(mark)!r}).touch(), x"

    edited(members, GRAPH, edit)


def compiled_library(members: dict[str, bytes], mark: Path) -> None:
    members["archive/data/aotinductor/model/model.so"] = b"\x7fELF"


ALTERATIONS: list[Alter] = [
    pickled_weight,
    pickled_constant,
    legacy_weights,
    expression_of_a_size,
    function_by_name,
    name_of_an_argument,
    compiled_library,
]


def saved(mark: Path) -> bytes:
    """As `torch.save` pickles."""
    content = io.BytesIO()
    torch.save(Runs(mark), content)
    return content.getvalue()


def altered(model: Path, to: Path, alter: Alter, mark: Path) -> Path:
    with zipfile.ZipFile(model) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    before = dict(members)
    alter(members, mark)
    assert members != before
    with zipfile.ZipFile(to, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return to


@pytest.mark.parametrize("alter", ALTERATIONS, ids=lambda alter: alter.__name__)
def test_what_could_run_code_is_refused(alter: Alter, models, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    file = altered(models("pt2"), tmp_path / "model.pt2", alter, mark)
    with pytest.raises(InputError, match="PyTorch could run code of it"):
        open_model(file)
    assert not mark.exists()


@pytest.mark.parametrize(
    "alter", [pickled_weight, pickled_constant, expression_of_a_size], ids=lambda one: one.__name__
)
def test_pytorch_itself_would_run_it(alter: Alter, models, tmp_path: Path) -> None:
    """Else the test above would prove nothing. Once this fails, less may have to be refused."""
    mark = tmp_path / "ran"
    file = altered(models("pt2"), tmp_path / "model.pt2", alter, mark)
    with contextlib.suppress(Exception):  # by then it has run
        torch.export.load(file)
    assert mark.exists()


def test_pickled_example_inputs_are_never_read(models, tmp_path: Path) -> None:
    mark = tmp_path / "ran"

    def alter(members: dict[str, bytes], mark: Path) -> None:
        members[INPUTS] = saved(mark)

    file = altered(models("pt2"), tmp_path / "model.pt2", alter, mark)
    Image.new("L", (8, 8)).save(tmp_path / "black.png")
    assert ablate("predict", str(file), "black.png", cwd=tmp_path).returncode == 0
    assert not mark.exists()


def test_two_members_of_one_name_are_refused(models, tmp_path: Path) -> None:
    """Readers differ in which of them they take."""
    with zipfile.ZipFile(models("pt2")) as archive, zipfile.ZipFile(tmp_path / "model.pt2", "w") as twice:
        for name in archive.namelist():
            twice.writestr(name, archive.read(name))
        with pytest.warns(UserWarning, match="Duplicate name"):
            twice.writestr(GRAPH, archive.read(GRAPH))
    with pytest.raises(InputError, match="two members of one name"):
        open_model(tmp_path / "model.pt2")
