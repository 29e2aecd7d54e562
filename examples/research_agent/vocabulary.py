"""The words that ``question.py`` knows, and what they stand for."""

from __future__ import annotations

SUPERLATIVES = {
    r"strongest|biggest|largest|greatest|most (?:powerful|intense)": ("magnitude", "top"),
    r"(?:highest|maximum|top) magnitude": ("magnitude", "top"),
    r"weakest|smallest|(?:lowest|minimum) magnitude": ("magnitude", "bottom"),
    r"deepest|(?:greatest|maximum|highest) depth": ("depth", "top"),
    r"shallowest|(?:smallest|minimum|lowest) depth": ("depth", "bottom"),
    r"most (?:widely )?felt|most (?:felt )?reports|most reported": ("felt", "top"),
    r"northernmost|furthest north|most northern": ("latitude", "top"),
    r"southernmost|furthest south|most southern": ("latitude", "bottom"),
    r"easternmost|furthest east": ("longitude", "top"),
    r"westernmost|furthest west": ("longitude", "bottom"),
    r"latest|newest|most recent|last": ("time", "top"),
    r"earliest|oldest|first": ("time", "bottom"),
}
"""Pattern → the measure, and which end of it."""

ADJECTIVES = {
    "deeper": ("depth", "top"),
    "shallower": ("depth", "bottom"),
    "stronger": ("magnitude", "top"),
    "bigger": ("magnitude", "top"),
    "larger": ("magnitude", "top"),
    "weaker": ("magnitude", "bottom"),
    "smaller": ("magnitude", "bottom"),
}
"""Comparative → the measure, and which end of it comes first in "how much ... than"."""

MEASURES = {
    "magnitude": "magnitude",
    "strength": "magnitude",
    "strong": "magnitude",
    "depth": "depth",
    "deep": "depth",
    "report": "felt",
    "felt": "felt",
    "latitude": "latitude",
    "longitude": "longitude",
}
"""Beginning of a word → the measure."""

COMPARED_MEASURES = {
    "deeper": "depth+",
    "shallower": "depth-",
    "stronger": "magnitude+",
    "weaker": "magnitude-",
    "magnitude": "magnitude+",
    "depth": "depth+",
    "km": "depth+",
    "smaller": "magnitude-",
    "bigger": "magnitude+",
    "larger": "magnitude+",
}
"""Word beside a number → the measure, and whether it asks for more (+) or less (-)."""

MORE = {
    "deeper than": ">",
    "stronger than": ">",
    "larger than": ">",
    "bigger than": ">",
    "greater than": ">",
    "higher than": ">",
    "more than": ">",
    "above": ">",
    "over": ">",
    "exceeding": ">",
    "at least": ">=",
}
LESS = {
    "shallower than": "<",
    "weaker than": "<",
    "smaller than": "<",
    "lower than": "<",
    "less than": "<",
    "fewer than": "<",
    "below": "<",
    "under": "<",
    "at most": "<=",
    "up to": "<=",
}

NUMBER_WORDS = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
}

MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_LONG_MONTHS = "january|february|march|april|may|june|july|august|september|october|november|december"
MONTH_NAMES = frozenset(f"{MONTHS}|{_LONG_MONTHS}".split("|"))

_NOT_PLACES = """
a above after all and any are as at average be before below between by comparison compared data day days deeper
deepest depth did do does during each earthquake earthquakes energy every felt few fewest for from general had happen
happened has have how in is it joules kilometres km largest last least less magnitude magnitudes many mean more most
much near number of on one ones or order over people percent region regions reports shallower shallowest so stronger
strongest sum table than that the their them there these they this those time to total under up was week were what
when where which who whole why with world year
"""
NOT_PLACES = frozenset(_NOT_PLACES.split())
"""Words at which the name of a place ends."""
