"""Docstrings taken apart: what is said of each parameter in every style, and what is left as the description."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenttrace.capture.docstrings import MAX_DOCSTRING_CHARACTERS, parameter_descriptions, parse_docstring

GOOGLE = """Find flights.

    Searches all airlines.

    Args:
        origin (str): Where it
            begins.
        destination: Where it ends: an airport.
        options (dict[str, tuple[int, str]], optional): How, as
            one of:

            - fast: the shortest
              way
            - cheap

            Nothing else.
        *stops: Between the two.
        **extra (int): Whatever else.

    Returns:
        list: The flights.

    Example:
        Args:
            like: this
    """


def test_google_sections_are_read() -> None:
    """Types in brackets, wrapped lines, colons, lists, paragraphs and stars in the style of Google."""
    assert parameter_descriptions(GOOGLE) == {
        "origin": "Where it begins.",
        "destination": "Where it ends: an airport.",
        "options": "How, as one of:\n\n- fast: the shortest way\n- cheap\n\nNothing else.",
        "stops": "Between the two.",
        "extra": "Whatever else.",
    }


def test_the_description_keeps_what_is_not_about_parameters() -> None:
    """Summary, body and the sections about results and examples stay, as they were written."""
    description = parse_docstring(GOOGLE).description
    assert description == (
        "Find flights.\n\nSearches all airlines.\n\nReturns:\n    list: The flights.\n\n"
        "Example:\n    Args:\n        like: this"
    )


@pytest.mark.parametrize(
    "title", ["Args", "Arguments", "Parameters", "Params", "Keyword Args", "Keyword Arguments", "Other Parameters"]
)
def test_every_title_of_a_google_section_counts(title: str) -> None:
    """Sections about parameters go by several names."""
    parsed = parse_docstring(f"Do.\n\n{title}:\n  x: The x.\n")
    assert (parsed.description, parsed.parameters) == ("Do.", {"x": "The x."})


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("x: y", {"x": "y"}),
        ("x (int): y", {"x": "y"}),
        ("x(int): y", {"x": "y"}),
        ("x (Callable[[int], str], optional): y", {"x": "y"}),
        ("x (`Path`): see http://a/b", {"x": "see http://a/b"}),
        ("`x`: y", {"x": "y"}),
        ("**x** (int): y", {"x": "y"}),
        ("**x:** y", {"x": "y"}),
        (r"\*x: y", {"x": "y"}),
        (r"\**x: y", {"x": "y"}),
        ("- x: y", {"x": "y"}),
        ("* x (int): y", {"x": "y"}),
        ("x, z: y", {"x": "y", "z": "y"}),
        ("x -- y", {"x": "y"}),
        ("x - y", {"x": "y"}),
        ("größe: y", {"größe": "y"}),
        ("x:", {}),
        ("x", {}),
        ("None", {}),
        ("x (int: y", {}),
        ("see the manual: there", {}),
    ],
)
def test_forms_of_a_google_entry(entry: str, expected: dict[str, str]) -> None:
    """Markup around names, types with brackets, bullets and dashes; what is no entry is no parameter."""
    assert parameter_descriptions(f"Do.\n\nArgs:\n    {entry}\n") == expected


def test_bullets_between_plain_entries_belong_to_the_text() -> None:
    """A list that is not indented does not become parameters when the entries have no bullets."""
    text = "Do.\n\nArgs:\n    mode: One of:\n    - fast: now\n    - slow: later\n    x: The x.\n"
    assert parameter_descriptions(text) == {"mode": "One of:\n- fast: now\n- slow: later", "x": "The x."}


def test_a_docstring_that_begins_with_the_section() -> None:
    """Dedenting takes the indentation of the entries away; they are found all the same."""
    parsed = parse_docstring("""Args:
        x: The x.
        y: The y.
    """)
    assert (parsed.description, parsed.parameters) == ("", {"x": "The x.", "y": "The y."})


def test_a_line_that_looks_like_a_title_is_text() -> None:
    """Without entries under it, "Parameters:" is a line of the body."""
    parsed = parse_docstring("Do.\n\nParameters:\n\nare read elsewhere.")
    assert (parsed.description, parsed.parameters) == ("Do.\n\nParameters:\n\nare read elsewhere.", {})


def test_numpy_sections_are_read() -> None:
    """Underlined titles, types after a colon, several names, stars and paragraphs in the style of NumPy."""
    parsed = parse_docstring("""Fit a line.

    Parameters
    ----------
    x : array_like, shape (n,)
        The places,
        in order.

        Any unit.
    a, b : int
        Bounds.
    method : {'fast', 'slow'}, default: 'fast'
    *args
        More.
    **kwargs : dict
        Even more.

    Returns
    -------
    float
        The slope.

    Other Parameters
    ----------------
    seed : int, optional
        For chance.

    Notes
    -----
    None.
    """)
    assert parsed.parameters == {
        "x": "The places, in order.\n\nAny unit.",
        "a": "Bounds.",
        "b": "Bounds.",
        "args": "More.",
        "kwargs": "Even more.",
        "seed": "For chance.",
    }
    assert parsed.description == ("Fit a line.\n\nReturns\n-------\nfloat\n    The slope.\n\nNotes\n-----\nNone.")


def test_numpy_entries_may_be_indented_under_their_title() -> None:
    """A common slip: the entries stand deeper than the title; the body after them is no entry."""
    parsed = parse_docstring("Do.\n\nParameters\n----------\n    x : int\n        The x.\n\nThat is all.")
    assert (parsed.description, parsed.parameters) == ("Do.\n\nThat is all.", {"x": "The x."})


def test_rest_fields_are_read() -> None:
    """Fields with and without types, wrapped lines indented or not, and fields of other kinds left in place."""
    parsed = parse_docstring("""Open it.

    :param path: Where it is,
        :class:`Path` or text.
    :type path: str
    :param dict[str, int] options: How.

        In detail.
    :keyword mode: Read
    or write.
    :arg \\*rest: More.
    :returns: The file.
    :raises OSError: It cannot be opened.
    """)
    assert parsed.parameters == {
        "path": "Where it is, :class:`Path` or text.",
        "options": "How.\n\nIn detail.",
        "mode": "Read or write.",
        "rest": "More.",
    }
    assert parsed.description == "Open it.\n\n:returns: The file.\n:raises OSError: It cannot be opened."


def test_epydoc_fields_are_read() -> None:
    """The at sign counts for the colon."""
    parsed = parse_docstring("Do.\n\n@param x: The x.\n@type x: int\n@return: nothing")
    assert (parsed.description, parsed.parameters) == ("Do.\n\n@return: nothing", {"x": "The x."})


def test_text_after_the_fields_stays_in_the_description() -> None:
    """A paragraph or a section after a field does not belong to it."""
    parsed = parse_docstring("Do.\n\n:param x: The x.\n\nMore text.\n:param y: The y.\nReturns:\n    z")
    assert parsed.parameters == {"x": "The x.", "y": "The y."}
    assert parsed.description == "Do.\n\nMore text.\nReturns:\n    z"


def test_code_in_the_description_is_not_read() -> None:
    """What stands in a fence is text, whatever it looks like; code in an entry keeps its lines."""
    fenced = "Do.\n\n```\nArgs:\n    x: no\n:param y: no\n```"
    assert parse_docstring(fenced).parameters == {}
    assert parse_docstring(fenced).description == fenced
    code = "        >>> f(x=1)\n        ```\n        a\n          b\n        ```\n        End.\n"
    text = f"Do.\n\nArgs:\n    x: As in:\n{code}"
    assert parameter_descriptions(text) == {"x": "As in:\n>>> f(x=1)\n```\na\n  b\n```\nEnd."}


def test_attributes_describe_the_fields_of_a_class_only() -> None:
    """The section "Attributes" is about parameters where the caller says so."""
    text = "A point.\n\nAttributes:\n    x: Across."
    assert parse_docstring(text).parameters == {}
    assert parse_docstring(text, attributes=True).parameters == {"x": "Across."}


@pytest.mark.parametrize("docstring", [None, "", "   \n\t", 5, b"Args:\n x: y", object()])
def test_no_docstring_says_nothing(docstring: object) -> None:
    """None, nothing and things that are no text are read as an empty docstring."""
    parsed = parse_docstring(docstring)
    assert (parsed.description, parsed.parameters) == ("", {})


PIECES = st.sampled_from(
    [
        "Args:",
        "Parameters",
        "-----",
        "=====",
        ":param x:",
        ":type x y:",
        "@param",
        "x: y",
        "x (int): y",
        "a, b : int",
        "```",
        ">>> x",
        "Returns:",
        "Example:\n    ",
        "- a: b",
        "1. c",
        "",
        "    ",
        "\t",
        "(",
        "x",
        "*args",
        "Attributes:",
        "\u2028",
        "\r",
        ":",
    ]
)


@given(
    st.one_of(
        st.text(),
        st.lists(st.tuples(st.integers(0, 3), PIECES)).map(
            lambda lines: "\n".join("    " * indent + piece for indent, piece in lines)
        ),
    )
)
def test_any_text_can_be_read(text: str) -> None:
    """Whatever the docstring, reading it raises nothing, invents no empty names and never makes it longer."""
    parsed = parse_docstring(text, attributes=True)
    assert all(name and description for name, description in parsed.parameters.items())
    assert len(parsed.description) <= len(text.expandtabs())
    assert parameter_descriptions(text).keys() <= parsed.parameters.keys()


@pytest.mark.parametrize(
    "unit",
    [
        "Args:\n",
        "Args:\n x: y\n",
        ":param" + " " * 50,
        "x, " * 20,
        "(" * 50,
        "\n",
        "Parameters\n---\n",
        "*`",
        " ",
        "\t",
        "```\n",
        "- ",
    ],
)
def test_a_huge_docstring_is_read_in_bounded_time(unit: str) -> None:
    """A megabyte of what regular expressions stumble over ends at once (the test would hang otherwise)."""
    text = "Args:\n  x" + unit * (1_000_000 // len(unit))
    parsed = parse_docstring(text)
    assert len(parsed.description) <= 8 * MAX_DOCSTRING_CHARACTERS
