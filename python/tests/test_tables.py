"""Rows of other libraries: tables by Arrow's stream, arrays by DLPack and by __array_interface__."""
import subprocess
import sys

import numpy as np
import pytest

import fitrelu
from fitrelu import _arrays

X = np.random.default_rng(3).normal(size=(301, 3))
Y = np.maximum(0, X @ [1.0, -2.0, 3.0])
NAMES = ["a", "b", "c"]


def pandas_table():
    return pytest.importorskip("pandas").DataFrame(X, columns=NAMES)


def pandas_with_an_index():
    return pandas_table().set_index(np.arange(301)[::-1] * 7)


def polars_table():
    return pytest.importorskip("polars").DataFrame({name: X[:, j] for j, name in enumerate(NAMES)})


def pyarrow_table():
    pyarrow = pytest.importorskip("pyarrow")
    whole = pyarrow.table({name: X[:, j] for j, name in enumerate(NAMES)})
    return pyarrow.concat_tables([whole.slice(0, 100), whole.slice(100, 1), whole.slice(101)])


@pytest.mark.parametrize("table", [pandas_table, pandas_with_an_index, polars_table, pyarrow_table])
def test_a_table_is_its_rows(table):
    made = table()
    rows = _arrays.as_rows(made)
    np.testing.assert_array_equal(rows.values, X)
    assert rows.names == NAMES
    found = fitrelu.fit(made, Y)
    np.testing.assert_array_equal(found.coef, fitrelu.fit(X, Y).coef)
    assert found.result["model"]["names"] == NAMES
    np.testing.assert_array_equal(found.predict(made), found.predict(X))
    single = _arrays.as_rows(made, "f32")
    np.testing.assert_array_equal(single.values, X.astype(np.float32))


@pytest.mark.parametrize("kind", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float16", "float32",
                                  "float64", "bool"])
def test_every_number_of_arrow(kind):
    pyarrow = pytest.importorskip("pyarrow")
    values = np.array([0, 1, 0, 2, 3] * 5).astype(kind)
    if kind == "float16":
        values[:6] = np.array([6e-8, -0.1, 65504, 1 / 3, -5.96e-8, 1e-5]).astype(kind)
    table = pyarrow.table({"a": pyarrow.array(values), "b": pyarrow.array(values[::-1].copy())}).slice(3)
    rows = _arrays.as_rows(table)
    np.testing.assert_array_equal(rows.values, np.stack([values, values[::-1]], 1)[3:].astype(rows.values.dtype))
    assert rows.values.dtype == (np.float32 if kind == "float32" else np.float64)


def test_columns_that_are_no_numbers_are_named():
    pyarrow = pytest.importorskip("pyarrow")
    with pytest.raises(fitrelu.DataError, match='column "b" holds no numbers'):
        fitrelu.fit(pyarrow.table({"a": [1.0, 2.0], "b": ["x", "y"]}), [1, 2])
    with pytest.raises(fitrelu.DataError, match='column "b" holds no numbers'):
        fitrelu.fit(pyarrow.table({"a": [1.0, 2.0], "b": pyarrow.array(["x", "y"]).dictionary_encode()}), [1, 2])
    with pytest.raises(fitrelu.DataError, match='column "a" has no value in row 2'):
        table = pyarrow.table({"a": [1.0, 2.0, None, 4.0]})
        fitrelu.fit(pyarrow.concat_tables([table.slice(0, 1), table.slice(1)]), [1, 2, 3, 4])


def test_labels_and_weights_of_tables():
    table = pandas_table()
    labels = pytest.importorskip("polars").Series(Y)
    found = fitrelu.fit(table, labels, sample_weight=table["a"].abs())
    np.testing.assert_array_equal(found.coef, fitrelu.fit(X, Y, sample_weight=np.abs(X[:, 0])).coef)


def test_many_batches_and_columns():
    pyarrow = pytest.importorskip("pyarrow")
    values = np.random.default_rng(0).normal(size=(1000, 70))
    batches = [pyarrow.record_batch({str(j): values[i:i + 37, j] for j in range(70)}) for i in range(0, 1000, 37)]
    np.testing.assert_array_equal(_arrays.as_rows(pyarrow.Table.from_batches(batches)).values, values)


class ByInterface:
    """An array of an unknown library."""

    def __init__(self, array):
        self.kept, self.__array_interface__ = array, array.__array_interface__


class ByDLPack:
    def __init__(self, array):
        self.kept = array

    def __dlpack__(self, **how):
        return self.kept.__dlpack__(**how)

    def __dlpack_device__(self):
        return self.kept.__dlpack_device__()


@pytest.mark.parametrize("wrap", [ByInterface, ByDLPack])
def test_arrays_of_others_are_borrowed(wrap):
    array = np.asarray(X, order="C")
    assert np.shares_memory(_arrays.as_rows(wrap(array)).values, array)
    found = fitrelu.fit(wrap(array), Y, condition=False)
    assert found.borrowed
    np.testing.assert_array_equal(found.coef, fitrelu.fit(X, Y, condition=False).coef)


def test_tensors_of_torch_are_borrowed():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(X, dtype=torch.float32)
    assert _arrays.as_rows(tensor).values.ctypes.data == tensor.data_ptr()
    assert fitrelu.fit(tensor, torch.tensor(Y), condition=False).borrowed


def test_nothing_but_numpy_and_cffi_is_needed():
    hidden = "pandas polars pyarrow sklearn scipy torch mpi4py tqdm".split()
    code = f"import sys; sys.modules.update(dict.fromkeys({hidden}))\nimport numpy as np, fitrelu\n" \
           "X = np.random.default_rng(0).normal(size=(50, 2))\nprint(fitrelu.fit(X, np.maximum(0, X[:, 0])).status)\n"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout == "iterations\n", ran.stderr
