"""Reading a question about the earthquakes: plain English to the goals that have to be reached to answer it.

This is what stands in for a language model's understanding. It knows the grammar of such questions but not the
table: columns are called what the question calls them, and whoever runs the query finds out whether they exist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .vocabulary import (
    ADJECTIVES,
    COMPARED_MEASURES,
    LESS,
    MEASURES,
    MONTH_NAMES,
    MONTHS,
    MORE,
    NOT_PLACES,
    NUMBER_WORDS,
    SUPERLATIVES,
)


@dataclass(frozen=True)
class Condition:
    """``column operator value`` in SQL; ``column`` is the question's own word."""

    column: str
    operator: str
    value: str | float


@dataclass(frozen=True)
class Query:
    """Something to be read from the table.

    ``kind`` is ``count``, ``avg``, ``sum``, ``top`` (the rows with the highest ``measure``), ``bottom`` or ``groups``.
    """

    kind: str
    measure: str = ""
    conditions: tuple[Condition, ...] = ()
    group: str = ""
    limit: int = 1
    descending: bool = True


@dataclass(frozen=True)
class Lookup:
    """Something to be read in the notes; ``formula_of`` names the variables of the formula that is wanted there."""

    topic: str
    formula_of: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Calculation:
    """Something to be computed from what other goals found: ``energy``, ``difference`` or ``share``."""

    kind: str
    operands: tuple[Query | float, ...]
    formula: Lookup | None = None


Goal = Query | Lookup | Calculation

_NEW_CLAUSE = re.compile(r"[?;.]\s+|,?\s+and\s+(?=(?:how|what|which|why|where|when|who|explain)\b)", re.IGNORECASE)
_EXPLANATION = re.compile(r"^\s*(?:why|explain|how (?:is|are|do|does|can)|what (?:does|do) .* mean)\b", re.IGNORECASE)
_SIDES = re.compile(r"\b(?:than|compared (?:to|with)|versus|vs\.?|as)\b", re.IGNORECASE)
_SUBJECT = re.compile(r"\bof\s+(.*?)\s+(?:were|was|are|is|had|have|has|happened|struck|occurred)\b", re.IGNORECASE)
_NUMBER = r"(-?\d+(?:\.\d+)?)"
_AFTER = rf"\b(?P<word>{'|'.join([*MORE, *LESS])})\s+(?:a\s+)?(?:(?:magnitude|depth)\s+(?:of\s+)?)?{_NUMBER}"
_BEFORE = rf"{_NUMBER}\s*(?:km|kilomet\w+)?\s+(?:or|and)\s+(?P<word>more|above|over|up|\w+er|less|below|under)\b"
_BETWEEN = rf"\bbetween\s+{_NUMBER}\s*(?:km|kilomet\w+)?\s+and\s+{_NUMBER}"
_DAY = re.compile(
    rf"\b(?:({MONTHS})\w*\.?\s+(\d{{1,2}})|(\d{{1,2}})\w*\s+(?:of\s+)?({MONTHS})|\d{{4}}-(\d\d)-(\d\d))", re.IGNORECASE
)
_PLACE = re.compile(
    r"\b(in|near|around|off|struck|hit|for|at|or|and|compare|between)\s+(?:the\s+)?(?=((?:[\w.'-]+\s*){1,6}))",
    re.IGNORECASE,
)
_ONLY_BEFORE_CAPITALS = frozenset({"for", "at", "or", "and", "compare", "between"})


def understand(question: str) -> list[Goal]:
    """The goals that answer ``question``, in the order in which they can be reached."""
    goals: list[Goal] = []
    for clause in _NEW_CLAUSE.split(question):
        if clause.strip(" ?!.,"):
            goals.extend(goal for goal in _goals_of_clause(clause.strip()) if goal not in goals)
    return goals


def _goals_of_clause(clause: str) -> list[Goal]:
    lowered = clause.lower()
    if _EXPLANATION.match(clause):
        return [Lookup(clause)]
    if "energy" in lowered and re.search(r"\bhow (?:much|many)\b|\bratio\b|\bcompare", lowered):
        return _energy_goals(clause)
    if re.search(r"\b(?:share|percentage|percent|proportion|fraction)\b", lowered):
        return _share_goals(clause)
    sides = _SIDES.split(clause, maxsplit=1)
    if re.search(rf"\bhow much (?:{'|'.join(ADJECTIVES)})", lowered) and len(sides) == 2:
        return _difference_goals(sides)
    queries = _queries(clause)
    return [*queries] if queries else [Lookup(clause)]


