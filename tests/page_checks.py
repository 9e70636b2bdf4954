"""What every page has to keep to, read by html.parser: no browser is needed for it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import NamedTuple

EMPTY = {"br", "hr", "input", "link", "meta", "wbr", "col"}
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
HARMLESS_URL = re.compile(r"#|\./[^/]|data:image/svg\+xml,")
"""Where a page may lead to: itself, a file beside it, an icon that stands in it."""

OF_URLS = {"href", "src", "srcset", "action", "formaction", "poster", "data", "xlink:href"}
LOADING = {"iframe", "object", "embed", "img", "video", "audio", "base", "frame", "source"}


class Element(NamedTuple):
    name: str
    attributes: dict
    inside: tuple


class Tree(HTMLParser):
    """All elements of a page with what they are in, its texts, and faults in how it is nested."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open = []
        self.elements = []
        self.texts = []
        self.faults = []
        self.feed(text)
        self.close()
        self.faults += [f"<{name}> is never closed" for name in self.open]

    def handle_starttag(self, name, attrs):
        if len({key for key, _ in attrs}) != len(attrs):
            self.faults.append(f"<{name}> has an attribute twice")
        self.elements.append(Element(name, dict(attrs), (*self.open,)))
        if name not in EMPTY:
            self.open.append(name)

    def handle_endtag(self, name):
        if not self.open or self.open.pop() != name:
            self.faults.append(f"</{name}> closes nothing")

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def named(self, *names):
        return [each for each in self.elements if each.name in names]

    def text_in(self, name):
        return "".join(text for inside, text in self.texts if inside == name)

    @property
    def shown(self):
        return "".join(text for inside, text in self.texts if inside not in ("style", "script"))


def faults(text):
    """Yield what is wrong with a page."""
    tree = Tree(text)
    yield from tree.faults
    yield from _about_the_whole(tree, text)
    yield from _about_the_policy(tree)
    yield from _about_ids(tree)
    yield from _about_tables(tree)
    yield from _about_controls(tree)
    yield from _about_urls(tree)


def _about_the_whole(tree, text):
    if not text.startswith("<!doctype html>\n"):
        yield "no doctype"
    if tree.named("html")[0].attributes.get("lang") != "en":
        yield "no language"
    for name in ("title", "h1", "main", "style"):
        if len([each for each in tree.named(name) if "svg" not in each.inside]) != 1:
            yield f"there is not one <{name}>"
    for name in ("header", "nav", "footer"):
        if not tree.named(name):
            yield f"no <{name}>"
    levels = [HEADINGS.index(each.name) for each in tree.named(*HEADINGS)]
    if any(after > before + 1 for before, after in pairwise(levels)):
        yield "a level of headings is left out"


def _about_the_policy(tree):
    policies = [
        each.attributes["content"]
        for each in tree.named("meta")
        if each.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    if len(policies) != 1 or not policies[0].startswith("default-src 'none';"):
        yield "no policy that denies everything else"
        return
    for name, directive in (("style", "style-src"), ("script", "script-src")):
        if tree.named(name):
            digest = hashlib.sha256(tree.text_in(name).encode()).digest()
            if f"{directive} 'sha256-{base64.b64encode(digest).decode()}'" not in policies[0]:
                yield f"the policy does not allow this <{name}>"
    if "unsafe" in policies[0] or "*" in policies[0]:
        yield "the policy allows too much"


def _about_ids(tree):
    ids = [each.attributes["id"] for each in tree.elements if "id" in each.attributes]
    yield from (f"id {each} comes twice" for each in {*ids} if ids.count(each) > 1)
    yield from (
        f"id {each!r} has white space" for each in ids if re.search(r"\s", each) or not each
    )
    for each in tree.elements:
        target = each.attributes.get("href") or ""
        wanted = [target[1:]] if target.startswith("#") else []
        for name in ("for", "aria-labelledby", "aria-describedby"):
            wanted += (each.attributes.get(name) or "").split()
        yield from (f"there is no id {one!r}" for one in wanted if one not in ids)


def _about_tables(tree):
    captions = len(tree.named("caption"))
    if captions != len(tree.named("table")):
        yield "a table has no caption"
    scopes = {"col", "row", "colgroup", "rowgroup"}
    for each in tree.named("th"):
        if each.attributes.get("scope") not in scopes:
            yield "a <th> has no scope"


def _about_controls(tree):
    labelled = {each.attributes.get("for") for each in tree.named("label")}
    for each in tree.named("input", "select", "textarea"):
        if "label" not in each.inside and each.attributes.get("id") not in labelled:
            yield f"<{each.name}> has no label"
    if len(tree.named("fieldset")) != len(tree.named("legend")):
        yield "a <fieldset> has no legend"
    for each in tree.named("svg"):
        if each.attributes.get("role") != "img" or not each.attributes.get("aria-label"):
            yield "a picture says nothing"
    for each in tree.elements:
        if each.attributes.get("role") == "region" and not each.attributes.get("aria-label"):
            yield "a region has no name"


def _about_urls(tree):
    for each in tree.elements:
        if each.name in LOADING:
            yield f"<{each.name}> loads something"
        for name, value in each.attributes.items():
            if name in OF_URLS and not HARMLESS_URL.match(value or ""):
                yield f"{name} leads elsewhere: {value}"
            if name == "style" or name.startswith("on"):
                yield f"{name} is not allowed by the policy"
    style = tree.text_in("style")
    if "url(" in style or "@import" in style:
        yield "the style loads something"
    if re.search(
        r"\b(fetch|XMLHttpRequest|import\(|WebSocket|eval|innerHTML)", tree.text_in("script")
    ):
        yield "the script loads, or makes markup of text"
