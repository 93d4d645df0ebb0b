"""Images: the packages that were tested, one component's each; nobody's root; a linter's approval."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
IMAGES = ROOT / "infra" / "images"
COMPONENTS = ("features", "serving", "batch")
_PIN = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(_PIN.findall((ROOT / "requirements" / f"{name}.txt").read_text()))


def instructions(component: str) -> list[tuple[str, str]]:
    """Instructions of a Dockerfile with their arguments."""
    text = (IMAGES / f"{component}.Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def final_stage(component: str) -> list[tuple[str, str]]:
    every = instructions(component)
    last = max(number for number, (name, _) in enumerate(every) if name == "FROM")
    return every[last:]


@pytest.mark.parametrize("component", COMPONENTS)
def test_an_image_gets_the_versions_that_are_tested_and_each_by_its_hash(component: str) -> None:
    tested, own = pins("all"), pins(component)

    assert own
    assert own.items() <= tested.items()
    lock = (ROOT / "requirements" / f"{component}.txt").read_text()
    assert lock.count("--hash=sha256:") >= len(own)


def test_images_leave_out_the_engines_of_the_others() -> None:
    assert not {"torch", "pyspark", "ray"} & pins("features").keys()
    assert not {"apache-flink", "pyspark"} & pins("serving").keys()
    assert not {"apache-flink", "fastapi-cli"} & pins("batch").keys()


@pytest.mark.parametrize("component", COMPONENTS)
def test_what_runs_is_the_charts_user_and_holds_no_build_tool(component: str) -> None:
    values = yaml.safe_load((ROOT / "helm" / "values.yaml").read_text())
    stage = final_stage(component)
    run = " ".join(rest for name, rest in stage if name == "RUN")

    assert [rest for name, rest in stage if name == "USER"] == [str(values["podSecurity"]["userId"])]
    assert not re.search(r"\b(gcc|make|maven|pip|uv|git|curl)\b", run)
    assert {rest.split()[0] for name, rest in stage if name == "COPY"} == {"--from=build"}
    assert component in values["images"]


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_base_names_its_version(component: str) -> None:
    bases = [rest.partition("=")[2] for name, rest in instructions(component) if name == "ARG"]

    assert bases
    for base in bases:
        assert re.fullmatch(r"[a-z/]+:\d+\.\d+\.\d+(-[a-z0-9.-]+)?", base), base
    assert {rest.split()[0] for name, rest in instructions(component) if name == "FROM"} == {"${PYTHON}"}


def test_the_linter_finds_nothing() -> None:
    linter = Path(sys.executable).parent / "hadolint"
    files = [str(IMAGES / f"{component}.Dockerfile") for component in COMPONENTS]

    done = subprocess.run([str(linter), *files], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