def _energy_goals(clause: str) -> list[Goal]:
    operands = tuple(_magnitude_of(side) for side in _SIDES.split(clause, maxsplit=1))
    variables = frozenset({"M1", "M2"} if len(operands) == 2 else {"M"})
    topic = "ratio of the energy of two magnitudes" if len(operands) == 2 else "energy in joules of a magnitude"
    formula = Lookup(topic, variables)
    return [*(one for one in operands if isinstance(one, Query)), formula, Calculation("energy", operands, formula)]


def _magnitude_of(side: str) -> Query | float:
    literal = re.search(rf"\bmagnitude\s+(?:of\s+)?{_NUMBER}", side, re.IGNORECASE)
    if literal and not _superlative(side):
        return float(literal[1])
    kind = "avg" if re.search(r"\b(?:average|mean|typical)\b", side, re.IGNORECASE) else "top"
    if kind == "top" and (found := _superlative(side)):
        return Query(found[1], found[0], _conditions(side))
    return Query(kind, "magnitude", _conditions(side))


def _share_goals(clause: str) -> list[Goal]:
    subject = _SUBJECT.search(clause)
    part = Query("count", "", _conditions(clause))
    whole = Query("count", "", _conditions(subject[1]) if subject else ())
    if whole == part:
        whole = Query("count")
    return [part, whole, Calculation("share", (part, whole))]


def _difference_goals(sides: list[str]) -> list[Goal]:
    measure, direction = next(entry for word, entry in ADJECTIVES.items() if word in sides[0].lower())
    operands = []
    for side in sides:
        single = _superlative(side)
        conditions = _conditions(side)
        operands.append(Query(single[1], single[0], conditions) if single else Query("avg", measure, conditions))
    if direction == "bottom":
        operands.reverse()
    return [*operands, Calculation("difference", tuple(operands))]


def _queries(clause: str) -> list[Query]:
    query = _without_place(clause)
    if query is None:
        return []
    places = _places(clause)
    if len(places) < 2:
        return [query]
    rest = tuple(condition for condition in query.conditions if condition.column != "region")
    return [replace(query, conditions=(*rest, Condition("region", "=", place))) for place in places]


def _without_place(clause: str) -> Query | None:
    lowered = clause.lower()
    conditions = _conditions(clause)
    measure = next((name for word, name in MEASURES.items() if re.search(rf"\b{word}", lowered)), "")
    group = re.search(r"\b(?:which|what|per|by|each|every)\b[^,?]*?\b(region|place|area|country|state|day)", lowered)
    average = re.search(r"\b(?:average|mean|typical)\b", lowered)
    if group and re.search(r"\b(?:most|fewest|least|per|by|each|every|average|more)\b", lowered):
        column = "day" if group[1] == "day" else "region"
        descending = not re.search(r"\b(?:fewest|least)\b", lowered)
        everyone = re.search(r"\b(?:per|by|each|every)\b", lowered) is not None
        return Query("groups", measure if average else "", conditions, column, _limit(lowered, everyone), descending)
    if found := _superlative(clause):
        return Query(found[1], found[0], conditions, limit=_limit(lowered, False))
    if average:
        return Query("avg", measure or "magnitude", conditions)
    if re.search(r"\b(?:total|sum|altogether)\b", lowered) and measure == "felt":
        return Query("sum", measure, conditions)
    if re.search(r"\bhow many\b|\bnumber of\b|\bcount\b|\bmore earthquakes\b|\bany earthquakes\b", lowered):
        return Query("count", "", conditions)
    if conditions and re.search(r"\b(?:list|show|were|was|which|find)\b", lowered):
        return Query("top", measure or "magnitude", conditions, limit=_limit(lowered, True))
    return None


def _superlative(text: str) -> tuple[str, str] | None:
    for pattern, found in SUPERLATIVES.items():
        if re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE):
            return found
    return None


