"""The examples of docs/python.md and of the docstrings print what stands there."""
import contextlib
import doctest
import io
import os
import re

import pytest

import fitrelu
import fitrelu._fit
import fitrelu._pieces
import fitrelu._regressor

PAGE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "python.md")


@pytest.fixture(scope="module")
def page():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


def test_the_first_example_of_the_page(page):
    code, printed = re.search(r"```python\n(.*?)```\n\nprints\n\n```text\n(.*?)```", page, re.S).groups()
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(code, {})
    assert out.getvalue() == printed


def test_the_sessions_of_the_page(page):
    session = "".join(re.findall(r"```python\n(>>> .*?)```", page, re.S))
    assert session
    test = doctest.DocTestParser().get_doctest(session, {}, "python.md", None, None)
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize("module", [fitrelu, fitrelu._fit, fitrelu._pieces, fitrelu._regressor])
def test_docstrings(module):
    assert doctest.testmod(module).failed == 0
