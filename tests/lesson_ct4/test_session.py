"""Opening a session: real with a board, emulated without, never one instead of the other."""

from __future__ import annotations

import contextlib
import json
import types
from typing import Any

import numpy as np
import pytest

from lesson_ct4.device.session import Session, open_session
from lesson_runner.model.errors import ExitCode, HardwareError, LessonError

pytestmark = pytest.mark.torch


def board() -> int:
    return 1


def no_board() -> int:
    return 0


class Modules:
    """Imports the given modules; an exception is raised."""

    def __init__(self, **modules: Any) -> None:
        self.modules = modules

    def __call__(self, name: str) -> Any:
        found = self.modules.get(name, ModuleNotFoundError(f"No module named {name!r}", name=name))
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture(scope="module")
def built() -> Modules:
    """The emulation, standing in for a tt-metal build."""
    import ttml_emulation

    ttml, ttnn = ttml_emulation.load(matmul="fp32-then-round")
    return Modules(ttml=ttml, ttnn=ttnn)


def test_without_a_board_a_session_is_emulated() -> None:
    with open_session(boards=no_board) as session:
        assert session.info["name"] == "emulated"
        assert session.labels == ("emulated",)


def test_a_session_says_what_decides_its_numbers() -> None:
    with open_session("emulated", matmul="fp32-then-round") as session:
        info = json.loads(json.dumps(session.info))

    assert info["numerics"] == "device"
    assert info["matmul"] == "fp32-then-round"
    assert info["mesh"] == [1, 1]
    assert {"device", "threads", "versions"} <= set(info)
    assert {"torch", "numpy"} <= set(info["versions"])


def test_float32_numerics_store_float32() -> None:
    with open_session("emulated", numerics="fp32") as session:
        tensor = session.causal_mask(32)

        assert session.info["numerics"] == "fp32"
        assert tensor.dtype() == session.ttnn.DataType.FLOAT32


def test_with_a_board_a_session_is_real(built: Modules) -> None:
    with open_session(boards=board, importer=built) as session:
        assert (session.info["name"], session.info["numerics"], session.labels) == ("ttml", "device", ())


def test_a_board_whose_ttml_does_not_import_is_no_emulated_run() -> None:
    broken = Modules(ttnn=types.ModuleType("ttnn"), ttml_emulation=None)

    with (
        pytest.raises(HardwareError, match="does not import") as caught,
        open_session(boards=board, importer=broken),
    ):
        pass

    assert "build_metal.sh --build-tt-train" in str(caught.value.fix)
    assert "lesson run ct4-finetuning-basics --only environment" in str(caught.value.fix)
    assert caught.value.exit_code == ExitCode.HARDWARE


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (RuntimeError("std::bad_cast"), "./build_metal.sh --clean && ./build_metal.sh --build-tt-train"),
        (ImportError("undefined symbol: _ZN2tt10DevicePool"), "pip uninstall ttnn"),
    ],
)
def test_known_import_faults_have_their_own_fix(error: Exception, fix: str) -> None:
    broken = Modules(ttnn=types.ModuleType("ttnn"), ttml=error)

    with pytest.raises(HardwareError) as caught, open_session(boards=board, importer=broken):
        pass

    assert fix in str(caught.value.fix)


def test_the_unrelated_package_of_the_same_name_is_recognised() -> None:
    tensor_train = types.ModuleType("ttml")
    tensor_train.__file__ = "site-packages/ttml/__init__.py"
    found = Modules(ttnn=types.ModuleType("ttnn"), ttml=tensor_train)

    with (
        pytest.raises(HardwareError, match="unrelated") as caught,
        open_session(boards=board, importer=found),
    ):
        pass

    assert str(caught.value.fix).startswith("pip uninstall ttml")