def _limit(lowered: str, several: bool) -> int:
    numbers = "|".join(NUMBER_WORDS)
    found = re.search(rf"\b(?:top|which|what|the|list|show)\s+(\d+|{numbers})\s+(?!km|or\b)[a-z]", lowered)
    if found is None:
        return 10 if several else 1
    return NUMBER_WORDS.get(found[1]) or max(1, min(int(found[1]), 50))


def _conditions(text: str) -> tuple[Condition, ...]:
    found = [*_number_conditions(text)]
    if (day := _day(text)) is not None:
        found.append(Condition("month and day", "=", day))
    were_felt = re.search(r"\bfelt\b(?!\s+reports)", text, re.IGNORECASE) and _superlative(text) is None
    if were_felt and not any(one.column == "felt" for one in found):
        found.append(Condition("felt", ">", 0.0))
    if len(places := _places(text)) == 1:
        found.append(Condition("region", "=", places[0]))
    return tuple(found)


def _number_conditions(text: str) -> list[Condition]:
    if between := re.search(_BETWEEN, text, re.IGNORECASE):
        measure = _measure_near(text, between)
        return [Condition(measure, ">=", float(between[1])), Condition(measure, "<=", float(between[2]))]
    conditions = []
    for match in re.finditer(_AFTER, text, re.IGNORECASE):
        word = " ".join(match["word"].lower().split())
        operator = MORE.get(word) or LESS[word]
        conditions.append(Condition(_measure_near(text, match), operator, float(match[2])))
    for match in re.finditer(_BEFORE, text, re.IGNORECASE):
        word = match["word"].lower()
        operator = "<=" if word in ("less", "below", "under") or COMPARED_MEASURES.get(word, "")[-1:] == "-" else ">="
        conditions.append(Condition(_measure_near(text, match), operator, float(match[1])))
    if not conditions and (match_of := re.search(rf"\bmagnitude\s+(?:of\s+)?{_NUMBER}", text, re.IGNORECASE)):
        size = float(match_of[1])
        return [Condition("magnitude", ">=", size), Condition("magnitude", "<", size + 1)]
    return conditions


def _measure_near(text: str, match: re.Match[str]) -> str:
    """Which measure a number belongs to: named in the match, told by its unit, or by the words before it."""
    inside = match[0].lower()
    for word, measure in COMPARED_MEASURES.items():
        if re.search(rf"\b{word}", inside):
            return measure.rstrip("+-")
    if re.match(r"\s*(?:km|kilomet)", text[match.end() :], re.IGNORECASE) or re.search(r"km|kilomet", inside):
        return "depth"
    if re.match(r"\s*(?:people|reports|persons)", text[match.end() :], re.IGNORECASE):
        return "felt"
    before = text[: match.start()].lower().split()[-4:]
    named = [measure for word in before for start, measure in MEASURES.items() if word.startswith(start)]
    return named[-1] if named else "magnitude"


def _day(text: str) -> str | None:
    found = _DAY.search(text)
    if found is None:
        return None
    if found[5]:
        return f"{found[5]}-{found[6]}"
    month = MONTHS.split("|").index((found[1] or found[4]).lower()) + 1
    return f"{month:02}-{int(found[2] or found[3]):02}"


def _places(text: str) -> list[str]:
    """Names that follow "in", "near" and the like, up to the first word that can't belong to one."""
    places: list[str] = []
    for match in _PLACE.finditer(text):
        words: list[str] = []
        for word in match[2].split():
            bare = word.strip(".,!?'")
            if not bare or (bare.lower() in NOT_PLACES and not (bare == "of" and words)):
                break
            if re.search(r"\d", bare) or bare.lower() in MONTH_NAMES:
                break
            # "in Taiwan release": a name in capitals goes on in capitals. Who writes "in taiwan" writes all of it so.
            if words and words[0][0].isupper() and not bare[0].isupper() and bare != "of":
                break
            words.append(bare)
        place = " ".join(words).removesuffix(" of")
        if place and place not in places and (place[0].isupper() or match[1].lower() not in _ONLY_BEFORE_CAPITALS):
            places.append(place)
    return places
