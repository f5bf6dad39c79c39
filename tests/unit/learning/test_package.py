from __future__ import annotations

import shutil
import sys

import pandas as pd
import pytest
from builders import package

from mlops_mlflow.core.errors import CandidateError
from mlops_mlflow.learning.package import build_package

TABLE = pd.DataFrame({"x": [1.0, 2.0]})


def adds(number: int) -> str:
    return f"def derive(table):\n    return table.assign(y=table['x'] + {number})\n"


def test_two_features_modules_live_in_one_process_each_with_its_own_behaviour(tmp_path):
    one, two = package(tmp_path, adds(1)), package(tmp_path, adds(10))
    assert one.features.derive(TABLE)["y"].tolist() == [2, 3]
    assert two.features.derive(TABLE)["y"].tolist() == [11, 12]
    assert one.name != two.name
    assert one.features.derive(TABLE)["y"].tolist() == [2, 3]


def test_modules_of_a_use_case_import_each_other_relatively(tmp_path):
    imports = "from .rates import rate\nfrom . import names\n"
    features = imports + "def derive(t):\n    return t.assign(**{names.NEW: t.x * rate()})\n"
    made = package(tmp_path, features, rates="def rate():\n    return 3\n", names="NEW = 'priced'\n")
    assert made.features.derive(TABLE)["priced"].tolist() == [3, 6]


def test_siblings_of_another_version_do_not_leak(tmp_path):
    features = "from .rates import rate\ndef derive(t):\n    return t * rate()\n"
    old = package(tmp_path, features, rates="def rate():\n    return 3\n")
    new = package(tmp_path, features, rates="def rate():\n    return 5\n")
    assert old.features.derive(TABLE).x.tolist() == [3, 6]
    assert new.features.derive(TABLE).x.tolist() == [5, 10]


def test_same_content_has_the_same_name_and_is_loaded_once(tmp_path):
    one, two = package(tmp_path, adds(2)), package(tmp_path, adds(2))
    assert one.name == two.name
    assert one.features is two.features


def test_the_order_of_modules_does_not_change_the_name(tmp_path):
    names = [
        build_package("u", dict(modules), None, tmp_path).name
        for modules in ([("a.py", "A = 1"), ("b.py", "B = 1")], [("b.py", "B = 1"), ("a.py", "A = 1")])
    ]
    assert names[0] == names[1]


def test_a_name_tells_files_and_their_text_apart(tmp_path):
    texts = [{"a.py": "", "b.py": "X = 1"}, {"a.py": "X = 1", "b.py": ""}, {"a.py": "X = 1"}]
    assert len({build_package("u", text, None, tmp_path).name for text in texts}) == 3


def test_the_name_can_be_imported_whatever_the_use_case_is_called(tmp_path):
    assert build_package("Flight-Delays", {}, None, tmp_path).name.rpartition("_")[0] == "flight_delays_code"
    assert build_package("Flight-Delays", {}, None, tmp_path).name.isidentifier()


def test_the_same_package_from_another_folder_works_after_the_first_is_gone(tmp_path):
    features = "def derive(t):\n    from .late import shift\n    return shift(t)\n"
    late = "def shift(t):\n    return t + 1\n"
    first = package(tmp_path / "one", features, late=late)
    shutil.rmtree(tmp_path / "one")
    second = package(tmp_path / "two", features, late=late)
    assert second.folder.is_relative_to(tmp_path / "two")
    assert second.features.derive(TABLE).x.tolist() == [2, 3]
    assert first.features.derive(TABLE).x.tolist() == [2, 3]
    assert sys.modules[second.name] is second.module


def test_the_package_holds_the_conversions_and_its_own_names(tmp_path):
    made = package(tmp_path, adds(3))
    assert made.columns.__name__ == f"{made.name}._columns"
    assert made.features.derive.__module__ == f"{made.name}.features"
    assert sorted(file.name for file in made.folder.glob("*.py")) == ["__init__.py", "_columns.py", "features.py"]


def test_a_use_case_without_features_has_a_package_too(tmp_path):
    made = package(tmp_path)
    assert made.features is None
    assert made.columns.as_numbers(TABLE).x.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("x = 1\ndef derive(:\n    pass\n", "features.py:2", "SyntaxError"),
        ("x = 1\n\nraise KeyError('no')\n", "features.py:3", "KeyError"),
        ("import nothing_of_the_sort\n", "features.py:1", "ModuleNotFoundError"),
        ("import json\nx = 1\nx = 2\njson.loads('\\n\\n{')\n", "features.py:4", "JSONDecodeError"),
    ],
)
def test_code_that_cannot_be_imported_is_told_with_file_and_line(tmp_path, text, place, what):
    with pytest.raises(CandidateError, match=f"features.py cannot be imported: {what}") as caught:
        package(tmp_path, text)
    assert f"{caught.value.place.file}:{caught.value.place.line}" == place


@pytest.mark.parametrize("text", ["x = (\n", "x = 1\ny = undefined\n"])
def test_a_mistake_in_a_module_beside_it_is_told_of_that_module(tmp_path, text):
    with pytest.raises(CandidateError) as caught:
        package(tmp_path, "\n\nfrom . import other\n", other=text)
    assert caught.value.place.file == "other.py"
    assert caught.value.place.line == (1 if "(" in text else 2)


def test_a_failed_import_can_be_mended_and_tried_again(tmp_path):
    with pytest.raises(CandidateError):
        package(tmp_path, "from . import gone\n" + adds(4))
    assert package(tmp_path, "from . import gone\n" + adds(4), gone="").features is not None


def test_the_same_text_is_tried_anew_after_it_failed(tmp_path, monkeypatch):
    features = "import os\nos.environ['A_SETTING_OF_THE_MODEL']\n" + adds(5)
    with pytest.raises(CandidateError, match="KeyError"):
        package(tmp_path, features)
    monkeypatch.setenv("A_SETTING_OF_THE_MODEL", "1")
    assert package(tmp_path, features).features.derive(TABLE)["y"].tolist() == [6, 7]


def test_a_module_without_a_hook_is_refused_with_what_it_holds(tmp_path):
    with pytest.raises(CandidateError, match="holds none of the functions") as caught:
        package(tmp_path, "def derived(table):\n    return table\n")
    assert caught.value.got == "derived"


def test_a_module_may_not_take_the_name_of_the_conversions(tmp_path):
    with pytest.raises(CandidateError, match=r"_columns\.py"):
        build_package("u", {"_columns.py": "X = 1"}, None, tmp_path)