def test_asking_for_a_board_that_is_not_there_is_refused(
    built: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TT_METAL_SIMULATOR", raising=False)

    with pytest.raises(HardwareError, match="no Tenstorrent board"):
        open_session("ttml", boards=no_board, importer=built).__enter__()


@pytest.mark.parametrize("backend", ["auto", "ttml"])
def test_a_simulator_stands_in_for_a_board_and_says_so(
    backend: Any, built: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TT_METAL_SIMULATOR", "libttsim.so")

    with open_session(backend, boards=no_board, importer=built) as session:
        assert (session.info["name"], session.info["kind"]) == ("ttml", "simulator")
        assert session.labels == ("simulator",)


def test_a_mock_descriptor_is_refused_because_nothing_can_run_on_it(
    built: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TT_METAL_SIMULATOR", raising=False)
    monkeypatch.setenv("TT_METAL_MOCK_CLUSTER_DESC_PATH", "n300.yaml")

    for boards in (board, no_board):
        with pytest.raises(HardwareError, match="which cannot run anything") as caught:
            open_session("ttml", boards=boards, importer=built).__enter__()
        assert "unset TT_METAL_MOCK_CLUSTER_DESC_PATH" in str(caught.value.fix)
    with open_session("auto", boards=no_board) as session:  # the emulation needs no descriptor
        assert session.labels == ("emulated",)


def test_a_missing_pytorch_says_what_to_install() -> None:
    def load(**_: object) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    emulation = types.SimpleNamespace(load=load)

    with pytest.raises(LessonError, match="torch") as caught:
        open_session("emulated", importer=Modules(ttml_emulation=emulation)).__enter__()

    assert caught.value.fix == 'pip install "lesson-runner[cpu]"'
    assert caught.value.exit_code == ExitCode.FIXABLE


def test_a_board_has_no_float32_numerics(built: Modules) -> None:
    with pytest.raises(LessonError, match="--numerics fp32"):
        open_session("ttml", numerics="fp32", boards=board, importer=built).__enter__()


@pytest.mark.parametrize("backend", ["emulated", "auto"])
def test_the_emulation_has_as_many_chips_as_are_asked_for(backend: Any) -> None:
    with open_session(backend, mesh=(1, 2), boards=no_board) as session:
        assert session.info["mesh"] == [1, 2]
        assert session.labels == ("emulated",)


def test_a_mesh_is_a_row(built: Modules) -> None:
    with pytest.raises(LessonError, match="--mesh is 2x2"):
        open_session("ttml", mesh=(2, 2), boards=board, importer=built).__enter__()


def test_the_device_closes_after_an_error(built: Modules) -> None:
    def fail() -> None:
        with open_session("ttml", boards=board, importer=built):
            raise KeyError("mine")

    for _ in range(2):  # a device that is still open would refuse to open again
        with pytest.raises(KeyError, match="mine"):
            fail()


def test_a_device_in_use_says_how_to_free_it(built: Modules) -> None:
    with (
        open_session("ttml", boards=board, importer=built),
        pytest.raises(HardwareError, match="already has the device open") as caught,
    ):
        open_session("ttml", boards=board, importer=built).__enter__()

    assert "tt-smi -r" in str(caught.value.fix)


def test_values_come_back_as_they_went() -> None:
    ids = np.arange(64, dtype=np.uint32).reshape(2, 1, 1, 32)

    with open_session("emulated") as session:
        np.testing.assert_array_equal(session.read(session.ids(ids)), ids)
        np.testing.assert_array_equal(
            session.read_one(session.causal_mask(32))[0, 0], np.tril(np.ones((32, 32)))
        )


def test_no_graph_is_recorded_where_none_is_wanted() -> None:
    def mode(session: Session) -> str:
        return str(session.context.get_gradient_mode())

    with open_session("emulated") as session:
        before = mode(session)
        with contextlib.suppress(ZeroDivisionError), session.no_gradients():
            assert mode(session) != before
            raise ZeroDivisionError
        assert mode(session) == before


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(LessonError, match="--backend is 'gpu'"):
        open_session("gpu").__enter__()  # type: ignore[arg-type]  # what is tested
